//! Checks whether a file is unchanged: by its file system metadata if that can be trusted, otherwise by its content.

use std::{
    fs::{self, Metadata},
    io,
    time::{Duration, SystemTime},
};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::fs::digest::digest;

/// The clocks of file systems are coarse: a file that has just changed may change again with the same timestamp.
const CLOCK_SLACK: Duration = Duration::from_secs(2);

/// The recorded state of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileStamp {
    /// The metadata that identifies the content; `None` if it cannot be trusted.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    stat: Option<Stat>,
    /// The hash of the content; `None` if the file does not exist.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

/// Device, inode, size, modification time and change time.
pub(crate) type Stat = [u64; 5];

impl FileStamp {
    /// Records the state of the file. `before` is its state at an earlier time.
    pub(crate) fn take(path: &Utf8Path, before: Option<&Self>, now: SystemTime) -> Self {
        let metadata = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Self::unreadable(),
            _ => return Self::default(),
        };
        let stat = stat(&metadata);
        if let Some(before) = before.filter(|before| before.stat == Some(stat)) {
            return before.clone();
        }
        let Ok(content) = fs::read(path) else { return Self::unreadable() };
        Self { stat: is_settled(&stat, now).then_some(stat), hash: Some(digest(&content)) }
    }

    /// Returns the state of a file that was changed while a program read it, so that it is unknown what was read.
    pub(crate) fn torn() -> Self {
        Self { stat: None, hash: Some("torn".to_owned()) }
    }

    /// A file that we cannot read cannot be read by the build either.
    fn unreadable() -> Self {
        Self { stat: None, hash: Some("unreadable".to_owned()) }
    }

    pub(crate) fn exists(&self) -> bool {
        self.hash.is_some()
    }

    /// Whether both have the same content.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

/// Returns the metadata that identifies the content of the file at `path`, for use in keys.
pub(crate) fn stat_of(path: &Utf8Path) -> Option<Stat> {
    fs::metadata(path).ok().map(|metadata| stat(&metadata))
}

#[cfg(unix)]
pub(crate) fn stat(metadata: &Metadata) -> Stat {
    use std::os::unix::fs::MetadataExt;

    let nanoseconds = |seconds: i64, rest: i64| {
        u64::try_from(seconds).unwrap_or_default().saturating_mul(1_000_000_000)
            + u64::try_from(rest).unwrap_or_default()
    };
    [
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    ]
}

#[cfg(not(unix))]
pub(crate) fn stat(metadata: &Metadata) -> Stat {
    let nanoseconds = |time: io::Result<SystemTime>| {
        time.ok()
            .and_then(|time| u64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos()).ok())
            .unwrap_or_default()
    };
    [0, nanoseconds(metadata.created()), metadata.len(), nanoseconds(metadata.modified()), 0]
}

/// Whether the last change to the file was long enough before `now`.
pub(crate) fn is_settled(stat: &Stat, now: SystemTime) -> bool {
    changed(stat).is_some_and(|changed| changed + CLOCK_SLACK <= now)
}

fn changed([.., modified, changed]: &Stat) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(*modified.max(changed)))
}

/// Returns the time of the last change to the file or its metadata, which no program can set.
#[cfg(unix)]
pub(crate) fn changed_at(path: &Utf8Path) -> Option<SystemTime> {
    let [.., changed] = stat_of(path)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(changed))
}

/// Returns the time of the last change to the file.
#[cfg(not(unix))]
pub(crate) fn changed_at(path: &Utf8Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Whether the file may have changed since `start`.
pub(crate) fn changed_since(path: &Utf8Path, start: SystemTime) -> bool {
    let changed = stat_of(path).and_then(|stat| changed(&stat));
    changed.is_none_or(|changed| changed >= start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TestTree;

    #[test]
    fn compares_content_and_not_time() {
        let directory = TestTree::new();
        let path = directory.join("lib.rs");
        let now = SystemTime::now();
        let missing = FileStamp::take(&path, None, now);
        assert!(!missing.exists());
        fs::write(&path, "one").unwrap();
        let first = FileStamp::take(&path, None, now);
        assert!(first.exists() && !first.is_same(&missing));
        fs::write(&path, "two").unwrap();
        assert!(!FileStamp::take(&path, Some(&first), now).is_same(&first));
        fs::write(&path, "one").unwrap();
        assert!(FileStamp::take(&path, Some(&first), now).is_same(&first));
    }

    #[test]
    fn trusts_metadata_only_of_files_not_just_written() {
        let directory = TestTree::new();
        let path = directory.join("lib.rs");
        fs::write(&path, "one").unwrap();
        let now = SystemTime::now();
        assert_eq!(FileStamp::take(&path, None, now).stat, None);
        let later = FileStamp::take(&path, None, now + Duration::from_secs(10));
        assert!(later.stat.is_some());
        // The metadata is unchanged, so the content is not read again.
        let claimed = FileStamp { hash: Some("claimed".to_owned()), ..later };
        assert_eq!(FileStamp::take(&path, Some(&claimed), now), claimed);
    }
}
