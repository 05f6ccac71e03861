//! `vendor.json`: what is in a vendored directory, where it is from, and what of it is installed where.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Target, VendorError};
use crate::{Name, checksum, cores, error::Place, file, monorepo::Profile};

/// The file name of a vendored manifest.
pub(crate) const FILE_NAME: &str = "vendor.json";

/// Where in a vendored directory the wheels are.
pub(crate) const WHEELS: &str = "wheels";

/// Where the wheels of uv itself are.
pub(crate) const UV: &str = "uv";

/// The version of the format.
const VERSION: u32 = 1;

/// So many files are hashed by one core.
const FEW: usize = 2;

/// What is in a vendored directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VendorManifest {
    version: u32,
    /// The profile.
    pub(crate) profile: Profile,
    /// The backend.
    pub(crate) backend: Option<Name>,
    /// The flags with which uv selects what is installed.
    pub(crate) selection: Vec<String>,
    /// The SHA-256 of the lockfile.
    pub(crate) lockfile: String,
    /// What is installed where.
    pub(crate) environments: Vec<VendoredEnvironment>,
    /// The wheels, by file name.
    pub(crate) wheels: Vec<VendoredWheel>,
    /// Wheels of uv itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) uv: Vec<VendoredFile>,
}

/// An environment that can be made from a vendored directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VendoredEnvironment {
    #[serde(flatten)]
    pub(crate) target: Target,
    /// The file names of the wheels.
    pub(crate) wheels: Vec<String>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VendoredFile {
    pub(crate) file: String,
    /// In hexadecimal digits.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// A wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VendoredWheel {
    pub(crate) name: Name,
    pub(crate) version: String,
    #[serde(flatten)]
    pub(crate) file: VendoredFile,
    pub(crate) source: Origin,
}

/// Where a wheel is from. URLs are those of the lockfile, which has no secrets in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Origin {
    /// It is as the lockfile names it.
    Wheel { url: String },
    /// It was built from this source distribution.
    Sdist { url: String, sha256: String },
    /// It was built from this commit.
    Git {
        url: String,
        /// The tag, branch or revision that the manifest asks for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requested: Option<String>,
        commit: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subdirectory: Option<String>,
    },
}

impl VendorManifest {
    pub(crate) fn new(profile: Profile, backend: Option<Name>, selection: Vec<String>, lockfile: String) -> Self {
        let (environments, wheels, uv) = (Vec::new(), Vec::new(), Vec::new());
        Self { version: VERSION, profile, backend, selection, lockfile, environments, wheels, uv }
    }

    /// The manifest of `directory`; `None` where it has none.
    pub(crate) fn find(directory: &Utf8Path) -> Result<Option<Self>, VendorError> {
        let path = directory.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(VendorError::unusable(&path)(source)),
        };
        Self::parse(&path, &text).map(Some)
    }

    /// The manifest of `directory`, which must have one.
    pub(crate) fn read(directory: &Utf8Path) -> Result<Self, VendorError> {
        let missing = || VendorError::NoManifest { directory: directory.to_owned() };
        Self::find(directory)?.ok_or_else(missing)
    }

    fn parse(path: &Utf8Path, text: &str) -> Result<Self, VendorError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let damaged = |error: &serde_json::Error| {
            let start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let at = start + error.column().saturating_sub(1);
            let message = error.to_string();
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned();
            VendorError::Damaged { message, place: Place::new(path, text.into(), at..at) }
        };
        // The version first: a newer one must be called that, whatever else is new about it.
        let Versioned { version } = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        if version > VERSION {
            return Err(VendorError::Newer { path: path.to_owned(), version });
        }
        let manifest: Self = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        manifest
            .check_names()
            .map_err(|message| VendorError::Damaged { message, place: Place::new(path, text.into(), 0..0) })?;
        Ok(manifest)
    }

    /// A file name is no path: nothing outside of the directory is read or removed.
    fn check_names(&self) -> Result<(), String> {
        let is_plain = |file: &str| Utf8Path::new(file).file_name() == Some(file) && !file.contains('\\');
        let files = self.wheels.iter().map(|wheel| &wheel.file).chain(&self.uv).map(|file| &file.file);
        let listed = self.environments.iter().flat_map(|environment| &environment.wheels);
        if let Some(file) = files.chain(listed.clone()).find(|file| !is_plain(file)) {
            return Err(format!("`{file}` is no file name"));
        }
        match listed.clone().find(|file| self.wheel(file).is_none()) {
            Some(file) => Err(format!("`{file}` is to be installed, and not among the wheels")),
            None => Ok(()),
        }
    }

    pub(crate) fn write(&self, directory: &Utf8Path) -> Result<(), VendorError> {
        let path = directory.join(FILE_NAME);
        let failed = |error: io::Error| VendorError::unusable(&path)(error);
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        file::replace(&path, text + "\n").map_err(failed)
    }

    pub(crate) fn wheel(&self, file: &str) -> Option<&VendoredWheel> {
        self.wheels.iter().find(|wheel| wheel.file.file == file)
    }

    /// What is installed on a machine and a Python like `host`: of several, what was made for the newest.
    pub(crate) fn environment_for(&self, host: &Target) -> Option<&VendoredEnvironment> {
        let fitting = self.environments.iter().filter(|environment| environment.target.runs_on(host));
        fitting.max_by_key(|environment| &environment.target.platform)
    }

    /// All that it is for.
    pub(crate) fn targets(&self) -> String {
        let targets = self.environments.iter().map(|environment| environment.target.to_string());
        targets.collect::<Vec<_>>().join(" and ")
    }

    /// The wheels of an environment.
    pub(crate) fn wheels_of<'a>(
        &'a self,
        environment: &'a VendoredEnvironment,
    ) -> impl Iterator<Item = &'a VendoredWheel> {
        environment.wheels.iter().filter_map(|file| self.wheel(file))
    }
}

