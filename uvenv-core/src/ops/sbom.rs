//! `sbom`: an account of what is installed in an environment.

mod contents;
mod wheels;

use std::time::Instant;

use camino::Utf8PathBuf;

use self::{contents::Contents, wheels::WheelSources};
use super::{
    BackendRequest, Session,
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
    sbom::{DependencyGraph, Part, Sbom, SbomError, SbomWarning, Subject},
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
        let start = Instant::now();
        let installation = Installation::find(monorepo, session, profile, &self.backend)?;
        let context = monorepo.context(profile)?;
        let uv = session.uv()?;
        check_freshness(&context, session, &installation)?;
        let Installation { environment, backend, selection } = &installation;
        let distributions = Distributions::read(environment)?;
        let python = BaseInterpreter::ask(&environment.executable(), |invocation| session.settings.child(invocation))?;
        let sources = WheelSources { context: &context, session, installation: &installation };
        let wheels = match &self.vendored {
            Some(directory) => sources.vendored(directory, &distributions)?,
            None => sources.locked(&distributions, &python)?,
        };
        let contents = Contents { context: &context, session, backend: backend.as_ref() };
        let parts: Vec<_> = distributions
            .iter()
            .map(|distribution| Part {
                distribution,
                wheel: wheels.get(&distribution.name).cloned(),
                embedded: contents.of(distribution),
            })
            .collect();
        let lockfile = context.lockfile()?.map(|lockfile| lockfile.file.text.to_string()).unwrap_or_default();
        let extras = selection.iter().filter_map(|flag| Name::parse(flag.strip_prefix("--extra=")?));
        let project = context.manifest.project.as_ref();
        let name = context.manifest.name();
        let subject = Subject {
            project: name,
            project_version: project.and_then(|project| Some(project.version.as_ref()?.value.as_str())),
            profile,
            backend: backend.as_ref(),
            lockfile: hash(lockfile.as_bytes()),
            root: &monorepo.root,
            environment: environment.root(),
            python: &python,
            uv: uv.version.to_string(),
            dependencies: DependencyGraph::read(&lockfile, name, &extras.collect::<Vec<_>>()),
            time: time(&session.settings.variables)?,
            parts,
        };
        let document = Sbom::of(&subject)?;
        let unknown = unknown(&subject.parts);
        let names = unknown.iter().map(|(name, _)| name.clone()).collect();
        if !unknown.is_empty() {
            session.warn([SbomWarning::UnknownContents { packages: unknown }]);
        }
        let report = SbomReport {
            profile,
            backend: backend.clone(),
            environment: environment.root().to_owned(),
            python: python_of(environment)?,
            file: self.output.clone(),
            document: document.value,
            distributions: subject.parts.len(),
            embedded: subject.parts.iter().map(|part| part.embedded.len()).sum(),
            unknown: names,
            uv: uv.into(),
            elapsed_ms: milliseconds(start.elapsed()),
        };
        if let Some(path) = &self.output {
            let failed = |source| SbomError::Io { path: path.clone(), source };
            atomic::replace_own(path, report.text()).map_err(failed)?;
        }
        Ok(report)
    }
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

fn unknown(parts: &[Part<'_>]) -> Vec<(Name, String)> {
    let of = |part: &Part<'_>| Some((part.distribution.name.clone(), part.embedded.unknown.clone()?));
    parts.iter().filter_map(of).collect()
}
