//! Bundles: a vendored profile in one file that installs itself.
//!
//! The file is a shell script, which takes the launcher out of it, the launcher, and a zip archive, all one after another.
//! A zip archive is read from its end, so that the file as a whole is one. Nothing in it is compressed: wheels are.

mod error;

use std::{
    fs::{self, File},
    io::{self, Read, Seek as _, SeekFrom, Write as _},
};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

pub(crate) use self::error::BundleError;
use crate::{
    model::{Name, Profile},
    vendor::{hash, hash_file},
};

/// The script at the start.
const STUB: &str = include_str!("stub.sh");

/// The file in the archive that says what it is.
const DESCRIPTION: &str = "bundle.json";

const SCHEMA: u32 = 1;

/// What every Linux program begins with.
const ELF: [u8; 4] = *b"\x7fELF";

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    schema: u32,
    pub(crate) profile: Profile,
    pub(crate) backend: Option<Name>,
    /// The hash of the names and the contents of all files.
    pub(crate) digest: String,
    uvenv: String,
}

/// A file that goes into a bundle.
#[derive(Clone, Debug)]
pub(crate) struct BundledFile {
    /// The path in the bundle.
    pub(crate) path: String,
    pub(crate) content: BundledContent,
}

#[derive(Clone, Debug)]
pub(crate) enum BundledContent {
    Text(String),
    File {
        path: Utf8PathBuf,
        /// The hash that it has, in hexadecimal.
        sha256: String,
    },
}

/// A bundle to write.
pub(crate) struct Bundle<'a> {
    pub(crate) profile: Profile,
    pub(crate) backend: Option<&'a Name>,
    /// The program that opens it.
    pub(crate) launcher: &'a Utf8Path,
    pub(crate) files: Vec<BundledFile>,
}

impl Bundle<'_> {
    /// Writes the bundle in place of the file at `path`. Returns what it says of itself, and its size in bytes.
    pub(crate) fn write(&self, path: &Utf8Path) -> Result<(Description, u64), BundleError> {
        let launcher = fs::read(self.launcher).map_err(BundleError::io(self.launcher))?;
        if !launcher.starts_with(&ELF) {
            return Err(BundleError::NoLauncher { launcher: self.launcher.to_owned() });
        }
        let description = self.describe();
        let directory = path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        let write = || -> io::Result<u64> {
            fs::create_dir_all(directory)?;
            let mut file = executable_file(directory)?;
            let stub = |size: u64| stub(size, &launcher);
            file.write_all(stub(0).as_bytes())?;
            file.write_all(&launcher)?;
            let mut zip = ZipWriter::new(&mut file);
            zip.start_file(DESCRIPTION, options())?;
            serde_json::to_writer(&mut zip, &description)?;
            for BundledFile { path, content } in &self.files {
                zip.start_file(path.as_str(), options())?;
                match content {
                    BundledContent::Text(text) => zip.write_all(text.as_bytes())?,
                    BundledContent::File { path, .. } => drop(io::copy(&mut File::open(path)?, &mut zip)?),
                }
            }
            zip.finish()?;
            let size = file.as_file().metadata()?.len();
            file.seek(SeekFrom::Start(0))?;
            file.write_all(stub(size).as_bytes())?;
            file.as_file().sync_data()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(size)
        };
        let size = write().map_err(BundleError::io(path))?;
        Ok((description, size))
    }

    fn describe(&self) -> Description {
        let hash_of = |content: &BundledContent| match content {
            BundledContent::Text(text) => hash(text.as_bytes()),
            BundledContent::File { sha256, .. } => sha256.clone(),
        };
        let files: Vec<_> = self.files.iter().map(|file| (file.path.clone(), hash_of(&file.content))).collect();
        Description {
            schema: SCHEMA,
            profile: self.profile,
            backend: self.backend.cloned(),
            digest: digest(&files),
            uvenv: crate::VERSION.to_owned(),
        }
    }
}

/// Returns the hash of the names and the hashes of files, in order.
fn digest(files: &[(String, String)]) -> String {
    let lines = files.iter().flat_map(|(path, hash)| [path, " ", hash, "\n"]);
    hash(lines.collect::<String>().as_bytes())
}

/// Returns the script. Its length does not depend on the size.
fn stub(size: u64, launcher: &[u8]) -> String {
    let filled = |start: usize| {
        STUB.replace("@SIZE@", &format!("{size:<20}"))
            .replace("@START@", &format!("{:<20}", start + 1))
            .replace("@LENGTH@", &launcher.len().to_string())
            .replace("@SHA256@", &hash(launcher))
    };
    filled(filled(0).len())
}

/// Files are stored with a fixed time and the usual permissions, so that the same files make the same bundle.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644).large_file(true)
}

fn executable_file(directory: &Utf8Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bundle");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempfile_in(directory)
}

/// A bundle that is to be opened.
pub(crate) struct BundleArchive {
    path: Utf8PathBuf,
    archive: ZipArchive<File>,
    pub(crate) description: Description,
}

impl BundleArchive {
    /// Reads what the bundle at `path` says of itself.
    pub(crate) fn open(path: &Utf8Path) -> Result<Self, BundleError> {
        let damaged = |problem: String| BundleError::Damaged { bundle: path.to_owned(), problem };
        let file = File::open(path).map_err(BundleError::io(path))?;
        let mut archive = ZipArchive::new(file).map_err(|error| damaged(error.to_string()))?;
        let mut text = String::new();
        let read =
            archive.by_name(DESCRIPTION).map_err(io::Error::other).and_then(|mut file| file.read_to_string(&mut text));
        read.map_err(|error| damaged(error.to_string()))?;
        let description: Description = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if description.schema != SCHEMA {
            return Err(damaged(format!("it has the format {}, and not {SCHEMA}", description.schema)));
        }
        Ok(Self { path: path.to_owned(), archive, description })
    }

    /// Unpacks all files to `directory`. They must be those that the bundle was made of.
    pub(crate) fn unpack(&mut self, directory: &Utf8Path) -> Result<(), BundleError> {
        let mut files = Vec::new();
        for index in 0..self.archive.len() {
            let damaged =
                |error: &dyn ToString| BundleError::Damaged { bundle: self.path.clone(), problem: error.to_string() };
            let mut file = self.archive.by_index(index).map_err(|error| damaged(&error))?;
            let name = file.name().map_err(|error| damaged(&error))?.into_owned();
            let name = Utf8Path::new(&name);
            if !name.components().all(|part| matches!(part, Utf8Component::Normal(_))) {
                return Err(damaged(&format!("`{name}` is not a path within it")));
            }
            let path = directory.join(name);
            let parent = path.parent().unwrap_or(directory);
            fs::create_dir_all(parent).map_err(BundleError::io(parent))?;
            let mut to = File::create(&path).map_err(BundleError::io(&path))?;
            // The archive has a checksum of each file.
            io::copy(&mut file, &mut to).map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull => BundleError::io(&path)(error),
                _ => damaged(&format!("{name}: {error}")),
            })?;
            if name != DESCRIPTION {
                files.push((name.to_string(), hash_file(&path).map_err(BundleError::io(&path))?.0));
            }
        }
        if digest(&files) != self.description.digest {
            let problem = "it does not have the files that it was made of".to_owned();
            return Err(BundleError::Damaged { bundle: self.path.clone(), problem });
        }
        Ok(())
    }
}
