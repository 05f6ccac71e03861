//! `sync --vendored`: an environment from a vendored directory, without network, git or index.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Session, Shown, SyncPlan, SyncRequest, Synced,
    vendor::{ask, find_python},
};
use crate::{
    cache, checksum,
    digest::digest,
    environment::{BaseInterpreter, Distribution, Distributions, Environment, GitOrigin, Source, State, VcsInfo},
    file,
    monorepo::{Monorepo, Profile},
    report::{SyncPlanned, SyncReport},
    uv::{Fetch, PipSyncCommand, VenvCommand},
    vendor::{Origin, Target, UV, VendorError, VendorManifest, VendoredEnvironment, VendoredWheel, WHEELS, altered},
};

/// A sync from a vendored directory that is about to be done. All that is to be installed was looked at.
#[derive(Debug)]
pub struct VendoredPlan {
    sync: SyncPlan,
    directory: Utf8PathBuf,
    manifest: VendorManifest,
    environment: VendoredEnvironment,
    /// What a new environment is made from.
    python: Utf8PathBuf,
    prompt: Option<String>,
    rest: Vec<std::ffi::OsString>,
}

impl VendoredPlan {
    /// Plans to sync `profile` from what is vendored in `directory`, which must be all that this takes, as it was vendored.
    pub fn new(
        monorepo: &Monorepo,
        session: &Session,
        profile: Profile,
        request: &SyncRequest,
        directory: &Utf8Path,
    ) -> crate::Result<Self> {
        let manifest = VendorManifest::read(directory)?;
        if manifest.uv.is_empty() {
            session.uv()?;
        } else {
            check(altered(&directory.join(UV), manifest.uv.iter()))?;
            session.uv_with(&Fetch::From(directory.join(UV)))?;
        }
        let mut sync = SyncPlan::new(monorepo, session, profile, request)?;
        check_purpose(monorepo, &sync, &manifest, directory)?;
        let (mut python, environment) = choose(session, &sync, request, &manifest, directory)?;
        let kept = Environment::new(sync.environment.clone());
        if request.recreate && python == kept.executable() {
            // That goes away.
            python = BaseInterpreter::ask(&python, |invocation| session.child(invocation))?.executable;
        }
        if let State::Ready(_) = kept.inspect()? {
            let target = ask(session, &kept.executable())?.target();
            if target.is_none_or(|target| !environment.target.python.is_same(target.python)) {
                sync.make_anew();
            }
        }
        let wheels = directory.join(WHEELS);
        check(altered(&wheels, manifest.wheels_of(&environment).map(|wheel| &wheel.file)))?;
        let project = monorepo.manifest(&sync.paths)?;
        Ok(Self {
            prompt: project.name().map(ToString::to_string),
            directory: directory.to_owned(),
            python,
            environment,
            manifest,
            sync,
            rest: request.uv_args.clone(),
        })
    }

    /// Shows what would be done: the plan, and on stderr what uv would change.
    pub fn dry_run(&self, session: &Session) -> crate::Result<SyncPlanned> {
        let environment = Environment::new(self.sync.environment.clone());
        let python = match environment.inspect()? {
            State::Ready(_) => environment.executable(),
            _ => self.python.clone(),
        };
        let requirements = self.requirements(session)?;
        let reinstall = self.reinstall(&Distributions::read(&environment)?);
        let command = PipSyncCommand { reinstall, dry_run: true, ..self.command(python, requirements) };
        let invocation = command.invocation(session.uv()?, &session.appearance);
        self.sync.call_uv(session, &invocation)?;
        Ok(self.sync.planned(Vec::new(), &invocation))
    }

    /// The environment, and the backend that it is to have.
    pub(super) fn environment(&self) -> (Environment, Option<String>) {
        (Environment::new(self.sync.environment.clone()), self.sync.record().backend)
    }

    /// Syncs.
    pub(super) fn synced(&self, session: &Session) -> crate::Result<Synced> {
        let report = self.execute(session)?;
        Ok(Synced::now(report, &self.sync))
    }

