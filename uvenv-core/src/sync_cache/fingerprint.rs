//! Fingerprints of paths. Each kind covers what uv itself checks.

use std::{
    borrow::Cow,
    fs::{self, Metadata},
    io,
    time::SystemTime,
};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::{
    fs::{
        digest::{digest, number},
        stamp::{is_settled, stat},
    },
    uv::cache_keys,
};

/// The property of a path that a fingerprint covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum FingerprintKind {
    /// The content of a file, or its absence.
    #[serde(rename = "c")]
    Content,
    /// All metadata of a file or directory, for the paths whose time of last change uv compares.
    #[serde(rename = "s")]
    Stamp,
    /// The target of a link.
    #[serde(rename = "l")]
    Link,
    /// The identity of a directory, regardless of its content.
    #[serde(rename = "i")]
    Identity,
    /// The subdirectories of a directory, and the links that may lead to some.
    #[serde(rename = "f")]
    Folders,
    /// The installed distributions in a directory of packages.
    #[serde(rename = "d")]
    Distributions,
    /// Which of the files that uv reads exist in the `dist-info` directory of a distribution.
    #[serde(rename = "r")]
    Read,
    /// The possible source files in a directory.
    #[serde(rename = "n")]
    Sources,
    /// The files that uv's default cache keys name in the directory of a package.
    #[serde(rename = "p")]
    Package,
}

/// The fingerprint of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint<'a>(
    #[serde(borrow)] Cow<'a, str>,
    FingerprintKind,
    StampHash,
    #[serde(borrow)] Value<'a>,
);

/// The hash of the metadata. While it is unchanged, so is the value; 0 if it cannot be trusted.
type StampHash = u64;

/// The value, as text: a hash, names, or [`ABSENT`]. Empty if the stamp hash is sufficient.
type Value<'a> = Cow<'a, str>;

/// The value of a path that does not exist.
const ABSENT: &str = "-";

/// The files of a distribution that uv reads.
pub(super) const UV_READS: [&str; 4] = ["WHEEL", "direct_url.json", "uv_build.json", "uv_cache.json"];

/// How a path has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FingerprintChange {
    Gone,
    New,
    Changed,
}

impl<'a> Fingerprint<'a> {
    /// Takes the fingerprint of `path` at the time `now`. Reuses the value of `before` if the metadata has not changed.
    pub(super) fn new(
        path: impl Into<Cow<'a, str>>,
        kind: FingerprintKind,
        before: Option<&Fingerprint<'_>>,
        now: SystemTime,
    ) -> Self {
        let name = path.into();
        let path = Utf8Path::new(&*name);
        let Some(metadata) = metadata(path, kind) else { return Self(name, kind, 0, Value::Borrowed(ABSENT)) };
        if let Some(before) = before.filter(|before| before.1 == kind && before.2 == hash(&metadata)) {
            return Self(name, kind, before.2, Value::Owned(before.3.to_string()));
        }
        let stamp_hash = stamp_hash(&metadata, kind, now);
        let value = match kind {
            // The stamp hash would show any change.
            FingerprintKind::Stamp if stamp_hash != 0 => Value::default(),
            _ => Value::Owned(value(path, kind, &metadata)),
        };
        Self(name, kind, stamp_hash, value)
    }

    /// Returns the path.
    pub(super) fn path(&self) -> &Utf8Path {
        Utf8Path::new(&*self.0)
    }

    /// Returns the kind of the fingerprint.
    pub(super) fn kind(&self) -> FingerprintKind {
        self.1
    }

    /// Whether the path exists.
    pub(super) fn exists(&self) -> bool {
        self.3 != ABSENT
    }

