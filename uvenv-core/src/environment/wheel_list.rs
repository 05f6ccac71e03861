//! The files of a wheel, as its own RECORD has them, and where an installation puts them.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use zip::ZipArchive;

use super::Environment;
use crate::fs::normal;

/// A row of RECORD: `path,sha256=HASH,size`.
#[derive(Deserialize)]
pub(super) struct Row(pub(super) String, #[serde(default)] pub(super) String, #[serde(default)] pub(super) Option<u64>);

/// The files of a wheel.
#[derive(Debug)]
pub(super) struct WheelList {
    pub(super) files: Vec<WheelFile>,
    /// The names of the programs that the installation makes from `entry_points.txt`.
    entry_points: BTreeSet<String>,
    /// Whether it has headers, whose directory depends on the interpreter.
    has_headers: bool,
}

/// A file of a wheel.
#[derive(Debug)]
pub(super) struct WheelFile {
    /// Where it is installed.
    pub(super) path: Utf8PathBuf,
    /// `ALGORITHM=HASH`.
    pub(super) hash: String,
    pub(super) size: Option<u64>,
    /// What follows the first line of a script, which is rewritten.
    pub(super) script: Option<Vec<u8>>,
}

impl WheelList {
    /// Reads the wheel at `wheel`, which is installed in `environment`.
    pub(super) fn read(wheel: &Utf8Path, environment: &Environment) -> io::Result<Self> {
        let mut archive = ZipArchive::new(File::open(wheel)?).map_err(io::Error::other)?;
        let names: Vec<_> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        let in_info = |file: &str| names.iter().find(|name| is_in_info(name, file)).cloned();
        let record = in_info("RECORD").ok_or_else(|| io::Error::other("it has no RECORD"))?;
        let text = read(&mut archive, &record)?;
        let entry_points = match in_info("entry_points.txt") {
            Some(name) => entry_points(&String::from_utf8_lossy(&read(&mut archive, &name)?)),
            None => BTreeSet::new(),
        };
        let mut files = Vec::new();
        let mut has_headers = false;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&*text);
        for row in reader.deserialize() {
            let Row(name, hash, size) = row.map_err(io::Error::other)?;
            if name == record {
                continue;
            }
            has_headers |= in_data(&name).is_some_and(|(scheme, _)| scheme == "headers");
            let Some(path) = place(&name, environment) else { continue };
            let script = if is_script(&name) { script(&read(&mut archive, &name)?) } else { None };
            files.push(WheelFile { path, hash, size, script });
        }
        Ok(Self { files, entry_points, has_headers })
    }

    /// Whether the installation decides about a file at `path`: a program, a header, or one of its own in the `dist-info`
    /// directory.
    pub(super) fn is_of_installer(&self, path: &Utf8Path, environment: &Environment) -> bool {
        const OWN: [&str; 6] =
            ["INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"];
        let name = path.file_name().unwrap_or_default();
        let parent = path.parent().unwrap_or(path);
        if parent == environment.scripts() {
            return self.entry_points.contains(name.strip_suffix(".exe").unwrap_or(name));
        }
        if self.has_headers && path.starts_with(environment.root().join("include")) {
            return true;
        }
        parent.extension() == Some("dist-info") && OWN.contains(&name)
    }
}

/// Whether the content `found` of the script at `path` has `rest` after what an installation writes in place of its first
/// line: one line, or three if the path is too long for one, with the path of the environment's interpreter, which is beside
/// the script.
pub(super) fn is_rewritten(found: &[u8], rest: &[u8], path: &Utf8Path) -> bool {
    let real = |path: &Utf8Path| path.parent().and_then(|parent| parent.canonicalize_utf8().ok());
    let is_beside = |interpreter: &[u8]| {
        let interpreter = std::str::from_utf8(interpreter).unwrap_or_default().trim();
        real(path).is_some_and(|directory| real(Utf8Path::new(interpreter)) == Some(directory))
    };
    let Some(start) = found.strip_suffix(rest) else { return false };
    let lines: Vec<_> = start.split_inclusive(|byte| *byte == b'\n').collect();
    match lines.as_slice() {
        [first] => first.strip_prefix(b"#!").is_some_and(is_beside),
        [b"#!/bin/sh\n", second, b"' '''\n"] => {
            let end = b" \"$0\" \"$@\"\n";
            let interpreter = second.strip_prefix(b"'''exec' ").and_then(|rest| rest.strip_suffix(end));
            interpreter.is_some_and(|path| is_beside(unquoted(path)))
        }
        _ => false,
    }
}