    /// Syncs.
    pub fn execute(&self, session: &Session) -> crate::Result<SyncReport> {
        let environment = Environment::new(self.sync.environment.clone());
        self.sync.execute_by(session, |command| {
            let uv = session.uv()?;
            if environment.inspect()? == State::Missing {
                let (environment, python) = (self.sync.environment.clone(), self.python.clone());
                let command = VenvCommand { environment, python, prompt: self.prompt.clone() };
                self.sync.call_uv(session, &command.invocation(uv, &session.appearance))?;
            }
            let mut reinstall = self.reinstall(&Distributions::read(&environment)?);
            reinstall.extend(command.reinstall.iter().cloned());
            let requirements = self.requirements(session)?;
            let command = PipSyncCommand { reinstall, ..self.command(environment.executable(), requirements) };
            self.sync.call_uv(session, &command.invocation(uv, &session.appearance))?;
            self.restate(&environment)
        })
    }

    fn command(&self, python: Utf8PathBuf, requirements: Utf8PathBuf) -> PipSyncCommand {
        PipSyncCommand {
            python,
            wheels: self.directory.join(WHEELS),
            requirements,
            reinstall: Vec::new(),
            inexact: self.sync.is_inexact(),
            dry_run: false,
            rest: self.rest.clone(),
        }
    }

    /// The wheels, each with its hash: `uv pip sync` takes no other file for them.
    fn requirements(&self, session: &Session) -> crate::Result<Utf8PathBuf> {
        let directory = cache::directory(&session.variables)?.join("vendor");
        let path = directory.join(format!("{}.txt", digest(self.sync.environment.as_str().as_bytes())));
        let lines = self
            .wheels()
            .map(|wheel| format!("{}=={} --hash=sha256:{}\n", wheel.name, wheel.version, wheel.file.sha256));
        let written = fs::create_dir_all(&directory).and_then(|()| file::replace(&path, lines.collect::<String>()));
        written.map_err(VendorError::unusable(&path))?;
        Ok(path)
    }

    fn wheels(&self) -> impl Iterator<Item = &VendoredWheel> {
        self.manifest.wheels_of(&self.environment)
    }

    /// What is installed in the right version, but from elsewhere: uv would leave it.
    fn reinstall(&self, installed: &Distributions) -> Vec<String> {
        let is_otherwise =
            |distribution: &Distribution, wheel: &VendoredWheel| match (&distribution.source, &wheel.source) {
                (Source::Git { commit, .. }, Origin::Git { commit: wanted, .. }) => commit != wanted,
                (Source::Registry, Origin::Wheel { .. } | Origin::Sdist { .. }) => false,
                _ => true,
            };
        let elsewhere = installed.iter().filter(|distribution| {
            self.wheels().any(|wheel| wheel.name == distribution.name && is_otherwise(distribution, wheel))
        });
        elsewhere.map(|distribution| distribution.name.to_string()).collect()
    }

    /// Has what was installed say where it is from, as an online sync does.
    fn restate(&self, environment: &Environment) -> crate::Result<()> {
        for distribution in Distributions::read(environment)?.iter() {
            let Some(wheel) = self.wheels().find(|wheel| wheel.name == distribution.name) else { continue };
            let origin = match &wheel.source {
                Origin::Git { url, requested, commit, subdirectory } => Some(GitOrigin {
                    url,
                    vcs_info: VcsInfo { vcs: "git", commit_id: commit, requested_revision: requested.as_deref() },
                    subdirectory: subdirectory.as_deref(),
                }),
                Origin::Wheel { .. } | Origin::Sdist { .. } => None,
            };
            distribution.restate(origin.as_ref()).map_err(environment.not_writable(distribution.folder()))?;
        }
        Ok(())
    }
}

fn has_python(environment: &Utf8Path) -> bool {
    matches!(Environment::new(environment).inspect(), Ok(State::Ready(_)))
}

