//! The fingerprints of a cache entry. There are thousands, and all cores share the work: each is a line of text, which
//! is parsed only where it is compared.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
    time::SystemTime,
};

use camino::Utf8Path;

use super::{
    fingerprint::{Fingerprint, FingerprintChange, FingerprintKind},
    watch_list::{Uncacheable, WatchList},
};
use crate::fs::parallel;

/// The number of fingerprints for which a further thread is worth its cost.
pub(super) const MIN_LEN: usize = 500;

/// Fingerprints, each as a line of JSON.
#[derive(Clone, Debug, Default)]
pub(super) struct Fingerprints(String);

/// The fingerprints of an earlier cache entry, by path and kind.
#[derive(Debug, Default)]
pub(crate) struct PreviousFingerprints<'a>(HashMap<(String, FingerprintKind), Fingerprint<'a>>);

impl Fingerprints {
    /// Takes fingerprints of the paths in `watch_list`.
    pub(super) fn at(watch_list: WatchList, previous: &PreviousFingerprints<'_>, now: SystemTime) -> Self {
        let mut paths: Vec<_> = watch_list.into_paths().collect();
        let parts = parallel::par_chunks(&mut paths, MIN_LEN, |paths| {
            let fingerprints = paths.iter().map(|(path, kind)| previous.fingerprint(path.as_str(), *kind, now));
            fingerprints.map(|fingerprint| line(&fingerprint)).collect::<String>()
        });
        Self(parts.concat())
    }

    /// Makes the value from `text`, which holds fingerprints.
    pub(super) fn from_text(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_text(&self) -> &str {
        &self.0
    }

    pub(super) fn push(&mut self, fingerprint: &Fingerprint<'_>) {
        self.0 += &line(fingerprint);
    }

    pub(super) fn extend(&mut self, more: &Self) {
        self.0 += &more.0;
    }

    /// Returns all of them, to reuse in a later cache entry.
    pub(super) fn previous(&self) -> PreviousFingerprints<'_> {
        let fingerprints = self.0.lines().filter_map(read);
        PreviousFingerprints(
            fingerprints
                .map(|fingerprint| ((fingerprint.path().to_string(), fingerprint.kind()), fingerprint))
                .collect(),
        )
    }

    /// Checks all of them again: returns whether more can be trusted now, or what has changed. Messages name files
    /// relative to `root`.
    pub(super) fn recheck(&mut self, root: &Utf8Path) -> Result<bool, Uncacheable> {
        let now = SystemTime::now();
        let is_decided = AtomicBool::new(false);
        let mut lines: Vec<_> = self.0.lines().map(Cow::Borrowed).collect();
        let parts = parallel::par_chunks(&mut lines, MIN_LEN, |lines| -> Result<bool, Uncacheable> {
            let mut more = false;
            for text in lines {
                if is_decided.load(Ordering::Relaxed) {
                    break;
                }
                let recheck = recheck(text, now, root);
                is_decided.fetch_or(recheck.is_err(), Ordering::Relaxed);
                if let Some(fingerprint) = recheck? {
                    more = true;
                    *text = Cow::Owned(fingerprint);
                }
            }
            Ok(more)
        });
        let more = parts.into_iter().try_fold(false, |more, part| Ok::<_, Uncacheable>(part? || more))?;
        if more {
            let lines = lines.iter().flat_map(|line| [line.trim_end(), "\n"]);
            self.0 = lines.collect();
        }
        Ok(more)
    }
}

impl PreviousFingerprints<'_> {
    /// Takes the fingerprint of `path`, and reuses what is already known.
    pub(super) fn fingerprint<'a>(
        &self,
        path: impl Into<Cow<'a, str>>,
        kind: FingerprintKind,
        now: SystemTime,
    ) -> Fingerprint<'a> {
        let path = path.into();
        let before = if self.0.is_empty() { None } else { self.0.get(&(path.to_string(), kind)) };
        Fingerprint::new(path, kind, before, now)
    }
}

/// Checks a line again: returns its replacement if it must change, and `None` if it remains the same.
fn recheck(line: &str, now: SystemTime, root: &Utf8Path) -> Result<Option<String>, Uncacheable> {
    let mut fingerprint = read(line).ok_or("the cached data is damaged")?;
    match fingerprint.recheck(now) {
        Ok(more) => Ok(more.then(|| self::line(&fingerprint))),
        Err(change) => Err(in_words(fingerprint.path(), change, root)),
    }
}

fn in_words(path: &Utf8Path, change: FingerprintChange, root: &Utf8Path) -> Uncacheable {
    let path = path.strip_prefix(root).unwrap_or(path);
    let what = match change {
        FingerprintChange::Gone => "is gone",
        FingerprintChange::New => "is new",
        FingerprintChange::Changed => "has changed",
    };
    format!("`{path}` {what}")
}

/// Returns a fingerprint as a line. Serialization cannot fail, because text and numbers are always valid JSON.
pub(super) fn line(fingerprint: &Fingerprint<'_>) -> String {
    serde_json::to_string(fingerprint).unwrap_or_default() + "\n"
}

fn read(line: &str) -> Option<Fingerprint<'_>> {
    serde_json::from_str(line).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::fs::TestTree;

    /// Enough fingerprints for several threads.
    const MANY: usize = MIN_LEN * 3;

    fn fingerprints() -> (TestTree, Fingerprints) {
        let root = TestTree::new();
        let mut watch_list = WatchList::default();
        for number in 0..MANY {
            let path = root.join(format!("a \"file\"\nnumber {number}"));
            fs::write(&path, "").unwrap();
            watch_list.content(path);
        }
        let fingerprints = Fingerprints::at(watch_list, &PreviousFingerprints::default(), SystemTime::now());
        (root, fingerprints)
    }

    #[test]
    fn compares_all_entries_on_any_core() {
        let (root, mut fingerprints) = fingerprints();
        assert_eq!(fingerprints.as_text().lines().count(), MANY);
        assert!(fingerprints.recheck(&root).is_ok());
        for number in [0, MANY / 2, MANY - 1] {
            let name = format!("a \"file\"\nnumber {number}");
            fs::write(root.join(&name), "changed").unwrap();
            assert_eq!(fingerprints.recheck(&root), Err(format!("`{name}` has changed")));
            fs::write(root.join(&name), "").unwrap();
            assert!(fingerprints.recheck(&root).is_ok());
        }
    }

    #[test]
    fn rejects_a_damaged_record() {
        let (root, mut fingerprints) = fingerprints();
        fingerprints.0 += "[\"/\"]\n";
        assert_eq!(fingerprints.recheck(&root), Err("the cached data is damaged".to_owned()));
    }

    #[test]
    fn finds_earlier_entries_by_path_and_kind() {
        let (root, fingerprints) = fingerprints();
        let path = root.join("a \"file\"\nnumber 7");
        let previous = fingerprints.previous().0;
        assert_eq!(previous.len(), MANY);
        let has = |kind| previous.contains_key(&(path.to_string(), kind));
        assert!(has(FingerprintKind::Content) && !has(FingerprintKind::Stamp));
    }
}