/// Removes the quotes of a shell around a path.
fn unquoted(path: &[u8]) -> &[u8] {
    path.strip_prefix(b"'").and_then(|path| path.strip_suffix(b"'")).unwrap_or(path)
}

fn read(archive: &mut ZipArchive<File>, name: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    archive.by_name(name).map_err(io::Error::other)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Whether `name` is this file of the wheel's `dist-info` directory.
fn is_in_info(name: &str, file: &str) -> bool {
    name.strip_suffix(file)
        .and_then(|start| start.strip_suffix(".dist-info/"))
        .is_some_and(|start| !start.contains('/'))
}

/// Splits the name of a file that belongs elsewhere than in `site-packages`: `NAME-VERSION.data/SCHEME/REST`.
fn in_data(name: &str) -> Option<(&str, &str)> {
    let (directory, rest) = name.split_once('/')?;
    directory.strip_suffix(".data").and_then(|_| rest.split_once('/'))
}

fn is_script(name: &str) -> bool {
    in_data(name).is_some_and(|(scheme, _)| scheme == "scripts")
}

/// Returns where a file is installed; `None` for headers, whose directory depends on the interpreter.
fn place(name: &str, environment: &Environment) -> Option<Utf8PathBuf> {
    let site_packages = environment.site_packages()?;
    let path = match in_data(name) {
        None => site_packages.join(name),
        Some(("purelib" | "platlib", rest)) => site_packages.join(rest),
        Some(("scripts", rest)) => environment.scripts().join(rest),
        Some(("data", rest)) => environment.root().join(rest),
        Some(_) => return None,
    };
    Some(normal(&path)).filter(|path| path.starts_with(environment.root()))
}

/// Returns what follows the first line of a script that is rewritten.
fn script(content: &[u8]) -> Option<Vec<u8>> {
    let is_rewritten = content.starts_with(b"#!python");
    let end = content.iter().position(|byte| *byte == b'\n').map_or(content.len(), |end| end + 1);
    is_rewritten.then(|| content[end..].to_vec())
}

/// Returns the names of the programs in `entry_points.txt`.
fn entry_points(text: &str) -> BTreeSet<String> {
    let mut is_program = false;
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            is_program = matches!(section.trim_end_matches(']').trim(), "console_scripts" | "gui_scripts");
        } else if let (true, Some((name, _))) = (is_program, line.split_once('=')) {
            names.insert(name.trim().to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_rewritten_scripts_from_others() {
        let rest = b"import one\n";
        let directory = tempfile::tempdir().unwrap();
        let script = Utf8Path::from_path(directory.path()).unwrap().join("one");
        let python = script.with_file_name("python");
        for start in [format!("#!{python}\n"), format!("#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n")] {
            assert!(is_rewritten(&[start.as_bytes(), rest].concat(), rest, &script), "{start}");
            let other = start.replace(python.as_str(), "/usr/bin/python");
            assert!(!is_rewritten(&[other.as_bytes(), rest].concat(), rest, &script), "{other}");
        }
        for start in ["", "import evil\n", &format!("#!{python}\nimport evil\n"), "#!/bin/sh\nevil\n' '''\n"] {
            assert!(!is_rewritten(&[start.as_bytes(), rest].concat(), rest, &script), "{start}");
        }
        assert!(!is_rewritten(format!("#!{python}\nimport two\n").as_bytes(), rest, &script));
    }

    #[test]
    fn reads_entry_points() {
        let text = "[console_scripts]\none = a:b\ntwo=c:d [x]\n\n[other]\nthree = e:f\n[ gui_scripts ]\nfour = g:h\n";
        assert_eq!(Vec::from_iter(entry_points(text)), ["four", "one", "two"]);
    }
}
