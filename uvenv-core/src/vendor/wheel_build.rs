//! Builds wheels from commits and source distributions, so that they have the same bytes each time.

use std::{collections::BTreeSet, fs, str::FromStr as _};

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};
use pep508_rs::{Requirement, VersionOrUrl};

use super::{PinFacts, Tools, VendorContext, VendorError, tools::captured};
use crate::{
    git::Git,
    manifest,
    model::{Name, redact},
    process::{Captured, Invocation, ending, on_new_lines},
    toml::{File, TomlError},
    uv::PipCompileCommand,
};

/// The time of files whose time is not known: the first that a zip archive can have, 1980-01-01.
const NO_TIME: u64 = 315_532_800;

/// What is built if a project does not say how (PEP 518).
const DEFAULT_REQUIREMENT: &str = "setuptools>=40.8.0";

/// What builds a project that does not say it (PEP 517).
const DEFAULT_BACKEND: &str = "setuptools.build_meta:__legacy__";

/// `[build-system]` of a project.
struct BuildSystem {
    requires: Vec<String>,
    backend: String,
    path: Vec<String>,
}

impl BuildSystem {
    /// Reads the manifest at `path`, which need not exist.
    fn read(path: &Utf8Path) -> crate::Result<Self> {
        let file = match File::read(path) {
            Err(error) if TomlError::is_missing_file(&error) => File { path: path.to_owned(), text: "".into() },
            file => file?,
        };
        let document = file.parse()?;
        let system = document.root().get("build-system")?;
        let get = |key: &str| system.as_ref().map_or(Ok(None), |system| system.get(key));
        let list = |key: &str| -> crate::Result<Option<Vec<String>>> {
            let Some(list) = get(key)? else { return Ok(None) };
            Ok(Some(list.strings()?.into_iter().map(|text| text.value).collect()))
        };
        let backend = get("build-backend")?.map(|backend| backend.string()).transpose()?;
        Ok(Self {
            requires: list("requires")?.unwrap_or_else(|| vec![DEFAULT_REQUIREMENT.to_owned()]),
            backend: backend.map_or_else(|| DEFAULT_BACKEND.to_owned(), |backend| backend.value),
            path: list("backend-path")?.unwrap_or_default(),
        })
    }

    /// Asks the build backend what else it requires, as a build does. If it does not answer, the build will tell why.
    fn dynamic_requirements(
        &self,
        context: &VendorContext<'_>,
        tools: &Tools,
        project: &Utf8Path,
        place: &Utf8Path,
    ) -> crate::Result<Vec<String>> {
        let script = Utf8PathBuf::from(format!("{place}.py"));
        fs::write(&script, include_str!("build_requires.py")).map_err(VendorError::io(&script))?;
        let run = ["run", "--quiet", "--isolated", "--no-project", "--no-env-file", "--python", &tools.interpreter];
        let with = self.requires.iter().map(|requirement| format!("--with={requirement}"));
        let uv = context.uv.invocation().args(run).args(with).args(context.offline.then_some("--offline"));
        let uv = uv.args(["--", "python", script.as_str(), project.as_str(), &self.backend]).args(&self.path);
        let uv = (context.child)(uv.env_remove("VIRTUAL_ENV").with_usual_umask());
        let answer = uv.capture().ok().filter(|answer| answer.status.success());
        Ok(answer.and_then(|answer| serde_json::from_str(&answer.stdout).ok()).unwrap_or_default())
    }
}

/// A wheel to build.
#[derive(Clone, Debug)]
pub(crate) struct WheelBuild {
    pub(crate) name: Name,
    pub(crate) version: Option<String>,
    pub(crate) source: BuildSource,
}

/// What a wheel is built from.
#[derive(Clone, Debug)]
pub(crate) enum BuildSource {
    /// A commit of the repository at `url`, which can have credentials.
    Commit {
        url: String,
        /// The URL in the lockfile, which has none.
        locked_url: String,
        reference: Option<String>,
        commit: String,
        subdirectory: Option<String>,
    },
    /// A source distribution.
    Archive { path: Utf8PathBuf, subdirectory: Option<String> },
}

/// The sources of a wheel, unpacked.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    build: WheelBuild,
    /// The directory of the project.
    project: Utf8PathBuf,
    /// The time that the files in the wheel get, in seconds since 1970.
    time: u64,
    pub(crate) pin: Option<PinFacts>,
    requirements: Vec<String>,
}

