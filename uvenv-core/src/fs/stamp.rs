//! Whether a file is still what it was: by its state where that can be trusted, else by its content.

use std::{
    fs::{self, Metadata},
    io,
    time::{Duration, SystemTime},
};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::fs::digest::digest;

/// The clocks of file systems are coarse: a file that was changed a moment ago may change again without another time.
const CLOCK_SLACK: Duration = Duration::from_secs(2);

/// A file as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileStamp {
    /// What stands for the content as long as it is the same; none where that cannot be trusted.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    stat: Option<Stat>,
    /// The hash of the content; none where there is no file.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

/// Device, inode, size, modification and change time.
pub(crate) type Stat = [u64; 5];

impl FileStamp {
    /// Looks at the file, which was `before` at an earlier time.
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

    /// A file that was changed while something read it, so that nobody knows what was read.
    pub(crate) fn torn() -> Self {
        Self { stat: None, hash: Some("torn".to_owned()) }
    }

    /// What cannot be read by us cannot be read by the build.
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

/// What stands for the content of the file at `path`, for keys.
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

/// Whether the file was last changed long enough before `now`.
pub(crate) fn is_settled(stat: &Stat, now: SystemTime) -> bool {
    changed(stat).is_some_and(|changed| changed + CLOCK_SLACK <= now)
}

fn changed([.., modified, changed]: &Stat) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(*modified.max(changed)))
}

/// When the file, or what the file system says of it, was last changed: a time that no program can set.
#[cfg(unix)]
pub(crate) fn changed_at(path: &Utf8Path) -> Option<SystemTime> {
    let [.., changed] = stat_of(path)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(changed))
}

/// When the file was last changed.
#[cfg(not(unix))]
pub(crate) fn changed_at(path: &Utf8Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Whether the file may have been changed since `start`.
pub(crate) fn changed_since(path: &Utf8Path, start: SystemTime) -> bool {
    let changed = stat_of(path).and_then(|stat| changed(&stat));
    changed.is_none_or(|changed| changed >= start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides_and_time_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(directory.path()).unwrap().join("lib.rs");
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
    fn a_state_is_trusted_only_when_the_file_has_come_to_rest() {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(directory.path()).unwrap().join("lib.rs");
        fs::write(&path, "one").unwrap();
        let now = SystemTime::now();
        assert_eq!(FileStamp::take(&path, None, now).stat, None);
        let later = FileStamp::take(&path, None, now + Duration::from_secs(10));
        assert!(later.stat.is_some());
        // The state is the same, so the content is not read again.
        let claimed = FileStamp { hash: Some("claimed".to_owned()), ..later };
        assert_eq!(FileStamp::take(&path, Some(&claimed), now), claimed);
    }
}
