//! What uv would install of a lockfile, for any Python and platform: its `export` as `pylock.toml` (PEP 751).

use std::str::FromStr as _;

use camino::{Utf8Path, Utf8PathBuf};
use pep508_rs::MarkerTree;
use percent_encoding::percent_decode_str;

use crate::{
    Name,
    lockfile::LockfileError,
    toml::{Element, File, Node, TomlError},
};

/// A package of an export.
#[derive(Clone, Debug)]
pub(crate) struct ExportedPackage {
    pub(crate) name: Name,
    pub(crate) version: Option<String>,
    /// Where it is installed; everywhere if none.
    pub(crate) marker: Option<MarkerTree>,
    pub(crate) source: ExportedSource,
}

/// Where a package of an export comes from.
#[derive(Clone, Debug)]
pub(crate) enum ExportedSource {
    /// Archives of a package index, or one that is named by itself.
    Archives {
        wheels: Vec<Archive>,
        sdist: Option<Archive>,
    },
    Git {
        url: String,
        requested: Option<String>,
        commit: String,
        subdirectory: Option<String>,
    },
    Directory(String),
}

/// A wheel or a source distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    pub(crate) file: String,
    pub(crate) location: Location,
    pub(crate) size: Option<u64>,
    /// The algorithm and the hexadecimal digits, the strongest first.
    pub(crate) hashes: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Url(String),
    /// As the export has it, and where that is.
    Path(String, Utf8PathBuf),
}

impl Location {
    /// As the lockfile has it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Url(text) | Self::Path(text, _) => text,
        }
    }
}

/// Reads `text`, which uv has exported; paths in it are seen from `directory`.
pub(crate) fn read_export(text: &str, directory: &Utf8Path) -> Result<Vec<ExportedPackage>, LockfileError> {
    let file = File { path: "pylock.toml".into(), text: text.into() };
    let document = file.parse().map_err(LockfileError::Toml)?;
    let Some(packages) = Node::root(&file, &document).get("packages")? else { return Ok(Vec::new()) };
    packages.elements()?.iter().map(|package| read_package(package, directory)).collect()
}

fn read_package(package: &Element<'_>, directory: &Utf8Path) -> Result<ExportedPackage, LockfileError> {
    let damaged = |message: &str| LockfileError::Damaged { message: message.to_owned(), place: package.place() };
    let name = package.get("name")?.ok_or_else(|| damaged("a package has no name"))?.name()?;
    let text = |key| Ok::<_, TomlError>(package.get_string(key)?.map(|text| text.value));
    let marker = text("marker")?.map(|marker| MarkerTree::from_str(&marker));
    let marker = marker.transpose().map_err(|error| damaged(&format!("a marker cannot be read: {error}")))?;
    let source = read_source(package, directory)?.ok_or_else(|| damaged("a package has no source"))?;
    Ok(ExportedPackage { name, version: text("version")?, marker, source })
}

fn read_source(package: &Element<'_>, directory: &Utf8Path) -> Result<Option<ExportedSource>, LockfileError> {
    if let Some(vcs) = package.get("vcs")? {
        let text =
            |key| Ok::<_, TomlError>(vcs.get(key)?.map(|node| node.string()).transpose()?.map(|text| text.value));
        // PEP 751 lets a repository be named by a path as well.
        let (Some(url), Some(commit)) = (text("url")?.or(text("path")?), text("commit-id")?) else { return Ok(None) };
        let (requested, subdirectory) = (text("requested-revision")?, text("subdirectory")?);
        return Ok(Some(ExportedSource::Git { url, requested, commit, subdirectory }));
    }
    if let Some(local) = package.get("directory")? {
        let path = local.get("path")?.map(|path| path.string()).transpose()?;
        return Ok(path.map(|path| ExportedSource::Directory(path.value)));
    }
    if let Some(archive) = package.get("archive")? {
        let archive = archive.as_element().map(|archive| read_archive(&archive, directory)).transpose()?.flatten();
        return Ok(archive.map(|archive| {
            let is_wheel = Utf8Path::new(&archive.file).extension() == Some("whl");
            let (wheels, sdist) = if is_wheel { (vec![archive], None) } else { (Vec::new(), Some(archive)) };
            ExportedSource::Archives { wheels, sdist }
        }));
    }
    let mut wheels = Vec::new();
    if let Some(list) = package.get("wheels")? {
        for wheel in list.elements()? {
            wheels.extend(read_archive(&wheel, directory)?);
        }
    }
    let sdist = package.get("sdist")?.and_then(|sdist| sdist.as_element());
    let sdist = sdist.map(|sdist| read_archive(&sdist, directory)).transpose()?.flatten();
    Ok((!wheels.is_empty() || sdist.is_some()).then_some(ExportedSource::Archives { wheels, sdist }))
}

fn read_archive(archive: &Element<'_>, directory: &Utf8Path) -> Result<Option<Archive>, TomlError> {
    let text = |key| Ok::<_, TomlError>(archive.get_string(key)?.map(|text| text.value));
    let location = match (text("url")?, text("path")?) {
        (Some(url), _) => Location::Url(url),
        (None, Some(path)) => Location::Path(path.clone(), directory.join(path)),
        (None, None) => return Ok(None),
    };
    let named = || {
        let last = location.text().split(['?', '#']).next()?.rsplit(['/', '\\']).next()?;
        Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
    };
    let Some(file) = text("name")?.or_else(named) else { return Ok(None) };
    let mut hashes = Vec::new();
    if let Some(table) = archive.get("hashes")? {
        for (algorithm, hash) in table.entries()? {
            hashes.push((algorithm.to_owned(), hash.string()?.value));
        }
    }
    // `sha512`, `sha384`, `sha256`, and then what is weaker.
    hashes.sort_by(|one, other| other.cmp(one));
    let size = archive.get("size")?.and_then(|size| size.as_integer()).and_then(|size| size.try_into().ok());
    Ok(Some(Archive { file, location, size, hashes }))
}