impl WheelBuild {
    /// Unpacks the sources below `directory`, which does not exist yet. Its path gets into some wheels: it must be the same
    /// each time.
    pub(crate) fn unpack(
        &self,
        context: &VendorContext<'_>,
        tools: &Tools,
        directory: &Utf8Path,
    ) -> crate::Result<Sources> {
        let place = directory.join(self.name.as_str());
        fs::create_dir_all(directory).map_err(VendorError::io(directory))?;
        let (project, time, pin) = match &self.source {
            BuildSource::Commit { url, locked_url, reference, commit, subdirectory } => {
                let git = Git::find(context.variables)?.within(context.root);
                let checkout = git.check_out(url, commit, &place).map_err(|error| self.failed(error.to_string()))?;
                let project = subdirectory.as_ref().map_or(place.clone(), |directory| place.join(directory));
                let tag = reference.as_ref().and_then(|name| git.tag_object(&place, name, commit));
                let pin = PinFacts {
                    name: self.name.clone(),
                    url: redact(locked_url).into_owned(),
                    reference: reference.clone(),
                    commit: commit.clone(),
                    tree: checkout.tree,
                    tag_object: tag.as_ref().map(|tag| tag.object.clone()),
                    signature: tag.and_then(|tag| tag.signature),
                    subdirectory: subdirectory.clone(),
                    requires: Vec::new(),
                    wheels: Vec::new(),
                };
                (project, checkout.time, Some(pin))
            }
            BuildSource::Archive { path: archive, subdirectory } => {
                let module = if archive.extension() == Some("zip") { "zipfile" } else { "tarfile" };
                let unpack = tools.python().args(["-m", module, "-e", archive.as_str(), place.as_str()]);
                captured(context, unpack.with_usual_umask())?;
                let entries = place.read_dir_utf8().map_err(VendorError::io(&place))?.flatten();
                let entries: Vec<_> = entries.map(Utf8DirEntry::into_path).collect();
                match &*entries {
                    [root] if root.is_dir() => {
                        let project = subdirectory.as_ref().map_or(root.clone(), |directory| root.join(directory));
                        (project, NO_TIME, None)
                    }
                    _ => return Err(self.failed(format!("`{archive}` does not have one directory")).into()),
                }
            }
        };
        let system = self.build_system(&project)?;
        let mut sources = Sources { build: self.clone(), project, time, pin, requirements: system.requires.clone() };
        if !sources.is_built_by_uv_itself(context) {
            sources.requirements.extend(system.dynamic_requirements(context, tools, &sources.project, &place)?);
        }
        let requires = sources.requirements(context).to_vec();
        sources.pin = sources.pin.map(|pin| PinFacts { requires, ..pin });
        Ok(sources)
    }

    /// Returns `[build-system]` of the project.
    fn build_system(&self, project: &Utf8Path) -> Result<BuildSystem, VendorError> {
        let path = project.join(manifest::FILE_NAME);
        BuildSystem::read(&path).map_err(|error| self.failed(error.to_string()))
    }

    fn failed(&self, problem: String) -> VendorError {
        VendorError::Build { package: self.name.clone(), problem }
    }
}

/// Resolves what builds require, and records it in `file` with hashes. What the file has already is kept, if it still fits.
pub(crate) fn lock_requirements(
    context: &VendorContext<'_>,
    tools: &Tools,
    requirements: &BTreeSet<String>,
    file: &Utf8Path,
) -> crate::Result<()> {
    if requirements.is_empty() {
        return fs::write(file, "").map_err(|error| VendorError::io(file)(error).into());
    }
    let input = file.with_extension("in");
    let lines: Vec<_> = requirements.iter().map(String::as_str).collect();
    fs::write(&input, lines.join("\n")).map_err(VendorError::io(&input))?;
    let compile = PipCompileCommand {
        project: context.project,
        requirements: &input,
        output: file,
        interpreter: &tools.interpreter,
        python_version: None,
        hashes: true,
        offline: context.offline,
    };
    let done = captured(context, compile.invocation(context.uv));
    let _ = fs::remove_file(&input);
    done.map(drop)
}

impl Sources {
    /// Returns what its build installs.
    pub(crate) fn requirements(&self, context: &VendorContext<'_>) -> &[String] {
        if self.is_built_by_uv_itself(context) { &[] } else { &self.requirements }
    }

