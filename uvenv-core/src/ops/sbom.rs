//! `sbom`: an account of what is installed in an environment.

use std::{collections::BTreeMap, fs, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BackendRequest, Session,
    exported_lock::{ExportedLock, vendor_context},
    installed_state::{Installation, InstalledState},
    milliseconds,
    sync::python_of,
    vendored_lock::vendored_lock,
};
use crate::{
    environment::{BaseInterpreter, Distribution, Distributions, Source},
    fs::{atomic, cache::CacheError},
    git::Git,
    model::{Name, Profile, Variables, redact},
    monorepo::{Monorepo, ProfileContext},
    process::Invocation,
    report::SbomReport,
    sbom::{
        DependencyGraph, Embedded, Part, Sbom, SbomError, SbomWarning, Subject, WheelFacts, crates_of_project, embedded,
    },
    vendor::{Artifact, ArtifactKind, Target, Tools, check_files, hash, select},
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
        let wheels = self.wheels(&context, session, &installation, &python)?;
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

    /// Returns the wheel that was installed of each package: the one that the interpreter of the environment selects.
    fn wheels(
        &self,
        context: &ProfileContext<'_>,
        session: &Session,
        installation: &Installation,
        python: &BaseInterpreter,
    ) -> crate::Result<BTreeMap<Name, WheelFacts>> {
        let settings = &session.settings;
        let child = |invocation: Invocation| settings.child(invocation);
        let vendor = vendor_context(context, settings, session.uv()?, &child);
        let tools = Tools::find(&vendor, &context.paths.directory, Some(python.executable.as_str()))?;
        tools.repair(&vendor)?;
        let target = Target { tools, platform: None };
        let directory = tempfile::tempdir().map_err(CacheError::unusable(Utf8Path::new("TMPDIR")))?;
        let place = Utf8Path::from_path(directory.path()).unwrap_or(Utf8Path::new("."));
        let selected = if let Some(vendored) = &self.vendored {
            let lock = vendored_lock(vendored, context, installation.backend.as_ref())?;
            check_files(vendored, &lock)?;
            let copy = place.join("pylock.toml");
            fs::copy(&lock.path, &copy).map_err(CacheError::unusable(&copy))?;
            vec![select(&vendor, &target, &copy)?]
        } else {
            // What else is in the environment is not exported.
            let flags = installation.selection.iter().filter(|flag| *flag != "--inexact").cloned().collect();
            let target = std::slice::from_ref(&target);
            ExportedLock::of(context, session, &vendor, flags, (target, place))?.selected
        };
        let artifacts = selected.into_iter().flat_map(|selected| selected.artifacts);
        Ok(artifacts.map(|artifact| (artifact.name.clone(), facts(artifact))).collect())
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

fn facts(artifact: Artifact) -> WheelFacts {
    let Artifact { kind, url, sha256, .. } = artifact;
    match kind {
        ArtifactKind::Wheel => WheelFacts { url: url.map(|url| redact(&url).into_owned()), sha256 },
        // A wheel was built from it, which nobody has.
        ArtifactKind::Sdist => WheelFacts { url: url.map(|url| redact(&url).into_owned()), sha256: None },
        ArtifactKind::Vcs | ArtifactKind::Directory => WheelFacts::default(),
    }
}

/// Returns the time that the document is to have: `SOURCE_DATE_EPOCH`, as everywhere in reproducible builds.
fn time(variables: &Variables) -> Result<Option<i64>, SbomError> {
    let value = variables.get("SOURCE_DATE_EPOCH");
    value.map(|value| value.parse().map_err(|_| SbomError::Time { value: value.to_owned() })).transpose()
}

fn unknown(parts: &[Part<'_>]) -> Vec<(Name, String)> {
    let of = |part: &Part<'_>| match &part.embedded {
        Embedded::Known(_) => None,
        Embedded::Unknown(reason) => Some((part.distribution.name.clone(), reason.clone())),
    };
    parts.iter().filter_map(of).collect()
}

/// Finds out what is linked into distributions.
struct Contents<'a> {
    context: &'a ProfileContext<'a>,
    session: &'a Session,
    backend: Option<&'a Name>,
}

impl Contents<'_> {
    /// Returns what a distribution says itself or, if it says nothing, what cargo says about its sources.
    fn of(&self, distribution: &Distribution) -> Embedded {
        let unknown = match embedded(distribution) {
            Embedded::Unknown(reason) => reason,
            known @ Embedded::Known(_) => return known,
        };
        match &distribution.source {
            Source::Editable { path } | Source::Directory { path } => self.of_project(path),
            Source::Git { url, commit, subdirectory, .. } if !self.session.settings.offline => {
                let url = self.context.repository(&distribution.name, Some(commit), url);
                self.of_commit(&url, commit, subdirectory.as_deref()).unwrap_or_else(Embedded::Unknown)
            }
            _ => Embedded::Unknown(unknown),
        }
    }

    fn of_project(&self, directory: &Utf8Path) -> Embedded {
        let backend: Vec<_> = self.backend.iter().map(|backend| backend.as_str()).collect();
        crates_of_project(directory, &backend, &self.session.settings.child_view())
    }

    fn of_commit(&self, url: &str, commit: &str, subdirectory: Option<&str>) -> Result<Embedded, String> {
        let in_words = |error: &dyn std::error::Error| error.to_string();
        let git = Git::find(&self.session.settings.variables).map_err(|error| in_words(&error))?;
        let git = git.within(&self.context.monorepo.root);
        let directory = tempfile::tempdir().map_err(|error| in_words(&error))?;
        let place = Utf8Path::from_path(directory.path()).ok_or("the temporary directory is not Unicode")?;
        let place = place.join("sources");
        git.check_out(url, commit, &place).map_err(|error| in_words(&error))?;
        Ok(self.of_project(&subdirectory.map_or(place.clone(), |directory| place.join(directory))))
    }
}
