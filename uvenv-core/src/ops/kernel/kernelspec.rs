//! Jupyter's kernelspecs: where they are, and which of them belong to uvenv.
//!
//! A kernelspec is a directory that contains a `kernel.json`; the name of the directory is the name of the kernel. The
//! search path and its order follow `jupyter_core.paths` and Jupyter's documentation of its common directories. The
//! contents of the file follow `jupyter_client`'s documentation of kernelspecs.

use std::{
    fs, io,
    sync::atomic::{AtomicUsize, Ordering},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    backend::Choice,
    manifest,
    model::{Diagnostic, Fault, Profile, Variables, nearest},
};

const FILE: &str = "kernel.json";

/// The number of kernels that this process has installed.
static INSTALLS: AtomicUsize = AtomicUsize::new(0);

/// The key of `metadata` under which uvenv stores information about its own kernels.
const OURS: &str = "uvenv";

/// An error of installing or removing a kernel.
#[derive(Debug, Error)]
pub(crate) enum JupyterError {
    /// The location of the user's kernels is unknown.
    #[error("cannot find the directory of Jupyter's kernels: the home directory is unknown")]
    NoDirectory,
    /// Jupyter does not accept the name.
    #[error("`{name}` is not a valid kernel name")]
    InvalidName { name: String },
    /// Another kernel has that name.
    #[error("the kernel `{name}` already exists and {owner}: {path}")]
    Exists { name: String, owner: String, path: Utf8PathBuf },
    /// The environment lacks `ipykernel`.
    #[error("the environment `{environment}` has no `ipykernel`")]
    NoIpykernel {
        environment: Utf8PathBuf,
        profile: Profile,
        /// The backend, or `none`; `None` if there are no backends to choose from.
        backend: Option<Choice>,
        /// The directory of the project's manifest, relative to the root; empty for the root itself.
        project: Utf8PathBuf,
    },
    /// A kernel with another backend uses the same environment. Only a warning.
    #[error(
        "the kernels `{name}` ({}) and `{other}` ({}) share `{environment}`: starting one takes the backend away from the \
         other",
        backends[0],
        backends[1]
    )]
    SharedEnvironment { name: String, other: String, environment: Utf8PathBuf, backends: [String; 2] },
    /// There is no kernel with that name.
    #[error("there is no kernel `{name}` in `{directory}`")]
    Unknown { name: String, directory: Utf8PathBuf, available: Vec<String> },
    /// The kernel was not installed by uvenv.
    #[error("the kernel `{name}` was not installed by uvenv: {path}")]
    Foreign { name: String, path: Utf8PathBuf },
    /// A kernelspec cannot be written or removed.
    #[error("{path}: {source}")]
    NotWritable { path: Utf8PathBuf, source: io::Error },
}

impl Diagnostic for JupyterError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoDirectory => "no-jupyter-directory",
            Self::InvalidName { .. } => "invalid-kernel-name",
            Self::Exists { .. } => "kernel-exists",
            Self::NoIpykernel { .. } => "missing-ipykernel",
            Self::SharedEnvironment { .. } => "kernels-share-environment",
            Self::Unknown { .. } => "unknown-kernel",
            Self::Foreign { .. } => "not-a-uvenv-kernel",
            Self::NotWritable { .. } => "kernel-not-writable",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoDirectory => "set `JUPYTER_DATA_DIR`, or choose a directory with `--prefix`".to_owned(),
            Self::InvalidName { .. } => "use letters, digits, `.`, `-` and `_`".to_owned(),
            Self::Exists { .. } => "choose another name with `--name`".to_owned(),
            Self::NoIpykernel { profile, backend, project, .. } => {
                let project = if project.as_str().is_empty() { String::new() } else { format!(" --project {project}") };
                let backend = backend.as_ref().map(|backend| format!(" --backend {backend}")).unwrap_or_default();
                format!(
                    "run `uv add{project} --no-sync --group notebook ipykernel`, then \
                     `cargo uvenv kernel install --profile {profile}{backend} --group notebook`"
                )
            }
            Self::SharedEnvironment { .. } => {
                "set `env-per-backend = true` in uvenv's configuration to run both at the same time".to_owned()
            }
            Self::Unknown { name, available, .. } => match nearest(name, available.iter().map(String::as_str), 3) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`cargo uvenv kernel list` shows uvenv's kernels and their paths".to_owned(),
            },
            Self::Foreign { name, .. } => format!("`jupyter kernelspec remove {name}` removes it"),
            Self::NotWritable { path, .. } => format!("get write permission for `{path}`"),
        })
    }

    fn fault(&self) -> Fault {
        Fault::Request
    }
}

