//! `sbom`: an account of what is installed in an environment.

mod contents;
mod wheels;

use std::{fs, io, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};

use self::{
    contents::Contents,
    wheels::{InstalledWheels, WheelSources},
};
use super::{
    BackendRequest, OperationError, Session,
    installed_state::{Installation, InstalledState},
    milliseconds,
    sync::python_of,
};
use crate::{
    environment::{BaseInterpreter, Distributions},
    fs::atomic,
    model::{Name, Profile, Variables},
    monorepo::{Monorepo, ProfileContext},
    report::SbomReport,
    sbom::{DependencyGraph, Part, PythonFacts, Sbom, SbomError, SbomWarning, Subject},
    vendor::hash,
};

/// A request for a document about an environment.
#[derive(Clone, Debug, Default)]
pub struct SbomRequest {
    /// The backend that the environment must have, or whose environment is meant.
    pub backend: BackendRequest,
    /// The vendored directory from which the environment was installed, whose wheels have hashes.
    pub vendored: Option<Utf8PathBuf>,
    /// The file to write.
    pub output: Option<Utf8PathBuf>,
}

impl SbomRequest {
    /// Describes the environment of `profile`, which must be up to date with its lockfile.
    pub fn describe(&self, monorepo: &Monorepo, session: &Session, profile: Profile) -> crate::Result<SbomReport> {
        self.describe_with(None, monorepo, session, profile)
    }

    /// Describes an environment that is meant for another machine, whose Python has `python_version`.
    pub(super) fn describe_with(
        &self,
        python_version: Option<String>,
        monorepo: &Monorepo,
        session: &Session,
        profile: Profile,
    ) -> crate::Result<SbomReport> {
        let start = Instant::now();
        let installation = Installation::find(monorepo, session, profile, &self.backend)?;
        let context = monorepo.context(profile)?;
        // What is meant for another machine was made just now.
        if python_version.is_none() {
            check_freshness(&context, session, &installation)?;
        }
        let distributions = Distributions::read(&installation.environment)?;
        let subject = self.subject(python_version, &context, session, (&installation, &distributions))?;
        let unknown = unknown(&subject.parts);
        let report = SbomReport {
            profile,
            backend: installation.backend.clone(),
            environment: installation.environment.root().to_owned(),
            python: python_of(&installation.environment)?,
            file: self.output.clone(),
            document: Sbom::of(&subject)?.value,
            distributions: subject.parts.len(),
            embedded: subject.parts.iter().map(|part| part.embedded.len()).sum(),
            unknown: unknown.iter().map(|(name, _)| name.clone()).collect(),
            uv: session.uv()?.into(),
            elapsed_ms: milliseconds(start.elapsed()),
        };
        if !unknown.is_empty() {
            session.warn([SbomWarning::UnknownContents { packages: unknown }]);
        }
        if let Some(path) = &self.output {
            let failed = |source| SbomError::Io { path: path.clone(), source };
            write(path, &report.text()).map_err(failed)?;
        }
        Ok(report)
    }

    /// Finds out what is to be said.
    fn subject<'a>(
        &self,
        python_version: Option<String>,
        context: &'a ProfileContext<'_>,
        session: &Session,
        (installation, distributions): (&'a Installation, &'a Distributions),
    ) -> crate::Result<Subject<'a>> {
        let Installation { environment, backend, selection } = installation;
        let Some(lockfile) = context.lockfile()? else { return Err(OperationError::no_lockfile(context).into()) };
        let child = |invocation| session.settings.child(invocation);
        let python = BaseInterpreter::ask(&environment.executable(), child)?;
        let sources = WheelSources { context, session, installation };
        let InstalledWheels { mut wheels, changed } = match &self.vendored {
            Some(directory) => sources.vendored(directory, distributions)?,
            None => sources.locked(distributions, &python)?,
        };
        if !changed.is_empty() {
            session.warn([SbomWarning::Changed { files: changed }]);
        }
        let contents = Contents { context, session, backend: backend.as_ref() };
        let parts = distributions.iter().map(|distribution| Part {
            distribution,
            wheel: wheels.remove(&distribution.name),
            embedded: contents.of(distribution),
        });
        let parts = parts.collect();
        let extras: Vec<_> = selection.iter().filter_map(|flag| Name::parse(flag.strip_prefix("--extra=")?)).collect();
        let project = context.manifest.project.as_ref();
        let name = context.manifest.name();
        Ok(Subject {
            project: name,
            project_version: project.and_then(|project| Some(project.version.as_ref()?.value.as_str())),
            profile: context.profile,
            backend: backend.as_ref(),
            lockfile: hash(lockfile.file.text.as_bytes()),
            root: &context.monorepo.root,
            environment: environment.root(),
            python: PythonFacts {
                version: python_version.unwrap_or_else(|| version(&python)),
                implementation: python.implementation,
            },
            uv: session.uv()?.version.to_string(),
            dependencies: DependencyGraph::read(&lockfile.file, name, &extras)?,
            time: time(&session.settings.variables)?,
            parts,
        })
    }
}

/// Writes the document. What is no file, such as a device or a pipe, is written to and not replaced.
fn write(path: &Utf8Path, text: &str) -> io::Result<()> {
    let is_special = || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if path.starts_with("/dev") || path.starts_with("/proc") || is_special() {
        return fs::write(path, text);
    }
    atomic::replace(path, text)
}

/// Rejects an environment that is not what its lockfile says.
fn check_freshness(context: &ProfileContext<'_>, session: &Session, it: &Installation) -> crate::Result<()> {
    let selection = (&*it.selection, it.backend.as_ref());
    let state = InstalledState::ask(context, session, session.uv()?, &it.environment, selection)?;
    session.warn(state.warnings);
    if state.is_outdated || !state.stale.is_empty() {
        let environment = context.monorepo.relative(it.environment.root()).to_owned();
        return Err(SbomError::Outdated { environment, profile: context.profile, backend: it.backend.clone() }.into());
    }
    Ok(())
}

/// Returns the time that the document is to have: `SOURCE_DATE_EPOCH`, as everywhere in reproducible builds.
fn time(variables: &Variables) -> Result<Option<i64>, SbomError> {
    let value = variables.get("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty());
    let seconds = |value: &str| value.parse().ok().filter(|seconds| *seconds >= 0);
    value.map(|value| seconds(value).ok_or_else(|| SbomError::Time { value: value.to_owned() })).transpose()
}

fn version(python: &BaseInterpreter) -> String {
    let (major, minor, micro) = python.version;
    format!("{major}.{minor}.{micro}")
}

fn unknown(parts: &[Part<'_>]) -> Vec<(Name, String)> {
    let of = |part: &Part<'_>| Some((part.distribution.name.clone(), part.embedded.unknown.clone()?));
    parts.iter().filter_map(of).collect()
}