    /// Builds the wheel in `output` for the interpreter of `tools`, and returns its file name.
    pub(crate) fn build(
        &self,
        context: &VendorContext<'_>,
        tools: &Tools,
        constraints: &Utf8Path,
        output: &Utf8Path,
    ) -> crate::Result<String> {
        let uv = context.uv.invocation().with_usual_umask();
        let constraint = format!("--build-constraint={constraints}");
        let constraint = ["--require-hashes", &constraint];
        let constraint = if self.is_built_by_uv_itself(context) { &[][..] } else { &constraint };
        let uv = uv.args(["build", "--wheel", "--python", &tools.interpreter]).args(constraint);
        let uv = uv.args(context.offline.then_some("--offline"));
        let uv = uv.args(["--out-dir", output.as_str(), self.project.as_str()]);
        let uv = uv.env("SOURCE_DATE_EPOCH", self.time.to_string());
        let uv = (context.child)(self.without_cargo_home(context, uv));
        let failed = |problem: String| self.build.failed(problem);
        let Captured { status, stdout: _, stderr } = uv.capture().map_err(|error| failed(error.to_string()))?;
        if !status.success() {
            return Err(failed(format!("`uv build` {}{}", ending(status), on_new_lines(&stderr))).into());
        }
        let entries = output.read_dir_utf8().map_err(VendorError::io(output))?.flatten();
        let mut files = entries.map(|entry| entry.file_name().to_owned());
        let file = files.find(|file| Utf8Path::new(file).extension() == Some("whl"));
        let file = file.ok_or_else(|| failed("`uv build` did not write a wheel".to_owned()))?;
        let name = file.split('-').next().and_then(Name::parse);
        if name.as_ref() != Some(&self.build.name) {
            return Err(failed(format!("it is `{file}`")).into());
        }
        match (file.split('-').nth(1), &self.build.version) {
            (Some(built), Some(locked)) if built != locked.replace('-', "_") => {
                Err(failed(format!("it has the version {built}, and {locked} is locked")).into())
            }
            _ => Ok(file),
        }
    }

    /// The wheel `file` was built for this platform only.
    pub(crate) fn of_other_platform(&self, file: &str, platform: &str) -> VendorError {
        let problem =
            format!("its wheel, `{file}`, is for this machine: vendor without `--platform`, on one like `{platform}`");
        VendorError::Package { package: self.build.name.to_string(), problem }
    }

    /// Whether this uv builds the project without installing anything, as in a sync.
    fn is_built_by_uv_itself(&self, context: &VendorContext<'_>) -> bool {
        let [requirement] = &*self.requirements else { return false };
        let Ok(requirement) = Requirement::<pep508_rs::VerbatimUrl>::from_str(requirement) else { return false };
        let is_fitting = match &requirement.version_or_url {
            None => true,
            Some(VersionOrUrl::Url(_)) => false,
            Some(VersionOrUrl::VersionSpecifier(versions)) => {
                pep440_rs::Version::from_str(&context.uv.version.to_string())
                    .is_ok_and(|version| versions.contains(&version))
            }
        };
        requirement.name.to_string() == "uv-build" && is_fitting
    }

    /// Keeps the path of cargo's home directory out of what rustc writes.
    fn without_cargo_home(&self, context: &VendorContext<'_>, uv: Invocation) -> Invocation {
        const NAME: &str = "CARGO_ENCODED_RUSTFLAGS";
        let is_rust =
            |requirement: &String| ["maturin", "setuptools-rust"].iter().any(|name| requirement.starts_with(name));
        let home = context.variables.get("CARGO_HOME").map(str::to_owned);
        let home = home.or_else(|| Some(format!("{}/.cargo", context.variables.get("HOME")?)));
        let (true, Some(home)) = (self.requirements.iter().any(is_rust), home) else { return uv };
        let flags = context.variables.get(NAME).map(str::to_owned);
        let flags = flags.or_else(|| {
            Some(context.variables.get("RUSTFLAGS")?.split_whitespace().collect::<Vec<_>>().join("\u{1f}"))
        });
        let remap = format!("--remap-path-prefix={home}=/cargo");
        uv.env(NAME, flags.map_or(remap.clone(), |flags| format!("{flags}\u{1f}{remap}")))
    }
}
