//! The files of an environment, for a copy of it elsewhere.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Environment, MARKS_OF_USE, layout::is_script_of_new_environment};

/// A file of an environment, by its path here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EnvironmentFile {
    /// `pyvenv.cfg`, which names the base interpreter.
    Configuration(Utf8PathBuf),
    /// The link to the base interpreter.
    Interpreter(Utf8PathBuf),
    /// A script that activates the environment, and may contain its path.
    Activation(Utf8PathBuf),
    /// A link within the environment, with its target.
    Link(Utf8PathBuf, String),
    /// What was installed.
    Installed(Utf8PathBuf),
}

impl EnvironmentFile {
    pub(crate) fn path(&self) -> &Utf8Path {
        match self {
            Self::Configuration(path)
            | Self::Interpreter(path)
            | Self::Activation(path)
            | Self::Link(path, _)
            | Self::Installed(path) => path,
        }
    }
}

impl Environment {
    /// Returns the files that a copy needs, in order of their paths: all but compiled files and what is known of its use.
    pub(crate) fn files(&self) -> crate::Result<Vec<EnvironmentFile>> {
        let mut files = Vec::new();
        self.add_files(&self.root, &mut files)?;
        files.sort_by(|one, other| one.path().cmp(other.path()));
        Ok(files)
    }

    fn add_files(&self, directory: &Utf8Path, files: &mut Vec<EnvironmentFile>) -> crate::Result<()> {
        for entry in directory.read_dir_utf8().map_err(self.unreadable(directory))? {
            let entry = entry.map_err(self.unreadable(directory))?;
            let kind = entry.file_type().map_err(self.unreadable(entry.path()))?;
            let (path, name) = (entry.path(), entry.file_name());
            if name == "__pycache__" || (directory == self.root && MARKS_OF_USE.contains(&name)) {
                continue;
            }
            if kind.is_dir() {
                self.add_files(path, files)?;
            } else {
                files.push(self.file(path, kind.is_symlink())?);
            }
        }
        Ok(())
    }

    fn file(&self, path: &Utf8Path, is_link: bool) -> crate::Result<EnvironmentFile> {
        let owned = path.to_owned();
        let is_script = path.parent() == Some(&self.scripts());
        let is_new = is_script && path.file_name().is_some_and(is_script_of_new_environment);
        if is_link {
            let target = fs::read_link(path).map_err(self.unreadable(path))?;
            return Ok(match target.to_str() {
                Some(target) if !target.starts_with('/') => EnvironmentFile::Link(owned, target.to_owned()),
                _ if is_new => EnvironmentFile::Interpreter(owned),
                // A link to a cache: what it leads to was installed.
                _ => EnvironmentFile::Installed(owned),
            });
        }
        Ok(match path.file_name() {
            Some("pyvenv.cfg") if path.parent() == Some(&self.root) => EnvironmentFile::Configuration(owned),
            _ if is_new => EnvironmentFile::Activation(owned),
            _ => EnvironmentFile::Installed(owned),
        })
    }
}
