//! Compares the files of an environment with the lists of its distributions, [RECORD].
//!
//! A list proves nothing against somebody who rewrites it too; it shows what has changed by accident.
//!
//! [RECORD]: https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, Metadata},
    io,
    time::SystemTime,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{
    Distribution, Distributions, Environment, EnvironmentError,
    wheel_list::{Row, WheelFile, WheelList, is_rewritten},
};
use crate::{
    fs::{
        normal, parallel,
        sha2::{BUFFER, hash_file},
    },
    model::Name,
};

/// What a comparison of the files found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Integrity {
    /// The number of files that were compared.
    pub(crate) files: usize,
    /// Their size, in bytes.
    pub(crate) bytes: u64,
    /// The files that are not as listed, sorted by path.
    pub(crate) differences: Vec<FileDifference>,
    /// The wheels with which the distributions were compared.
    pub(crate) wheels: BTreeMap<Name, Utf8PathBuf>,
}

/// A file that is not as its distribution lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileDifference {
    pub(crate) path: Utf8PathBuf,
    pub(crate) kind: FileDifferenceKind,
    /// The distribution that lists it.
    pub(crate) distribution: Option<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileDifferenceKind {
    Changed,
    Missing,
    /// No distribution lists it.
    Added,
    /// It has a hash that is not known.
    Unverifiable,
}

/// How files are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// By their hashes.
    Hashes,
    /// By their sizes, and by their hashes if they are newer than the list, which is the last file to be installed.
    SizesAndTimes,
}

/// A file as a distribution lists it.
struct Listed<'a> {
    distribution: &'a Distribution,
    /// `ALGORITHM=HASH`, or nothing.
    hash: String,
    size: Option<u64>,
    /// When the list was written.
    written: Option<SystemTime>,
    /// What follows the first line of a script of a wheel, which is rewritten.
    script: Option<Vec<u8>>,
}

/// The listed files. A file can be in several distributions, such as the `__init__.py` of a namespace.
type Lists<'a> = BTreeMap<Utf8PathBuf, Vec<Listed<'a>>>;

impl Integrity {
    /// Compares the files of `distributions`, which are those of `environment`. `wheels` are those from which they were
    /// installed, if they are there: their lists count then, as that of the environment could have been changed too.
    pub(crate) fn check(
        environment: &Environment,
        distributions: &Distributions,
        wheels: &BTreeMap<Name, Vec<Utf8PathBuf>>,
        comparison: Comparison,
    ) -> crate::Result<Self> {
        let mut lists = Lists::new();
        let mut differences = Vec::new();
        let mut compared_with = BTreeMap::new();
        for distribution in distributions.iter() {
            let wheel = match wheels.get(&distribution.name) {
                Some(wheels) => {
                    let (path, wheel) = wheel_of(distribution, wheels, environment)?;
                    compared_with.insert(distribution.name.clone(), path);
                    Some(wheel)
                }
                None => None,
            };
            if read_list(distribution, wheel.map(|wheel| (wheel, environment)), &mut lists).is_err() {
                differences.push(FileDifference {
                    path: distribution.record_file(),
                    kind: FileDifferenceKind::Missing,
                    distribution: Some(distribution.name.clone()),
                });
            }
        }
        let mut files: Vec<_> = lists.iter().collect();
        // The largest first, so that no core begins with it when the others have finished.
        files.sort_by_key(|(_, listed)| std::cmp::Reverse(listed.iter().filter_map(|one| one.size).max()));
        let compared = parallel::par_queue(
            &files,
            || vec![0; BUFFER],
            |buffer, (path, listed)| (compare(path, listed, comparison, buffer), listed[0].distribution, *path),
        );
        let mut integrity = Self { files: compared.len(), bytes: 0, differences, wheels: compared_with };
        for ((kind, bytes), distribution, path) in compared {
            integrity.bytes += bytes;
            integrity.differences.extend(kind.map(|kind| FileDifference {
                path: path.clone(),
                kind,
                distribution: Some(distribution.name.clone()),
            }));
        }
        let mut added = Added { environment, lists: &lists, found: BTreeSet::new() };
        for directory in environment.site_packages().into_iter().chain([environment.scripts()]) {
            added.search(&directory).map_err(environment.unreadable(&directory))?;
        }
        let added = added.found.into_iter();
        let added = added.map(|path| FileDifference { path, kind: FileDifferenceKind::Added, distribution: None });
        integrity.differences.extend(added);
        integrity.differences.sort();
        Ok(integrity)
    }
}