/// The information about a kernel of uvenv, stored in `kernel.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    /// The monorepo's root.
    pub(crate) root: Utf8PathBuf,
    pub(crate) profile: Profile,
    /// The backend, or `none`; `None` if there are no backends to choose from.
    pub(crate) backend: Option<Choice>,
    /// The version of uvenv that wrote it.
    pub(crate) version: String,
}

impl Owner {
    /// Whether its monorepo still exists at this path.
    pub(crate) fn is_there(&self) -> bool {
        self.root.join(manifest::FILE_NAME).is_file()
    }
}

/// A kernelspec.
#[derive(Clone, Debug)]
pub(crate) struct KernelSpec {
    pub(crate) name: String,
    /// Its directory.
    pub(crate) path: Utf8PathBuf,
    pub(crate) display_name: String,
    /// The command that starts the kernel.
    pub(crate) argv: Vec<String>,
    /// The owner; `None` for a kernel that does not belong to uvenv.
    pub(crate) owner: Option<Owner>,
}

/// The format of `kernel.json`.
#[derive(Serialize, Deserialize)]
struct Wire {
    argv: Vec<String>,
    display_name: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// A directory of kernelspecs.
#[derive(Clone, Debug)]
pub(crate) struct Kernels {
    directory: Utf8PathBuf,
}

impl Kernels {
    /// Returns where kernels are installed: below `prefix`, such as an environment that contains Jupyter, or in the
    /// user's directory.
    pub(crate) fn at(prefix: Option<&Utf8Path>, variables: &Variables) -> crate::Result<Self> {
        let data = match prefix {
            Some(prefix) => below(prefix),
            None => user_directory(variables).ok_or(JupyterError::NoDirectory)?,
        };
        Ok(Self { directory: data.join("kernels") })
    }

    /// Returns all directories in which the Jupyter of `variables` searches for kernels. If several kernels have the
    /// same name, the first one is used.
    pub(crate) fn search_path(variables: &Variables) -> Vec<Self> {
        let named = variables.get_os("JUPYTER_PATH").map(std::env::split_paths).into_iter().flatten();
        let named = named.filter_map(|path| Utf8PathBuf::from_path_buf(path).ok());
        // Jupyter checks whether its own Python belongs to an environment. uvenv does not run in that Python, so it
        // goes by the variables.
        let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(|name| variables.get(name));
        let environments = environments.map(|prefix| below(Utf8Path::new(prefix)));
        let directories =
            named.chain(user_directory(variables)).chain(environments).chain(system_directories(variables));
        let mut found: Vec<Utf8PathBuf> = Vec::new();
        for directory in directories.map(|data| data.join("kernels")) {
            if !found.contains(&directory) {
                found.push(directory);
            }
        }
        found.into_iter().map(|directory| Self { directory }).collect()
    }

    pub(crate) fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// Returns the kernel named `name`. Case is ignored, as in Jupyter.
    pub(crate) fn find(&self, name: &str) -> Option<KernelSpec> {
        self.list().into_iter().find(|kernel| kernel.name.eq_ignore_ascii_case(name))
    }

    /// Returns the kernels, sorted by name. Like Jupyter, it ignores files that cannot be read.
    pub(crate) fn list(&self) -> Vec<KernelSpec> {
        let entries = self.directory.read_dir_utf8().into_iter().flatten();
        let mut kernels: Vec<_> = entries.filter_map(|entry| KernelSpec::read(entry.ok()?.into_path())).collect();
        kernels.sort_by(|one, other| one.name.cmp(&other.name));
        kernels
    }