    /// Returns the names of the files that the fingerprint of a distribution has found.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let value = if self.1 == FingerprintKind::Read && self.exists() { &*self.3 } else { "" };
        value.split_terminator(' ')
    }

    /// Checks the path again: returns what has changed, or whether more can be trusted than before.
    pub(super) fn recheck(&mut self, now: SystemTime) -> Result<bool, FingerprintChange> {
        let path = Utf8Path::new(&*self.0);
        let Some(metadata) = metadata(path, self.1) else {
            return if self.exists() { Err(FingerprintChange::Gone) } else { Ok(false) };
        };
        if !self.exists() {
            return Err(FingerprintChange::New);
        }
        if self.2 != 0 && hash(&metadata) == self.2 {
            return Ok(false);
        }
        if self.1 == FingerprintKind::Stamp && self.2 != 0 {
            return Err(FingerprintChange::Changed);
        }
        if value(path, self.1, &metadata) != *self.3 {
            return Err(FingerprintChange::Changed);
        }
        let stamp_hash = stamp_hash(&metadata, self.1, now);
        if stamp_hash == self.2 {
            return Ok(false);
        }
        self.2 = stamp_hash;
        if self.1 == FingerprintKind::Stamp {
            self.3 = Value::default();
        }
        Ok(true)
    }
}

fn metadata(path: &Utf8Path, kind: FingerprintKind) -> Option<Metadata> {
    match kind {
        FingerprintKind::Link => fs::symlink_metadata(path),
        // A link to nothing is not nothing: uv may fail on it.
        _ => fs::metadata(path).or_else(|_| fs::symlink_metadata(path)),
    }
    .ok()
}

/// Returns the hash of the metadata if it can stand for the value, and otherwise 0.
fn stamp_hash(metadata: &Metadata, kind: FingerprintKind, now: SystemTime) -> StampHash {
    // A directory's metadata changes with its content, and a link can be read just as quickly.
    let is_enough =
        !matches!(kind, FingerprintKind::Identity | FingerprintKind::Link) && is_settled(&stat(metadata), now);
    if is_enough { hash(metadata) } else { 0 }
}

/// Returns the hash of the metadata, which is never 0.
fn hash(metadata: &Metadata) -> StampHash {
    number(&stat(metadata)).max(1)
}

fn value(path: &Utf8Path, kind: FingerprintKind, metadata: &Metadata) -> String {
    let said = match kind {
        FingerprintKind::Content => content(path, metadata),
        FingerprintKind::Stamp => {
            let inside = if metadata.is_dir() { names(path, |_, _| true) } else { content(path, metadata) };
            inside.map(|inside| format!("{:?} {inside}", stat(metadata)))
        }
        FingerprintKind::Link => fs::read_link(path).map(|target| format!("> {}", target.to_string_lossy())),
        FingerprintKind::Identity => Ok(identity(metadata)),
        FingerprintKind::Folders => names(path, |_, kind| !kind.is_file()),
        FingerprintKind::Distributions => names(path, |name, _| {
            Utf8Path::new(name).extension().is_some_and(|end| ["dist-info", "egg-info", "egg-link"].contains(&end))
        }),
        FingerprintKind::Read => return read(path),
        FingerprintKind::Sources => names(path, |name, _| !is_made(Utf8Path::new(name))),
        FingerprintKind::Package => Ok(package(path)),
    };
    match said {
        Ok(said) => digest(said.as_bytes()),
        // An unreadable path is recorded as such; it differs from an absent one.
        Err(error) => format!("! {:?}", error.kind()),
    }
}

fn content(path: &Utf8Path, metadata: &Metadata) -> io::Result<String> {
    if metadata.is_file() { fs::read(path).map(|bytes| digest(&bytes)) } else { Ok("no file".to_owned()) }
}

/// Returns the names in a directory for which `counts` is true, with their file types.
fn names(directory: &Utf8Path, counts: impl Fn(&str, fs::FileType) -> bool) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let name = name.to_string_lossy();
        if counts(&name, kind) {
            let kind = if kind.is_dir() {
                'd'
            } else if kind.is_symlink() {
                'l'
            } else {
                'f'
            };
            names.push(format!("{kind} {name}\n"));
        }
    }
    names.sort();
    Ok(names.concat())
}

