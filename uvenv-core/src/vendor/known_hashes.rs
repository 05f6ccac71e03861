//! The hashes of wheels that were compared before: what has not changed since is not read again.

use std::{collections::BTreeMap, fs, io, sync::Mutex, time::SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{WHEELS, hash_file};
use crate::{
    fs::{
        atomic, cache,
        digest::digest,
        stamp::{Stat, is_settled, stat_of},
    },
    model::Variables,
};

/// The hashes of the wheels of a directory, in uvenv's cache.
#[derive(Default)]
pub(crate) struct KnownHashes {
    /// Where they are kept, if they are.
    path: Option<Utf8PathBuf>,
    before: BTreeMap<String, KnownHash>,
    now: Mutex<BTreeMap<String, KnownHash>>,
}

/// The hash that a file had with these metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KnownHash {
    stat: Stat,
    /// In hexadecimal.
    sha256: String,
}

impl KnownHashes {
    /// Reads those of `directory`. There are none without a cache.
    pub(crate) fn read(directory: &Utf8Path, variables: &Variables) -> Self {
        let place = directory.canonicalize_utf8().unwrap_or_else(|_| directory.to_owned());
        let name = format!("{}.json", digest(place.as_str().as_bytes()));
        let path = cache::directory(variables).ok().map(|cache| cache.join("vendoring/hashes").join(name));
        let text = path.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        Self { path, before: serde_json::from_str(&text).unwrap_or_default(), now: Mutex::default() }
    }

    /// Returns the SHA-256 hash of a wheel, in hexadecimal.
    pub(crate) fn of(&self, directory: &Utf8Path, file: &str) -> io::Result<String> {
        let path = directory.join(WHEELS).join(file);
        let stat = stat_of(&path);
        let known = self.before.get(file).filter(|known| Some(known.stat) == stat);
        let sha256 = match known {
            Some(known) => known.sha256.clone(),
            None => hash_file(&path)?.0,
        };
        if let Some(stat) = stat.filter(|stat| is_settled(stat, SystemTime::now())) {
            let known = KnownHash { stat, sha256: sha256.clone() };
            self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(file.to_owned(), known);
        }
        Ok(sha256)
    }

    /// Keeps what is known now. If that fails, the files are read again the next time.
    pub(crate) fn keep(self) {
        let now = self.now.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let (Some(path), false, Ok(text)) = (self.path, now == self.before, serde_json::to_string(&now)) {
            let _ = fs::create_dir_all(path.parent().unwrap_or(&path));
            let _ = atomic::replace_cached(&path, text);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs::File, time::Duration};

    use super::*;

    #[test]
    fn reads_what_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        let variables: Variables = [("UVENV_CACHE_DIR", root.join("cache").as_str())].into_iter().collect();
        fs::create_dir(root.join(WHEELS)).unwrap();
        let wheel = root.join(WHEELS).join("one.whl");
        let hash = |content: &str| {
            fs::write(&wheel, content).unwrap();
            let known = KnownHashes::read(root, &variables);
            let hash = known.of(root, "one.whl").unwrap();
            known.keep();
            hash
        };
        let first = hash("abc");
        assert_ne!(hash("abd"), first);
        assert_eq!(hash("abc"), first);
        // Even with the same time and size, its metadata have changed.
        let time = SystemTime::now() - Duration::from_mins(1);
        File::options().write(true).open(&wheel).unwrap().set_modified(time).unwrap();
        assert_ne!(hash("abd"), first);
        assert!(KnownHashes::read(root, &variables).of(root, "two.whl").is_err());
        // What has the metadata of before is not read.
        let known = KnownHash { stat: stat_of(&wheel).unwrap(), sha256: "known".to_owned() };
        let known = KnownHashes { before: [("one.whl".to_owned(), known)].into(), ..KnownHashes::default() };
        assert_eq!(known.of(root, "one.whl").unwrap(), "known");
    }
}