    /// Installs a kernel, replacing one with the same name. It is renamed into place, so that it is never incomplete.
    pub(crate) fn install(&self, kernel: &KernelSpec) -> crate::Result<()> {
        fs::create_dir_all(&self.directory).map_err(not_writable(&self.directory))?;
        // Jupyter skips directories whose names are not valid for kernels. Each install uses its own name, even in
        // threads.
        let number = INSTALLS.fetch_add(1, Ordering::Relaxed);
        let beside = self.directory.join(format!(".~{}-{}-{number}", kernel.name, std::process::id()));
        let done = fs::create_dir_all(&beside)
            .and_then(|()| fs::write(beside.join(FILE), kernel.to_json()))
            .and_then(|()| put_in_place(&beside, &kernel.path));
        if done.is_err() {
            let _ = fs::remove_dir_all(&beside);
        }
        Ok(done.map_err(not_writable(&kernel.path))?)
    }
}

/// Moves the new directory into place. If the kernel exists already, only its file is replaced: unlike a directory, a
/// file can be replaced without ever being missing.
fn put_in_place(new: &Utf8Path, place: &Utf8Path) -> io::Result<()> {
    if place.is_dir() {
        fs::rename(new.join(FILE), place.join(FILE))?;
        return fs::remove_dir(new);
    }
    match fs::rename(new, place) {
        // Another process was faster.
        Err(_) if place.is_dir() => put_in_place(new, place),
        done => done,
    }
}

fn not_writable(path: &Utf8Path) -> impl FnOnce(io::Error) -> JupyterError {
    let path = path.to_owned();
    move |source| JupyterError::NotWritable { path, source }
}

impl KernelSpec {
    /// Creates a kernel of uvenv in `kernels`.
    pub(crate) fn new(
        kernels: &Kernels,
        name: &str,
        display_name: String,
        argv: Vec<String>,
        owner: Owner,
    ) -> crate::Result<Self> {
        if !is_valid(name) {
            return Err(JupyterError::InvalidName { name: name.to_owned() }.into());
        }
        let name = name.to_ascii_lowercase();
        Ok(Self { path: kernels.directory.join(&name), name, display_name, argv, owner: Some(owner) })
    }

    fn read(path: Utf8PathBuf) -> Option<Self> {
        let name = path.file_name().filter(|name| is_valid(name))?.to_owned();
        let mut wire: Wire = serde_json::from_slice(&fs::read(path.join(FILE)).ok()?).ok()?;
        let owner = wire.metadata.remove(OURS).and_then(|value| serde_json::from_value(value).ok());
        Some(Self { name, path, display_name: wire.display_name, argv: wire.argv, owner })
    }

    fn to_json(&self) -> String {
        let owner = self.owner.as_ref().and_then(|owner| serde_json::to_value(owner).ok());
        // ipykernel has a debugger, which JupyterLab offers only if this is set.
        let metadata = [("debugger".to_owned(), Value::Bool(true))];
        let metadata = metadata.into_iter().chain(owner.map(|owner| (OURS.to_owned(), owner))).collect();
        let (argv, display_name) = (self.argv.clone(), self.display_name.clone());
        let wire = Wire { argv, display_name, language: "python".to_owned(), metadata };
        // Strings, lists and maps with string keys can always be written.
        serde_json::to_string_pretty(&wire).unwrap_or_default() + "\n"
    }