/// Returns the wheel from which `distribution` was installed, the one with the same WHEEL, or else the first, and its list.
fn wheel_of(
    distribution: &Distribution,
    wheels: &[Utf8PathBuf],
    environment: &Environment,
) -> Result<(Utf8PathBuf, WheelList), EnvironmentError> {
    let read = |wheel: &Utf8PathBuf| {
        let unreadable = environment.unreadable(wheel);
        WheelList::read(wheel, environment).map_err(unreadable)
    };
    let info = distribution.folder().join("WHEEL");
    let is_same = |list: &WheelList| {
        let hash = list.files.iter().find(|file| file.path == info).and_then(|file| file.hash.strip_prefix("sha256="));
        hash.is_some_and(|expected| hash_of::<Sha256>(&info, &mut [0; 4096]).is_ok_and(|found| found == expected))
    };
    let mut lists = wheels.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let index = lists.iter().position(is_same).unwrap_or_default();
    Ok((wheels[index].clone(), lists.swap_remove(index)))
}

/// Adds the files that `distribution` lists, without the list itself and `__pycache__`, whose files come and go. Those of
/// its wheel are as the wheel has them, and nothing else belongs to it but what an installation makes.
fn read_list<'a>(
    distribution: &'a Distribution,
    wheel: Option<(WheelList, &Environment)>,
    lists: &mut Lists<'a>,
) -> io::Result<()> {
    let file = File::open(distribution.record_file())?;
    let written = file.metadata()?.modified().ok();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    for row in reader.deserialize() {
        let Row(path, hash, size) = row.map_err(io::Error::other)?;
        let path = normal(&distribution.site_packages().join(path));
        if wheel.as_ref().is_some_and(|(wheel, environment)| !wheel.is_of_installer(&path, environment)) {
            continue;
        }
        let is_compiled = path.parent().is_some_and(|parent| parent.file_name() == Some("__pycache__"));
        if path != distribution.record_file() && !is_compiled {
            lists.entry(path).or_default().push(Listed { distribution, hash, size, written, script: None });
        }
    }
    lists.entry(distribution.record_file()).or_default().push(Listed {
        distribution,
        hash: String::new(),
        size: None,
        written,
        script: None,
    });
    for file in wheel.into_iter().flat_map(|(wheel, _)| wheel.files) {
        let WheelFile { path, hash, size, script } = file;
        lists.entry(path).or_default().push(Listed { distribution, hash, size, written, script });
    }
    Ok(())
}

/// Returns what is different in a file, and its size in bytes.
fn compare(
    path: &Utf8Path,
    listed: &[Listed<'_>],
    comparison: Comparison,
    buffer: &mut [u8],
) -> (Option<FileDifferenceKind>, u64) {
    let file = match fs::metadata(path) {
        Ok(file) if file.is_file() => file,
        // Opening something else, such as a FIFO, could block.
        Ok(_) => return (Some(FileDifferenceKind::Changed), 0),
        Err(_) => return (Some(FileDifferenceKind::Missing), 0),
    };
    let mut difference = Some(FileDifferenceKind::Changed);
    for one in listed {
        match one.is(path, &file, comparison, buffer) {
            Some(true) => return (None, file.len()),
            Some(false) => {}
            None => difference = Some(FileDifferenceKind::Unverifiable),
        }
    }
    (difference, file.len())
}

impl Listed<'_> {
    /// Whether the file is as listed; `None` if its hash is of an unknown kind.
    fn is(&self, path: &Utf8Path, file: &Metadata, comparison: Comparison, buffer: &mut [u8]) -> Option<bool> {
        if let Some(rest) = &self.script {
            return Some(fs::read(path).is_ok_and(|found| is_rewritten(&found, rest, path)));
        }
        if self.size.is_some_and(|size| size != file.len()) {
            return Some(false);
        }
        let is_older = || file.modified().ok().zip(self.written).is_some_and(|(file, list)| file <= list);
        if self.hash.is_empty() || (comparison == Comparison::SizesAndTimes && self.size.is_some() && is_older()) {
            return Some(true);
        }
        let (algorithm, expected) = self.hash.split_once('=')?;
        let found = match algorithm {
            "sha256" => hash_of::<Sha256>(path, buffer),
            "sha384" => hash_of::<Sha384>(path, buffer),
            "sha512" => hash_of::<Sha512>(path, buffer),
            _ => return None,
        };
        // A file that cannot be read cannot be verified either.
        found.ok().map(|found| found == expected.trim_end_matches('='))
    }
}

/// Returns the hash of a file as RECORD has it: in the URL-safe alphabet of base64, without padding.
fn hash_of<D: Digest>(path: &Utf8Path, buffer: &mut [u8]) -> io::Result<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(hash_file::<D>(path, buffer)?.0))
}

/// Searches for files that no distribution lists.
struct Added<'a> {
    environment: &'a Environment,
    lists: &'a Lists<'a>,
    found: BTreeSet<Utf8PathBuf>,
}