/// Whether a file with this name is generated rather than written by a person: hidden, or made by a compiler.
fn is_made(name: &Utf8Path) -> bool {
    let made = ["pyc", "so", "pyd", "dylib", "dll", "pdb"];
    name.as_str().starts_with('.') || name == "__pycache__" || name.extension().is_some_and(|end| made.contains(&end))
}

/// Returns the names of the files that uv reads in a `dist-info` directory.
fn read(folder: &Utf8Path) -> String {
    UV_READS.iter().filter(|name| folder.join(name).exists()).flat_map(|name| [name, " "]).collect()
}

fn package(directory: &Utf8Path) -> String {
    let files = cache_keys::default_files(directory).map(|path| path.exists().to_string());
    let source = fs::metadata(directory.join(cache_keys::DEFAULT_DIRECTORY));
    format!("{} {}", files.join(" "), source.map_or_else(|_| ABSENT.to_owned(), |source| identity(&source)))
}

/// Identifies a directory, to detect that another one has replaced it. uv compares the creation time, or else the
/// inode.
fn identity(metadata: &Metadata) -> String {
    let [device, inode, ..] = stat(metadata);
    format!("{device} {inode} {:?} {}", metadata.created().ok(), metadata.is_dir())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{os::unix::fs::symlink, time::Duration};

    use super::*;
    use crate::fs::TestTree;

    /// A time after which the metadata can be trusted.
    const AFTER: Duration = Duration::from_mins(1);

    /// Returns two fingerprints of `path`: one right after it was made, and one long after.
    fn fingerprints(path: &Utf8Path, kind: FingerprintKind) -> [Fingerprint<'_>; 2] {
        let now = SystemTime::now();
        [now, now + AFTER].map(|now| Fingerprint::new(path.as_str(), kind, None, now))
    }

    fn recheck(fingerprint: &Fingerprint<'_>) -> Result<bool, FingerprintChange> {
        fingerprint.clone().recheck(SystemTime::now() + AFTER)
    }

    #[test]
    fn content_ignores_rewrites_and_stamp_notices_them() {
        let directory = TestTree::new();
        let path = directory.join("file");
        fs::write(&path, "one").unwrap();
        let (contents, stamps) =
            (fingerprints(&path, FingerprintKind::Content), fingerprints(&path, FingerprintKind::Stamp));
        for fingerprint in contents.iter().chain(&stamps) {
            assert!(recheck(fingerprint).is_ok());
        }
        fs::write(&path, "one").unwrap();
        assert!(contents.iter().all(|fingerprint| recheck(fingerprint).is_ok()));
        assert!(stamps.iter().all(|fingerprint| recheck(fingerprint) == Err(FingerprintChange::Changed)));
        fs::write(&path, "two").unwrap();
        assert!(
            contents.iter().chain(&stamps).all(|fingerprint| recheck(fingerprint) == Err(FingerprintChange::Changed))
        );
        fs::remove_file(&path).unwrap();
        assert!(contents.iter().chain(&stamps).all(|fingerprint| recheck(fingerprint) == Err(FingerprintChange::Gone)));
    }

    #[test]
    fn rereads_a_file_just_written_before_trusting_it() {
        let directory = TestTree::new();
        let path = directory.join("file");
        fs::write(&path, "one").unwrap();
        for kind in [FingerprintKind::Content, FingerprintKind::Stamp] {
            let [mut fresh, settled] = fingerprints(&path, kind);
            assert_eq!((fresh.2, settled.2 != 0), (0, true), "{kind:?}");
            assert_eq!(fresh.recheck(SystemTime::now()), Ok(false));
            assert_eq!(fresh.recheck(SystemTime::now() + AFTER), Ok(true));
            assert_eq!(fresh, settled);
        }
    }

    #[test]
    fn notices_a_new_file() {
        let directory = TestTree::new();
        let path = directory.join("file");
        for kind in [
            FingerprintKind::Content,
            FingerprintKind::Stamp,
            FingerprintKind::Link,
            FingerprintKind::Folders,
            FingerprintKind::Sources,
        ] {
            let fingerprint = Fingerprint::new(path.as_str(), kind, None, SystemTime::now());
            assert_eq!(recheck(&fingerprint), Ok(false));
            fs::write(&path, "").unwrap();
            assert_eq!(recheck(&fingerprint), Err(FingerprintChange::New));
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn compares_only_relevant_names_of_a_directory() {
        let directory = TestTree::new();
        let held = |kind| {
            let fingerprints = fingerprints(&directory, kind);
            move || fingerprints.iter().all(|fingerprint| recheck(fingerprint).is_ok())
        };
        let (folders, distributions, sources) =
            (held(FingerprintKind::Folders), held(FingerprintKind::Distributions), held(FingerprintKind::Sources));
        fs::write(directory.join("module.so"), "").unwrap();
        fs::create_dir(directory.join(".hidden")).unwrap();
        assert!(!folders() && distributions() && sources());
        let folders = held(FingerprintKind::Folders);
        fs::write(directory.join("module.rs"), "").unwrap();
        assert!(folders() && distributions() && !sources());
        fs::create_dir(directory.join("six-1.0.dist-info")).unwrap();
        assert!(!folders() && !distributions());
        let folders = held(FingerprintKind::Folders);
        symlink("elsewhere", directory.join("link")).unwrap();
        assert!(!folders());
    }

    #[test]
    fn compares_the_distribution_files_that_uv_reads() {
        let folder = TestTree::new();
        fs::write(folder.join("WHEEL"), "").unwrap();
        let fingerprints = fingerprints(&folder, FingerprintKind::Read);
        assert!(fingerprints.iter().all(|fingerprint| fingerprint.names().eq(["WHEEL"])));
        let holds = || fingerprints.iter().all(|fingerprint| recheck(fingerprint).is_ok());
        fs::write(folder.join("REQUESTED"), "").unwrap();
        assert!(holds());
        fs::write(folder.join("uv_cache.json"), "").unwrap();
        assert!(!holds());
        fs::remove_file(folder.join("uv_cache.json")).unwrap();
        assert!(holds());
        fs::remove_file(folder.join("WHEEL")).unwrap();
        assert!(!holds());
    }

    #[test]
    fn package_changes_with_its_source_folder_or_build_files() {
        let directory = TestTree::new();
        fs::create_dir(directory.join("src")).unwrap();
        let fingerprints = fingerprints(&directory, FingerprintKind::Package);
        let holds = || fingerprints.iter().all(|fingerprint| recheck(fingerprint).is_ok());
        fs::write(directory.join("README.md"), "").unwrap();
        fs::write(directory.join("src/module.py"), "").unwrap();
        assert!(holds());
        fs::rename(directory.join("src"), directory.join("aside")).unwrap();
        assert!(!holds());
        fs::rename(directory.join("aside"), directory.join("src")).unwrap();
        assert!(holds(), "moved away and back");
        fs::write(directory.join("setup.py"), "").unwrap();
        assert!(!holds());
        fs::remove_file(directory.join("setup.py")).unwrap();
        fs::rename(directory.join("src"), directory.join("aside")).unwrap();
        fs::create_dir(directory.join("src")).unwrap();
        assert!(!holds(), "another of the same name");
    }

    #[test]
    fn compares_the_target_of_a_link() {
        let directory = TestTree::new();
        let path = directory.join("link");
        symlink("one", &path).unwrap();
        let fingerprints = fingerprints(&path, FingerprintKind::Link);
        fs::write(directory.join("one"), "").unwrap();
        assert!(fingerprints.iter().all(|fingerprint| recheck(fingerprint) == Ok(false)));
        fs::remove_file(&path).unwrap();
        symlink("two", &path).unwrap();
        assert!(fingerprints.iter().all(|fingerprint| recheck(fingerprint) == Err(FingerprintChange::Changed)));
    }
}
