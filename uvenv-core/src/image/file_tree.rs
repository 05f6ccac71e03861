//! The files of a base image: the paths that its layers make up together, without their contents.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use tar::{Archive, Entry, EntryType};

use crate::fs::normal;

/// How many links are followed, as on Linux.
const MOST_LINKS: usize = 40;

/// What comes before the name of a file that a layer removes ([whiteouts]).
///
/// [whiteouts]: https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
pub(super) const WHITEOUT: &str = ".wh.";

/// What makes a directory hide what lower layers have in it.
pub(super) const OPAQUE: &str = ".wh..wh..opq";

/// What comes before the version that the C library of GNU says of itself.
const GLIBC_VERSION: &[u8] = b"stable release version ";

/// A file, by its path without `/` at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Directory,
    File { is_executable: bool },
    Link(Utf8PathBuf),
}

/// The files of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileTree {
    nodes: BTreeMap<Utf8PathBuf, Node>,
    /// The version of the C library, if it is that of GNU: `(2, 36)`.
    pub(super) glibc: Option<(u32, u32)>,
}

impl FileTree {
    /// Adds a layer, which is not compressed.
    pub(super) fn add_layer(&mut self, layer: impl Read) -> io::Result<()> {
        let (mut hidden, mut removed, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for entry in Archive::new(layer).entries()? {
            let mut entry = entry?;
            // uvenv looks for nothing whose path is not Unicode.
            let Some(path) = path_of(&entry) else { continue };
            let name = path.file_name().unwrap_or_default();
            let directory = path.parent().unwrap_or(Utf8Path::new(""));
            if name == OPAQUE {
                hidden.push(directory.to_owned());
            } else if let Some(name) = name.strip_prefix(WHITEOUT) {
                removed.push(directory.join(name));
            } else if let Some(node) = node_of(&entry) {
                if is_c_library(&path) && entry.header().entry_type() == EntryType::Regular {
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content)?;
                    self.glibc = glibc_version(&content).or(self.glibc);
                }
                added.push((path, node));
            }
        }
        // What is removed is that of lower layers, wherever it is said.
        for directory in hidden {
            self.remove_in(&self.real_place_of(&directory));
        }
        for path in removed {
            let path = self.real_place_of(&path);
            self.remove_in(&path);
            self.nodes.remove(&path);
        }
        for (path, node) in added {
            let path = self.real_place_of(&path);
            if node != Node::Directory && self.nodes.get(&path) == Some(&Node::Directory) {
                self.remove_in(&path);
            }
            self.nodes.insert(path, node);
        }
        Ok(())
    }

    /// Returns where a layer puts a file: the links in its directories are followed, and it replaces one with its name.
    fn real_place_of(&self, path: &Utf8Path) -> Utf8PathBuf {
        match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) if !parent.as_str().is_empty() => self.place_of(parent).join(name),
            _ => path.to_owned(),
        }
    }

    /// Returns the path of an existing file or directory, with all links resolved.
    pub(super) fn resolve(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        let mut left: Vec<String> = names(path);
        left.reverse();
        let mut real = Utf8PathBuf::new();
        let mut links = 0;
        while let Some(name) = left.pop() {
            if name == ".." {
                real.pop();
                continue;
            }
            let next = real.join(&name);
            match self.nodes.get(&next) {
                Some(Node::Link(target)) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return None;
                    }
                    if target.is_absolute() {
                        real = Utf8PathBuf::new();
                    }
                    left.extend(names(target).into_iter().rev());
                }
                Some(_) => real = next,
                None if self.has_in(&next) => real = next,
                None => return None,
            }
        }
        Some(real)
    }

    /// Returns where `path` is once it exists: with the links in those of its directories that exist resolved.
    pub(super) fn place_of(&self, path: &Utf8Path) -> Utf8PathBuf {
        let whole: Utf8PathBuf = names(path).into_iter().collect();
        let existing = whole.ancestors().find_map(|parent| Some((self.resolve(parent)?, parent)));
        match existing {
            Some((real, parent)) => real.join(whole.strip_prefix(parent).unwrap_or(&whole)),
            None => whole,
        }
    }

    /// Returns the path of an existing program, with all links resolved.
    pub(super) fn program(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        self.resolve(path).filter(|real| self.nodes.get(real) == Some(&Node::File { is_executable: true }))
    }

    /// Whether there is a directory at a path, not a link to one.
    pub(super) fn is_directory(&self, path: &Utf8Path) -> bool {
        self.nodes.get(path).map_or_else(|| self.has_in(path), |node| *node == Node::Directory)
    }

    /// Whether there is a file at a path.
    pub(super) fn is_file(&self, path: &Utf8Path) -> bool {
        matches!(self.nodes.get(path), Some(Node::File { .. }))
    }

    /// Returns the names in a directory, in order.
    pub(super) fn names_in(&self, directory: &Utf8Path) -> Vec<&str> {
        let Some(real) = self.resolve(directory) else { return Vec::new() };
        let inside = self.nodes.keys().filter(|path| path.parent() == Some(&real));
        inside.filter_map(|path| path.file_name()).collect()
    }

    /// Whether the directory has something. Some archives have no entries for directories.
    fn has_in(&self, directory: &Utf8Path) -> bool {
        self.nodes.keys().any(|path| path != directory && path.starts_with(directory))
    }

    fn remove_in(&mut self, directory: &Utf8Path) {
        self.nodes.retain(|path, _| path == directory || !path.starts_with(directory));
    }
}