/// An error if files were altered.
fn check(files: Vec<(Utf8PathBuf, &'static str)>) -> Result<(), VendorError> {
    if files.is_empty() { Ok(()) } else { Err(VendorError::Altered { files }) }
}

/// Whether the directory is for this profile, selection and lockfile.
fn check_purpose(
    monorepo: &Monorepo,
    sync: &SyncPlan,
    manifest: &VendorManifest,
    directory: &Utf8Path,
) -> crate::Result<()> {
    let profile = sync.paths.profile;
    let selection = sync.locked_selection();
    let backend = sync.selection.name();
    let options = options(profile, &selection, sync);
    let mismatch = |found: String, wanted: String| VendorError::Mismatch {
        directory: directory.to_owned(),
        found,
        wanted,
        options: format!("{options} -o {directory}"),
    };
    if manifest.profile != profile {
        return Err(mismatch(manifest.profile.to_string(), profile.to_string()).into());
    }
    let named = |backend: Option<&crate::Name>| {
        backend.map_or_else(|| "no backend".to_owned(), |name| format!("the backend `{name}`"))
    };
    if manifest.backend.as_ref() != backend {
        return Err(mismatch(named(manifest.backend.as_ref()), named(backend)).into());
    }
    if manifest.selection != selection {
        let shown = |selection: &[String]| match selection {
            [] => "no extras or groups".to_owned(),
            selection => format!("`{}`", selection.join(" ")),
        };
        return Err(mismatch(shown(&manifest.selection), shown(&selection)).into());
    }
    let lockfile = sync.paths.lockfile();
    if !lockfile.exists() {
        return Err(Shown::new(monorepo, &sync.paths).no_lockfile().into());
    }
    let found = checksum::sha256(&lockfile).map_err(VendorError::unusable(&lockfile))?;
    if found != manifest.lockfile {
        return Err(VendorError::OtherLockfile {
            directory: directory.to_owned(),
            lockfile: monorepo.relative(&lockfile).to_owned(),
            options: format!("{options} -o {directory}"),
        }
        .into());
    }
    Ok(())
}

/// The options with which `cargo uvenv vendor` makes what is wanted.
fn options(profile: Profile, selection: &[String], sync: &SyncPlan) -> String {
    let backend = sync.selection.choice().map(|choice| format!("--backend {choice}"));
    let is_backend = |flag: &&String| {
        let name = sync.selection.name().map(ToString::to_string).unwrap_or_default();
        **flag == format!("--extra={name}") || **flag == format!("--group={name}") || flag.starts_with("--no-group=")
    };
    let others = selection.iter().filter(|flag| !is_backend(flag)).cloned();
    [format!("--profile {profile}")].into_iter().chain(backend).chain(others).collect::<Vec<_>>().join(" ")
}

/// The Python for the environment, and what is vendored for it.
fn choose(
    session: &Session,
    sync: &SyncPlan,
    request: &SyncRequest,
    manifest: &VendorManifest,
    directory: &Utf8Path,
) -> crate::Result<(Utf8PathBuf, VendoredEnvironment)> {
    let find =
        |asked: Option<&str>| find_python(session, session.uv()?, &sync.paths.directory, asked, &sync.environment);
    let vendored = |host: &Target| manifest.environment_for(host).cloned();
    let first = find(request.python.as_deref())?;
    let host = ask(session, &first)?;
    if let Some(environment) = host.target().as_ref().and_then(vendored) {
        return Ok((first, environment));
    }
    // Where nobody has asked for a Python, one that is vendored for will do.
    let is_free = request.python.is_none() && (request.recreate || !has_python(&sync.environment));
    let others = manifest.environments.iter().map(|environment| environment.target.python.to_string());
    for python in others.filter(|_| is_free) {
        let Ok(python) = find(Some(&python)) else { continue };
        if let Some(environment) = ask(session, &python)?.target().as_ref().and_then(vendored) {
            return Ok((python, environment));
        }
    }
    let options = options(sync.paths.profile, &sync.locked_selection(), sync);
    let target = host
        .target()
        .map_or_else(String::new, |target| format!(" --python {} --platform {}", target.python, target.platform));
    Err(VendorError::Mismatch {
        directory: directory.to_owned(),
        found: manifest.targets(),
        wanted: host.to_string(),
        options: format!("{options}{target} -o {directory}"),
    }
    .into())
}
