//! Tells an observer how much of the downloads is there, in files and bytes.

use std::{
    fs, io,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::Download;
use crate::model::{Observer, observer::Progress};

/// How often the files are looked at: pip tells nothing that several of them could tell together.
const PERIOD: Duration = Duration::from_millis(100);

/// The progress of downloads.
pub(crate) struct DownloadProgress<'a> {
    observer: &'a dyn Observer,
    /// What is downloaded: `12 files`.
    name: String,
    files: u64,
    /// The number of files that are there.
    done: AtomicU64,
    /// The size of all files in bytes; `None` if that of one is not known.
    bytes: Option<u64>,
    /// The most bytes that were seen.
    seen: AtomicU64,
    is_counting: AtomicBool,
}

impl<'a> DownloadProgress<'a> {
    /// Announces the download of `files`.
    pub(crate) fn new<'d>(observer: &'a dyn Observer, files: impl Iterator<Item = &'d Download> + Clone) -> Self {
        let count = files.clone().count() as u64;
        let bytes: Option<u64> = files.map(|file| file.size).sum();
        let name = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
        if count > 0 {
            let size = bytes.map(|bytes| format!(", {} kB", bytes.div_ceil(1000))).unwrap_or_default();
            observer.say(&format!("Downloading {name}{size}…"));
        }
        Self { observer, name, files: count, done: 0.into(), bytes, seen: 0.into(), is_counting: true.into() }
    }

    /// Tells how many bytes are in `directories`, for as long as `work` runs.
    pub(crate) fn during<T>(&self, directories: &[Utf8PathBuf], work: impl FnOnce() -> T) -> T {
        if self.files == 0 {
            return work();
        }
        let size = || directories.iter().map(|directory| size(directory).unwrap_or_default()).sum::<u64>();
        let before = size();
        let (done, is_done) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                while is_done.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                    self.report(size().saturating_sub(before));
                }
            });
            let result = work();
            drop(done);
            result
        })
    }

    /// More files are there.
    pub(crate) fn add(&self, files: &[Download]) {
        let count = files.len() as u64;
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        self.observer.progress(&Progress::Preparing { done, total: self.files });
        if done == self.files && self.is_counting.swap(false, Ordering::Relaxed) {
            self.observer.progress(&Progress::Downloaded { name: self.name.clone() });
        }
    }

    fn report(&self, bytes: u64) {
        if self.is_counting.load(Ordering::Relaxed) {
            // pip copies a file that is complete, so some bytes are there twice for a moment.
            let bytes = self.seen.fetch_max(bytes, Ordering::Relaxed).max(bytes);
            let bytes = self.bytes.map_or(bytes, |total| bytes.min(total));
            self.observer.progress(&Progress::Downloading { name: self.name.clone(), bytes, total: self.bytes });
        }
    }
}

/// Returns the size of all files below a directory, in bytes. Files come and go meanwhile.
fn size(directory: &Utf8Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)?.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += match Utf8PathBuf::from_path_buf(entry.path()) {
            Ok(path) if metadata.is_dir() => size(&path).unwrap_or_default(),
            _ => metadata.len(),
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Observer for Seen {
        fn progress(&self, progress: &Progress) {
            let text = match progress {
                Progress::Downloading { name, bytes, total } => format!("{name} {bytes} of {total:?}"),
                Progress::Preparing { done, total } => format!("{done}/{total}"),
                other => format!("{other:?}"),
            };
            self.0.lock().unwrap().push(text);
        }

        fn say(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }

        fn wants_stop(&self) -> bool {
            false
        }
    }

    fn file(name: &str, size: u64) -> Download {
        Download {
            name: name.to_owned(),
            file: name.to_owned(),
            place: name.to_owned(),
            url: String::new(),
            sha256: None,
            size: Some(size),
        }
    }

    #[test]
    fn counts_bytes_and_files() {
        let directory = tempfile::tempdir().unwrap();
        let place = Utf8Path::from_path(directory.path()).unwrap().to_owned();
        fs::write(place.join("before"), "12345").unwrap();
        let (seen, files) = (Seen::default(), [file("one", 600), file("two", 400)]);
        let progress = DownloadProgress::new(&seen, files.iter());
        progress.during(std::slice::from_ref(&place), || {
            fs::create_dir(place.join("part")).unwrap();
            fs::write(place.join("part/one"), [0; 700]).unwrap();
            while seen.0.lock().unwrap().len() < 2 {
                thread::sleep(PERIOD);
            }
            progress.add(&files);
        });
        let seen = seen.0.into_inner().unwrap();
        assert_eq!(seen[..2], ["Downloading 2 files, 1 kB…", "2 files 700 of Some(1000)"]);
        let end = seen.iter().position(|line| line == "2/2").unwrap();
        assert!(seen[end + 1].starts_with("Downloaded"), "{seen:?}");
        assert_eq!(seen.len(), end + 2);
    }
}