/// Returns the names in a path, with `..` and without `.` and `/`.
fn names(path: &Utf8Path) -> Vec<String> {
    let names = path.components().filter_map(|component| match component {
        Utf8Component::Normal(name) => Some(name.to_owned()),
        Utf8Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    names.collect()
}

fn path_of(entry: &Entry<'_, impl Read>) -> Option<Utf8PathBuf> {
    let path = Utf8PathBuf::from_path_buf(entry.path().ok()?.into_owned()).ok()?;
    let path = normal(&path);
    Some(path.strip_prefix("/").map_or_else(|_| path.clone(), Utf8Path::to_owned))
        .filter(|path| !path.as_str().is_empty())
}

/// Returns the target of a link; an empty path if it is not Unicode.
fn link_of(entry: &Entry<'_, impl Read>) -> Utf8PathBuf {
    let target = entry.link_name().ok().flatten();
    target.and_then(|target| Utf8PathBuf::from_path_buf(target.into_owned()).ok()).unwrap_or_default()
}

/// Returns what an entry is; `None` if it is of no interest, such as a device.
fn node_of(entry: &Entry<'_, impl Read>) -> Option<Node> {
    Some(match entry.header().entry_type() {
        EntryType::Directory => Node::Directory,
        EntryType::Symlink => Node::Link(link_of(entry)),
        EntryType::Regular | EntryType::Link | EntryType::Continuous => {
            Node::File { is_executable: entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0) }
        }
        _ => return None,
    })
}

/// Whether a file is the C library of GNU for this machine by its path: where the loader looks for it. Its name had its
/// version in it up to 2.33.
fn is_c_library(path: &Utf8Path) -> bool {
    let directory = path.parent().map_or("", Utf8Path::as_str);
    let directory = directory.strip_prefix("usr/").unwrap_or(directory);
    let is_of_loader =
        ["lib", "lib64"].contains(&directory) || directory == format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    let name = path.file_name().unwrap_or_default();
    is_of_loader && is_c_library_name(name)
}

fn is_c_library_name(name: &str) -> bool {
    name == "libc.so.6" || name.strip_prefix("libc-2.").is_some_and(|rest| rest.strip_suffix(".so").is_some())
}

/// Returns the version that the C library of GNU prints when it is run, without running it.
fn glibc_version(library: &[u8]) -> Option<(u32, u32)> {
    let at = library.windows(GLIBC_VERSION.len()).position(|window| window == GLIBC_VERSION)? + GLIBC_VERSION.len();
    let text: String =
        library[at..].iter().map(|byte| char::from(*byte)).take_while(|c| *c != ',' && *c != '\n').collect();
    let mut numbers = text.trim_end_matches('.').split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a/` is a directory, `a -> b` a link, and everything else a file.
    fn layer(entries: &[&str]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for entry in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            header.set_mode(if entry.contains("python") { 0o755 } else { 0o644 });
            if let Some((path, target)) = entry.split_once(" -> ") {
                header.set_entry_type(EntryType::Symlink);
                tar.append_link(&mut header, path, target).unwrap();
            } else {
                let is_directory = entry.ends_with('/');
                header.set_entry_type(if is_directory { EntryType::Directory } else { EntryType::Regular });
                tar.append_data(&mut header, entry, io::empty()).unwrap();
            }
        }
        tar.into_inner().unwrap()
    }

    fn tree(layers: &[&[&str]]) -> FileTree {
        let mut tree = FileTree::default();
        for entries in layers {
            tree.add_layer(&*layer(entries)).unwrap();
        }
        tree
    }

    #[test]
    fn follows_links() {
        let tree = tree(&[&[
            "./usr/bin/python3.12",
            "./bin -> usr/bin",
            "./usr/bin/python3 -> python3.12",
            "./usr/local/bin/python -> /bin/python3",
            "./up -> ../../usr",
            "./loop -> loop",
            "./gone -> nothing",
        ]]);
        for path in ["/bin/python3", "usr/local/bin/python", "/up/bin/python3.12", "/usr/../bin/python3"] {
            assert_eq!(tree.program(path.into()), Some("usr/bin/python3.12".into()), "{path}");
        }
        for path in ["/loop", "/gone", "/usr/bin/python3.11", "/bin"] {
            assert_eq!(tree.program(path.into()), None, "{path}");
        }
        assert!(tree.is_directory("usr/bin".into()) && !tree.is_directory("bin".into()));
        assert!(tree.is_file("usr/bin/python3.12".into()) && !tree.is_file("usr/bin/python3".into()));
        assert_eq!(tree.names_in("/bin".into()), ["python3", "python3.12"]);
        assert_eq!(tree.place_of("/bin/new/file".into()), "usr/bin/new/file");
        assert_eq!(tree.place_of("/app".into()), "app");
    }

    #[test]
    fn upper_layers_remove_and_replace() {
        let lower: &[&str] = &["a/one", "a/two", "b/one", "c/", "c/one", "d/one"];
        let upper: &[&str] = &["b/.wh..wh..opq", "b/new", "a/.wh.one", "c", ".wh.d"];
        let tree = tree(&[lower, upper]);
        let has = |path: &str| tree.resolve(path.into()).is_some();
        assert!(has("a/two") && has("b/new") && has("c"));
        assert!(!has("a/one") && !has("b/one") && !has("c/one") && !has("d"));
    }

    #[test]
    fn upper_layers_go_where_links_lead() {
        let tree = tree(&[&["usr/bin/", "bin -> usr/bin", "usr/bin/sh"], &["bin/python3.12", "bin/.wh.sh"]]);
        assert_eq!(tree.program("bin/python3.12".into()), Some("usr/bin/python3.12".into()));
        assert_eq!(tree.resolve("usr/bin/sh".into()), None);
    }

    #[test]
    fn reads_the_version_of_the_c_library() {
        let said = b"\0GNU C Library (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.\nCopyright";
        assert_eq!(glibc_version(said), Some((2, 36)));
        assert_eq!(glibc_version(b"GNU C Library stable release version 2.17, by Roland"), Some((2, 17)));
        assert_eq!(glibc_version(b"musl"), None);
        let is_c_library = |path: &str| is_c_library(path.into());
        assert!(is_c_library("usr/lib64/libc.so.6") && is_c_library("lib/libc-2.31.so"));
        assert!(is_c_library(&format!("usr/lib/{}-linux-gnu/libc.so.6", std::env::consts::ARCH)));
        assert!(!is_c_library("usr/lib32/libc.so.6") && !is_c_library("opt/x/libc.so.6"));
        assert!(!is_c_library("lib/libc.musl-x86_64.so.1"));
    }
}