impl Added<'_> {
    fn search(&mut self, directory: &Utf8Path) -> io::Result<()> {
        let is_cache = directory.file_name() == Some("__pycache__");
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let path = match Utf8PathBuf::from_path_buf(entry.path()) {
                Ok(path) => path,
                // No list can contain it.
                Err(path) => {
                    self.found.insert(path.to_string_lossy().into_owned().into());
                    continue;
                }
            };
            // Python takes compiled files there only for source files, which are compared.
            let is_compiled = || is_cache && path.extension() == Some("pyc");
            if entry.file_type()?.is_dir() {
                self.search(&path)?;
            } else if !(self.lists.contains_key(&path) || is_compiled() || self.environment.is_new_file(&path)) {
                self.found.insert(path);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// An environment with the distribution `one`, whose RECORD has these rows.
    fn environment(rows: &str) -> (tempfile::TempDir, Environment) {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap().canonicalize_utf8().unwrap();
        let (library, scripts) =
            if cfg!(windows) { ("Lib/site-packages", "Scripts") } else { ("lib/python3.11/site-packages", "bin") };
        let site_packages = root.join(library);
        fs::create_dir_all(site_packages.join("one-1.dist-info")).unwrap();
        fs::create_dir_all(root.join(scripts)).unwrap();
        fs::write(site_packages.join("one.py"), "abc").unwrap();
        fs::write(site_packages.join("one-1.dist-info/RECORD"), rows).unwrap();
        (directory, Environment::new(root))
    }

    fn differences(environment: &Environment, comparison: Comparison) -> Vec<(String, FileDifferenceKind)> {
        let distributions = Distributions::read(environment).unwrap();
        let integrity = Integrity::check(environment, &distributions, &BTreeMap::new(), comparison).unwrap();
        let name = |path: &Utf8Path| path.file_name().unwrap().to_owned();
        integrity.differences.into_iter().map(|one| (name(&one.path), one.kind)).collect()
    }

    /// The hash of `abc` (FIPS 180-2, appendix B.1).
    const ABC: &str = "sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";

    #[test]
    fn compares_hashes_and_sizes() {
        use FileDifferenceKind::{Changed, Missing, Unverifiable};
        let found = |row: &str| differences(&environment(row).1, Comparison::Hashes);
        let none: [(String, FileDifferenceKind); 0] = [];
        for row in [format!("one.py,{ABC},3"), format!("one.py,{ABC}=,"), "one.py,,".to_owned(), "one.py".to_owned()] {
            let row = format!("{row}\none-1.dist-info/RECORD,,\n__pycache__/one.cpython-311.pyc,,\n");
            assert_eq!(found(&row), none, "{row}");
        }
        assert_eq!(found("one.py,sha256=AAAA,3\n"), [("one.py".to_owned(), Changed)]);
        assert_eq!(found(&format!("one.py,{ABC},4\n")), [("one.py".to_owned(), Changed)]);
        assert_eq!(found("one.py,md5=AAAA,3\n"), [("one.py".to_owned(), Unverifiable)]);
        assert_eq!(found(&format!("one.py,{ABC},3\n\"a,b.py\",,\n")), [("a,b.py".to_owned(), Missing)]);
    }

    #[test]
    fn finds_files_that_are_not_listed() {
        let (_directory, environment) = environment(&format!("one.py,{ABC},3\n"));
        let site_packages = environment.site_packages().unwrap();
        fs::create_dir(site_packages.join("__pycache__")).unwrap();
        for name in ["__pycache__/one.cpython-311.pyc", "__pycache__/more", "bare.pyc", "x.pth", "_virtualenv.pth"] {
            fs::write(site_packages.join(name), "").unwrap();
        }
        for name in ["activate", "python3.11", "tool"] {
            fs::write(environment.scripts().join(name), "").unwrap();
        }
        let found = differences(&environment, Comparison::Hashes);
        let mut names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["bare.pyc", "more", "tool", "x.pth"]);
    }

    #[test]
    fn trusts_older_files_of_the_same_size_if_asked() {
        let (_directory, environment) = environment("one.py,sha256=AAAA,3\n");
        let touch = |name: &str, time| {
            let file = File::options().append(true).open(environment.site_packages().unwrap().join(name)).unwrap();
            file.set_modified(time).unwrap();
        };
        let now = SystemTime::now();
        touch("one-1.dist-info/RECORD", now);
        touch("one.py", now - Duration::from_secs(10));
        assert_eq!(differences(&environment, Comparison::SizesAndTimes), []);
        assert_eq!(differences(&environment, Comparison::Hashes).len(), 1);
        touch("one.py", now + Duration::from_secs(10));
        assert_eq!(differences(&environment, Comparison::SizesAndTimes).len(), 1);
    }
}
