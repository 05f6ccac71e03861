//! What is actually installed in a virtual environment, according to its files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

/// A virtual environment on disk, which need not exist.
#[derive(Clone, Debug)]
pub struct Environment(Utf8PathBuf);

impl Environment {
    /// The environment in this directory.
    pub fn at(path: impl Into<Utf8PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its directory.
    pub fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// Whether it exists.
    pub fn exists(&self) -> bool {
        self.0.join("pyvenv.cfg").is_file()
    }

    /// Its interpreter.
    pub fn python(&self) -> Utf8PathBuf {
        self.0.join("bin/python")
    }

    /// The installed distributions: normalised name and version.
    pub fn distributions(&self) -> BTreeMap<String, String> {
        self.dist_infos()
            .into_iter()
            .map(|directory| {
                let stem = directory.file_stem().expect("`NAME-VERSION.dist-info`");
                let (name, version) = stem.split_once('-').expect("`NAME-VERSION.dist-info`");
                (name.to_lowercase().replace(['_', '.'], "-"), version.to_owned())
            })
            .collect()
    }

    /// The version of an installed distribution.
    pub fn version(&self, name: &str) -> Option<String> {
        self.distributions().remove(name)
    }

    /// The `direct_url.json` of a distribution that does not come from an index.
    pub fn direct_url(&self, name: &str) -> Option<Value> {
        let prefix = format!("{}-", name.replace('-', "_"));
        let directory = self
            .dist_infos()
            .into_iter()
            .find(|path| path.file_name().is_some_and(|name| name.starts_with(&prefix)))?;
        let text = fs::read_to_string(directory.join("direct_url.json")).ok()?;
        Some(serde_json::from_str(&text).expect("direct_url.json is JSON"))
    }

    /// The commit that a distribution was built from; empty if it did not come from git.
    pub fn commit(&self, name: &str) -> String {
        let url = self.direct_url(name).unwrap_or_default();
        url["vcs_info"]["commit_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Its files.
    pub fn files(&self) -> Files {
        Files::under(&self.0)
    }

    fn dist_infos(&self) -> Vec<Utf8PathBuf> {
        let Some(site_packages) = self.site_packages() else {
            return Vec::new();
        };
        entries(&site_packages).into_iter().filter(|path| path.extension() == Some("dist-info")).collect()
    }

    /// The directory of the installed modules.
    pub fn site_packages(&self) -> Option<Utf8PathBuf> {
        let version = entries(&self.0.join("lib")).into_iter().next()?;
        Some(version.join("site-packages"))
    }
}

fn entries(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = directory.read_dir_utf8() else {
        return Vec::new();
    };
    entries.map(|entry| entry.expect("the directory can be read").into_path()).collect()
}

/// The files under a directory and their contents, but for what differs between two that are equal: compiled bytecode,
/// locks, and the times that uv notes for a local directory and uvenv for all.
#[derive(Clone, PartialEq, Eq)]
pub struct Files(BTreeMap<Utf8PathBuf, Vec<u8>>);

impl Files {
    /// Reads all of them.
    pub fn under(root: &Utf8Path) -> Self {
        let mut files = BTreeMap::new();
        collect(root, root, &mut files);
        Self(files)
    }

    /// All but the file at `path`, relative to the root.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.0.remove(Utf8Path::new(path)).expect("what is left out is there");
        self
    }

    /// Asserts that these and the others are the same, and names those that are not.
    pub fn assert_eq(&self, other: &Self) {
        let of_either: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let mut differing: Vec<_> =
            of_either.into_iter().filter(|path| self.0.get(*path) != other.0.get(*path)).collect();
        let count = differing.len();
        differing.truncate(20);
        assert!(count == 0, "{count} files differ: {differing:#?}");
    }
}

fn collect(root: &Utf8Path, directory: &Utf8Path, files: &mut BTreeMap<Utf8PathBuf, Vec<u8>>) {
    for path in entries(directory) {
        let name = path.file_name().expect("an entry has a name");
        let metadata = fs::symlink_metadata(&path).expect("an entry can be looked at");
        if metadata.is_dir() {
            if name != "__pycache__" && name != ".uvenv-state" {
                collect(root, &path, files);
            }
        } else if !matches!(name, ".lock" | "uv_cache.json") {
            let content = if metadata.is_symlink() {
                path.read_link_utf8().expect("UTF-8").into_string().into_bytes()
            } else if name == "RECORD" {
                without_times(&fs::read_to_string(&path).expect("UTF-8"))
            } else {
                fs::read(&path).expect("the file can be read")
            };
            files.insert(path.strip_prefix(root).expect("inside").to_owned(), content);
        }
    }
}

/// The `RECORD` of a distribution without the hash of the file in which uv stores times.
fn without_times(record: &str) -> Vec<u8> {
    let lines = record.lines().filter(|line| !line.contains("/uv_cache.json,"));
    lines.collect::<Vec<_>>().join("\n").into_bytes()
}