/// What has become of files of `directory`: the name of each that is not what it was, and how.
pub(crate) fn altered<'a>(
    directory: &Utf8Path,
    files: impl Iterator<Item = &'a VendoredFile>,
) -> Vec<(Utf8PathBuf, &'static str)> {
    let mut files: Vec<_> = files.collect();
    let parts = cores::in_parts(&mut files, FEW, |files| {
        files
            .iter()
            .filter_map(|file| Some((directory.join(&file.file), file.alteration(directory)?)))
            .collect::<Vec<_>>()
    });
    parts.concat()
}

impl VendoredFile {
    /// The file of this name in `directory`, as it is now.
    pub(crate) fn of(directory: &Utf8Path, file: &str) -> Result<Self, VendorError> {
        let path = directory.join(file);
        let sha256 = checksum::sha256(&path).map_err(VendorError::unusable(&path))?;
        let size = fs::metadata(&path).map_err(VendorError::unusable(&path))?.len();
        Ok(Self { file: file.to_owned(), sha256, size })
    }

    pub(crate) fn alteration(&self, directory: &Utf8Path) -> Option<&'static str> {
        let path = directory.join(&self.file);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some("is missing"),
            Err(_) => return Some("cannot be read"),
            Ok(metadata) if metadata.len() != self.size => return Some("was changed"),
            Ok(_) => {}
        }
        match checksum::sha256(&path) {
            Ok(found) if found == self.sha256 => None,
            Ok(_) => Some("was changed"),
            Err(_) => Some("cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnostic;

    fn parse(text: &str) -> Result<VendorManifest, VendorError> {
        VendorManifest::parse("out/vendor.json".into(), text)
    }

    #[test]
    fn what_was_written_is_read() {
        let text = r#"{"version": 1, "profile": "prod", "backend": "cu124", "selection": ["--extra=cu124"], "lockfile": "00",
            "environments": [{"python": "3.12", "platform": "x86_64-manylinux_2_28", "wheels": ["a-1-py3-none-any.whl"]}],
            "wheels": [{"name": "a", "version": "1", "file": "a-1-py3-none-any.whl", "sha256": "ab", "size": 3,
                        "source": {"kind": "git", "url": "https://h.example.com/a.git", "requested": "v1", "commit": "01"}}]}"#;
        let manifest = parse(text).unwrap();
        assert_eq!(manifest.environments[0].target.to_string(), "Python 3.12 on x86_64-manylinux_2_28");
        assert_eq!(manifest.wheels_of(&manifest.environments[0]).count(), 1);
        let again = serde_json::to_string(&manifest).unwrap();
        assert_eq!(parse(&again).unwrap(), manifest);
        for (from, to, expected) in [
            ("\"version\": 1,", "\"version\": 2,", "vendor-manifest"),
            ("\"selection\": [\"--extra=cu124\"]", "\"selection\": 3", "vendor-manifest"),
            ("\"3.12\"", "\"2.7\"", "vendor-manifest"),
            ("[\"a-1-py3-none-any.whl\"]", "[\"b-1-py3-none-any.whl\"]", "vendor-manifest"),
            ("\"file\": \"a-1-py3-none-any.whl\"", "\"file\": \"../a\"", "vendor-manifest"),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(parse(&text.replace(from, to)).unwrap_err().code(), expected, "{to}");
        }
        let error = parse("{\n  \"version\": 1,\n  \"profile\": 3\n}\n").unwrap_err();
        assert_eq!(error.place().map(Place::line), Some(3));
    }
}