    /// Removes the kernel.
    pub(crate) fn remove(&self) -> crate::Result<()> {
        // The file that makes it a kernel is removed first, so that a partly removed kernel is not found.
        fs::remove_file(self.path.join(FILE)).map_err(not_writable(&self.path))?;
        Ok(fs::remove_dir_all(&self.path).map_err(not_writable(&self.path))?)
    }
}

/// Whether Jupyter accepts a directory with that name as a kernel.
fn is_valid(name: &str) -> bool {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    !name.is_empty() && name.chars().all(allowed) && name.starts_with(|first: char| first != '.')
}

/// Returns the data directory of a Jupyter that is installed in `prefix`.
fn below(prefix: &Utf8Path) -> Utf8PathBuf {
    prefix.join("share/jupyter")
}

/// Returns the user's data directory of Jupyter.
fn user_directory(variables: &Variables) -> Option<Utf8PathBuf> {
    let directory = |name| variables.get(name).map(Utf8PathBuf::from);
    if let Some(chosen) = directory("JUPYTER_DATA_DIR") {
        return Some(chosen);
    }
    let home = || directory("HOME");
    if cfg!(windows) {
        Some(directory("APPDATA")?.join("jupyter"))
    } else if cfg!(target_os = "macos") {
        let is_new = variables.is_on("JUPYTER_PLATFORM_DIRS");
        Some(home()?.join(if is_new { "Library/Application Support/Jupyter" } else { "Library/Jupyter" }))
    } else {
        let data = directory("XDG_DATA_HOME").or_else(|| Some(home()?.join(".local/share")))?;
        Some(data.join("jupyter"))
    }
}

fn system_directories(variables: &Variables) -> Vec<Utf8PathBuf> {
    if cfg!(windows) {
        return variables.get("PROGRAMDATA").map(|data| Utf8Path::new(data).join("jupyter")).into_iter().collect();
    }
    ["/usr/local/share/jupyter", "/usr/share/jupyter"].map(Utf8PathBuf::from).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernels() -> (tempfile::TempDir, Kernels) {
        let guard = tempfile::tempdir().unwrap();
        let prefix = Utf8Path::from_path(guard.path()).unwrap();
        let kernels = Kernels::at(Some(prefix), &Variables::default()).unwrap();
        (guard, kernels)
    }

    fn kernel(kernels: &Kernels, name: &str, root: &str) -> KernelSpec {
        let owner = Owner { root: root.into(), profile: Profile::Prod, backend: None, version: "1".to_owned() };
        KernelSpec::new(kernels, name, name.to_owned(), vec!["python".to_owned()], owner).unwrap()
    }

    #[test]
    fn finds_kernels_case_insensitively() {
        let (_guard, kernels) = kernels();
        assert!(kernels.list().is_empty());
        kernels.install(&kernel(&kernels, "Bench-prod", "/code")).unwrap();
        let found = kernels.find("BENCH-PROD").unwrap();
        assert_eq!((found.name.as_str(), found.owner.unwrap().root.as_str()), ("bench-prod", "/code"));
    }

    #[test]
    fn install_replaces_a_kernel_of_the_same_name_without_leftovers() {
        let (_guard, kernels) = kernels();
        for root in ["/one", "/two"] {
            kernels.install(&kernel(&kernels, "bench", root)).unwrap();
            fs::write(kernels.directory.join("bench/logo-64x64.png"), "").unwrap();
            let names: Vec<_> = kernels.directory.read_dir_utf8().unwrap().map(Result::unwrap).collect();
            assert_eq!(names.len(), 1, "{names:?}");
            assert_eq!(kernels.find("bench").unwrap().owner.unwrap().root, root);
        }
        kernels.find("bench").unwrap().remove().unwrap();
        assert!(kernels.directory.read_dir_utf8().unwrap().next().is_none());
    }

    #[test]
    fn concurrent_installs_leave_one_kernel() {
        let (_guard, kernels) = kernels();
        std::thread::scope(|scope| {
            for root in ["/a", "/b", "/c", "/d"] {
                let kernels = &kernels;
                scope.spawn(move || {
                    for _ in 0..20 {
                        kernels.install(&kernel(kernels, "bench", root)).unwrap();
                        assert!(kernels.find("bench").unwrap().owner.is_some());
                    }
                });
            }
        });
        let names: Vec<_> = kernels.directory.read_dir_utf8().unwrap().map(Result::unwrap).collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn ignores_directories_that_are_not_kernelspecs() {
        let (_guard, kernels) = kernels();
        for (name, text) in [("empty", "{}"), ("broken", "{"), ("with space", r#"{"argv": [], "display_name": ""}"#)] {
            fs::create_dir_all(kernels.directory.join(name)).unwrap();
            fs::write(kernels.directory.join(name).join(FILE), text).unwrap();
        }
        fs::write(kernels.directory.join("file"), "").unwrap();
        assert!(kernels.list().is_empty());
        fs::create_dir_all(kernels.directory.join("python3")).unwrap();
        let text = r#"{"argv": ["python"], "display_name": "Python 3", "metadata": {"uvenv": "?"}, "env": {}}"#;
        fs::write(kernels.directory.join("python3").join(FILE), text).unwrap();
        assert!(kernels.find("python3").unwrap().owner.is_none());
    }

    #[test]
    fn accepts_the_kernel_names_that_jupyter_accepts() {
        for (name, valid) in [("a", true), ("A.b-c_1", true), ("", false), ("a b", false), ("a/b", false), ("ü", false)]
        {
            assert_eq!(is_valid(name), valid, "{name}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn jupyter_variables_come_first() {
        let of = |pairs: &[(&str, &str)]| user_directory(&pairs.iter().copied().collect());
        assert_eq!(of(&[("HOME", "/h")]).unwrap(), "/h/.local/share/jupyter");
        assert_eq!(of(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d")]).unwrap(), "/d/jupyter");
        assert_eq!(of(&[("HOME", "/h"), ("JUPYTER_DATA_DIR", "/j")]).unwrap(), "/j");
        assert_eq!(of(&[]), None);
        let variables: Variables =
            [("HOME", "/h"), ("JUPYTER_PATH", "/p:/h/.local/share/jupyter"), ("VIRTUAL_ENV", "/v")]
                .into_iter()
                .collect();
        let searched: Vec<_> = Kernels::search_path(&variables).into_iter().map(|found| found.directory).collect();
        let expected =
            ["/p", "/h/.local/share/jupyter", "/v/share/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter"];
        assert_eq!(searched, expected.map(|data| Utf8Path::new(data).join("kernels")));
    }
}
