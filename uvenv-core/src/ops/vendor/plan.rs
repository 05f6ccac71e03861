//! What has to be vendored: the locks, and the files that they need.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{
    VendorRequest,
    directory::VendoredDirectory,
    planned_lock::{BUILDS_LOCK, PlannedLock, UV_LOCK},
    tool_lock,
};
use crate::{
    backend::{Backend, Selection},
    fs::{PrivateDirectory, digest::digest, normal},
    git,
    model::{Name, Profile, Variables},
    monorepo::{Monorepo, ProfileContext},
    ops::{
        BackendRequest, OperationError, Session, Settings,
        backend_request::{self, SelectedPackages},
        exported_lock::{ExportedLock, vendor_context},
        sync::backend_flags,
    },
    process::Invocation,
    uv::{Uv, accepts_platform, variables::with_urls},
    vendor::{
        Artifact, ArtifactKind, BuildSource, BuiltPackage, Download, Facts, PinFacts, Purpose, Target, Tools,
        VendorContext, VendorError, WheelBuild, hash,
    },
};

/// A profile and the backends that are vendored.
pub(super) struct SelectedProfile<'m> {
    pub(super) context: ProfileContext<'m>,
    /// The backends of the profile.
    backends: Vec<Backend>,
    selections: Vec<Selection>,
    requests: Vec<String>,
    with_uv: bool,
    with_build_requirements: bool,
    pub(super) uv: Uv,
    pub(super) targets: Vec<Target>,
    interpreters: Vec<String>,
    manifest: String,
    lockfile: String,
}

/// A wheel to build.
pub(super) struct PlannedBuild {
    pub(super) key: String,
    artifact: Artifact,
    version: Option<String>,
    /// The URL of the repository, which can have credentials.
    url: String,
}

/// What is to be done.
pub(super) struct VendorPlan<'m> {
    pub(super) profile: &'m SelectedProfile<'m>,
    pub(super) locks: Vec<PlannedLock>,
    pub(super) files: NeededFiles,
    /// What was built before, and is still there.
    pub(super) kept: BTreeMap<String, BuiltPackage>,
    /// The files of `kept`.
    pub(super) reused: BTreeSet<String>,
    /// The URLs of the indexes.
    pub(super) indexes: Vec<String>,
}

/// What locks need.
#[derive(Default)]
pub(super) struct NeededFiles {
    pub(super) wheels: Vec<Download>,
    /// Source distributions.
    pub(super) archives: Vec<Download>,
    pub(super) builds: Vec<PlannedBuild>,
    /// The first target that needs a file, by the name that the file gets here.
    needed_by: BTreeMap<String, Target>,
}

impl<'m> SelectedProfile<'m> {
    pub(super) fn new(
        request: &VendorRequest,
        monorepo: &'m Monorepo,
        session: &Session,
        profile: Profile,
    ) -> crate::Result<Self> {
        let context = monorepo.context(profile)?;
        let available = SelectedPackages { names: &[], all: false }.backends(&context, session)?;
        let choices: Vec<_> =
            if request.backends.is_empty() { vec![None] } else { request.backends.iter().cloned().map(Some).collect() };
        let mut selections: Vec<Selection> = Vec::new();
        for choice in choices {
            let backend = BackendRequest { choice, ..BackendRequest::default() };
            let selection = backend_request::select(&context, session, &available, &backend, &[])?;
            if selections.iter().all(|other| other.name() != selection.name()) {
                selections.push(selection);
            }
        }
        let Some(lockfile) = context.lockfile()? else { return Err(OperationError::no_lockfile(&context).into()) };
        let uv = session.uv()?.clone();
        let targets = find_targets(&context, &session.settings, &uv, request)?;
        let interpreters: BTreeSet<_> = targets.iter().map(Target::description).collect();
        Ok(Self {
            uv,
            targets,
            interpreters: interpreters.into_iter().collect(),
            manifest: hash(context.manifest.file.text.as_bytes()),
            lockfile: hash(lockfile.file.text.as_bytes()),
            backends: available.list,
            selections,
            with_uv: request.with_uv,
            with_build_requirements: request.with_build_requirements,
            requests: requests(request, &session.settings.variables),
            context,
        })
    }

    /// Returns the name of the lock of a backend. uv requires `pylock.NAME.toml`, without dots in the name.
    pub(super) fn lock_name(&self, selection: &Selection) -> String {
        match selection.name() {
            Some(name) if self.selections.len() > 1 => format!("pylock.{}.toml", name.as_str().replace('.', "-")),
            None if self.selections.len() > 1 => "pylock.none.toml".to_owned(),
            _ => "pylock.toml".to_owned(),
        }
    }

    /// Returns the locks that are wanted, with what is known of them before anything is asked.
    pub(super) fn wanted(&self) -> Vec<(String, Facts)> {
        let of_backend = |selection: &Selection| {
            (self.lock_name(selection), self.facts(Purpose::Environment, selection.name().cloned()))
        };
        let tools =
            [(self.with_uv, UV_LOCK, Purpose::Uv), (self.with_build_requirements, BUILDS_LOCK, Purpose::Builds)];
        let tools = tools.into_iter().filter(|(is_wanted, ..)| *is_wanted);
        let tools = tools.map(|(_, file, purpose)| (file.to_owned(), self.facts(purpose, None)));
        self.selections.iter().map(of_backend).chain(tools).collect()
    }

    /// Returns what is known before anything is asked.
    pub(super) fn facts(&self, purpose: Purpose, backend: Option<Name>) -> Facts {
        Facts {
            purpose,
            profile: self.context.profile,
            backend,
            manifest: self.manifest.clone(),
            lockfile: self.lockfile.clone(),
            pythons: Vec::new(),
            interpreters: self.interpreters.clone(),
            requests: match purpose {
                Purpose::Uv => self.requests.iter().cloned().chain([format!("uv {}", self.uv.version)]).collect(),
                Purpose::Environment | Purpose::Builds => self.requests.clone(),
            },
            built: Vec::new(),
            pins: Vec::new(),
        }
    }

    pub(super) fn vendor_context<'a>(
        &'a self,
        settings: &'a Settings,
        child: &'a (dyn Fn(Invocation) -> Invocation + Sync),
    ) -> VendorContext<'a> {
        vendor_context(&self.context, settings, &self.uv, child)
    }
}

impl<'m> VendorPlan<'m> {
    pub(super) fn new(
        profile: &'m SelectedProfile<'m>,
        session: &Session,
        directory: &VendoredDirectory,
    ) -> crate::Result<Self> {
        let SelectedProfile { uv, targets, .. } = profile;
        let verdict = session.final_lock_verdict(uv, &profile.context.paths.directory);
        OperationError::reject(verdict, &profile.context, session, uv)?;
        let settings = &session.settings;
        let child = |invocation: Invocation| settings.child(invocation);
        let context = profile.vendor_context(settings, &child);
        for platform in targets.iter().filter_map(|target| target.platform.as_ref()) {
            let answer = child(accepts_platform(uv, platform)).capture();
            if !answer.is_ok_and(|answer| answer.status.success()) {
                return Err(VendorError::UnknownPlatform { platform: platform.clone() }.into());
            }
        }
        targets.iter().try_for_each(|target| target.tools.repair(&context))?;
        // Its URLs can have credentials.
        let place = PrivateDirectory::new()?;
        let mut locks = Vec::new();
        for selection in &profile.selections {
            let flags = backend_flags(&profile.context, &profile.backends, selection);
            let exported = ExportedLock::of(&profile.context, session, &context, flags, (targets, place.path()))?;
            locks.push(PlannedLock {
                file: profile.lock_name(selection),
                purpose: Purpose::Environment,
                backend: selection.name().cloned(),
                path: exported.path,
                pylock: exported.pylock,
                targets: targets.clone(),
                selected: exported.selected,
            });
        }
        if profile.with_uv {
            locks.push(tool_lock::of_uv(&context, targets)?);
        }
        let files = NeededFiles::of(&locks, &profile.context)?;
        let (kept, reused) = (BTreeMap::new(), BTreeSet::new());
        let indexes = indexes(&profile.context, session);
        let mut plan = Self { profile, locks, files, kept, reused, indexes };
        plan.keep(directory);
        plan.files.remember_hashes(directory);
        Ok(plan)
    }

    /// Returns the lock with what the builds required, which is known once they are done, if it is wanted.
    pub(super) fn builds_lock(
        &self,
        context: &VendorContext<'_>,
        directory: &VendoredDirectory,
        has_builds: bool,
    ) -> crate::Result<Option<PlannedLock>> {
        if !self.profile.with_build_requirements {
            return Ok(None);
        }
        let requirements = directory.requirements_of_builds(has_builds)?;
        tool_lock::of_builds(context, &self.profile.targets, &requirements).map(Some)
    }

    /// Finds the wheels that were built before from the same commits, for the same interpreters.
    fn keep(&mut self, directory: &VendoredDirectory) {
        for lock in directory.locks().filter(|lock| lock.facts.interpreters == self.profile.interpreters) {
            for build in &self.files.builds {
                let is_same = |pin: &&PinFacts| {
                    let artifact = &build.artifact;
                    pin.name == artifact.name
                        && Some(&pin.commit) == artifact.commit.as_ref()
                        && pin.subdirectory == artifact.subdirectory
                        && pin.reference == artifact.reference
                        && Some(&pin.url) == artifact.url.as_ref()
                };
                let Some(pin) = lock.facts.pins.iter().find(is_same) else { continue };
                let wheels: Vec<_> = lock.wheels().filter(|wheel| pin.wheels.contains(&wheel.file)).cloned().collect();
                if !wheels.is_empty() && wheels.iter().all(|wheel| directory.has(wheel)) {
                    self.reused.extend(wheels.iter().map(|wheel| wheel.file.clone()));
                    self.kept.insert(build.key.clone(), BuiltPackage { wheels, pin: Some(pin.clone()) });
                }
            }
        }
    }
}

impl VendorPlan<'_> {
    /// Whether something is built from this source distribution.
    pub(super) fn needs_archive(&self, archive: &Download) -> bool {
        let of_file = |build: &&PlannedBuild| archive_place(&build.artifact) == archive.place;
        self.files.builds.iter().filter(of_file).any(|build| !self.kept.contains_key(&build.key))
    }
}

impl NeededFiles {
    /// Lists what `locks` need.
    pub(super) fn of(locks: &[PlannedLock], context: &ProfileContext<'_>) -> crate::Result<Self> {
        let mut needed = Self::default();
        let mut seen = BTreeSet::new();
        for lock in locks {
            for (target, selected) in lock.targets.iter().zip(&lock.selected) {
                for artifact in &selected.artifacts {
                    let file = (artifact.kind, artifact.file.clone(), artifact.sha256.clone(), artifact.url.clone());
                    if seen.insert((artifact.name.clone(), file, build_key(artifact))) {
                        needed.add(artifact, (lock, target), context)?;
                    }
                }
            }
        }
        needed.builds.sort_by(|one, other| one.key.cmp(&other.key));
        needed.builds.dedup_by(|one, other| one.key == other.key);
        Ok(needed)
    }

    fn add(
        &mut self,
        artifact: &Artifact,
        (lock, target): (&PlannedLock, &Target),
        context: &ProfileContext<'_>,
    ) -> crate::Result<()> {
        match artifact.kind {
            ArtifactKind::Wheel | ArtifactKind::Sdist => {
                let file = download(artifact, &lock.path)?;
                self.needed_by.entry(file.place.clone()).or_insert_with(|| target.clone());
                let is_wheel = artifact.kind == ArtifactKind::Wheel;
                if is_wheel { self.wheels.push(file) } else { self.archives.push(file) }
            }
            ArtifactKind::Directory => {
                let problem = format!(
                    "it is the directory `{}`, and not a commit or a file with a hash",
                    artifact.path.as_deref().unwrap_or(".")
                );
                return Err(VendorError::Package { package: artifact.name.to_string(), problem }.into());
            }
            ArtifactKind::Vcs => {}
        }
        if matches!(artifact.kind, ArtifactKind::Vcs | ArtifactKind::Sdist) {
            let locked_url = artifact.url.as_deref().unwrap_or_default();
            self.builds.push(PlannedBuild {
                key: build_key(artifact),
                artifact: artifact.clone(),
                version: lock.pylock.version(artifact.index).map(str::to_owned),
                url: context.repository(&artifact.name, artifact.commit.as_deref(), locked_url),
            });
        }
        Ok(())
    }

    /// Takes the hashes that the lockfile lacks from the directory, which has them since the first download.
    fn remember_hashes(&mut self, directory: &VendoredDirectory) {
        let known: BTreeMap<_, _> = directory
            .locks()
            .flat_map(|lock| lock.packages)
            .flat_map(|package| package.wheels.into_iter().map(|wheel| (wheel.file, wheel.sha256)))
            .collect();
        for wheel in self.wheels.iter_mut().filter(|wheel| wheel.sha256.is_none()) {
            wheel.sha256 = known.get(&wheel.file).cloned();
        }
    }

    /// Groups `files` by the target that needs them: pip downloads only what fits its interpreter.
    pub(super) fn by_target<'a>(&'a self, files: &[Download]) -> Vec<(&'a Target, Vec<Download>)> {
        let mut groups: BTreeMap<String, (&Target, Vec<Download>)> = BTreeMap::new();
        for file in files {
            let Some(target) = self.needed_by.get(&file.place) else { continue };
            groups.entry(target.description()).or_insert((target, Vec::new())).1.push(file.clone());
        }
        groups.into_values().collect()
    }
}

impl PlannedBuild {
    /// Returns how messages name it.
    pub(super) fn shown(&self) -> String {
        format!("the wheel of `{}`", self.artifact.name)
    }

    /// Returns the wheel to build; a source distribution is in `archives`.
    pub(super) fn wheel(&self, archives: &Utf8Path) -> WheelBuild {
        let Artifact { name, url, commit, reference, subdirectory, .. } = self.artifact.clone();
        let source = match commit {
            Some(commit) => BuildSource::Commit {
                url: self.url.clone(),
                locked_url: url.unwrap_or_default(),
                reference,
                commit,
                subdirectory,
            },
            None => BuildSource::Archive { path: archives.join(archive_place(&self.artifact)), subdirectory },
        };
        WheelBuild { name, version: self.version.clone(), source }
    }
}

/// Returns what identifies a build.
pub(super) fn build_key(artifact: &Artifact) -> String {
    let Artifact { name, commit, subdirectory, sha256, kind, .. } = artifact;
    match (kind, commit) {
        (ArtifactKind::Vcs, Some(commit)) => format!("{name} {commit} {}", subdirectory.as_deref().unwrap_or_default()),
        (ArtifactKind::Sdist, _) => format!("{name} {}", sha256.as_deref().unwrap_or_default()),
        _ => String::new(),
    }
}

/// Returns what was asked for, and what else decides which wheels fit: sorted, because the order does not matter.
fn requests(request: &VendorRequest, variables: &Variables) -> Vec<String> {
    // The path of an interpreter is another one on each machine, and its version is known otherwise.
    let is_version = |python: &&String| !python.contains(['/', '\\']);
    let mut requests: BTreeSet<_> =
        request.pythons.iter().filter(is_version).chain(&request.platforms).cloned().collect();
    let is_macos = request.platforms.iter().any(|platform| platform.ends_with("apple-darwin"));
    let version = variables.get("MACOSX_DEPLOYMENT_TARGET").filter(|version| is_macos && !version.is_empty());
    requests.extend(version.map(|version| format!("macOS {version}")));
    requests.into_iter().collect()
}

/// Returns what wheels are for: each interpreter that is asked for, on each platform.
fn find_targets(
    context: &ProfileContext<'_>,
    settings: &Settings,
    uv: &Uv,
    request: &VendorRequest,
) -> crate::Result<Vec<Target>> {
    let child = |invocation: Invocation| settings.child(invocation);
    let vendor = vendor_context(context, settings, uv, &child);
    let project = &context.paths.directory;
    let tools = match &*request.pythons {
        [] => vec![Tools::find(&vendor, project, None)?],
        pythons => {
            pythons.iter().map(|python| Tools::find(&vendor, project, Some(python))).collect::<Result<_, _>>()?
        }
    };
    let platforms: BTreeSet<_> = request.platforms.iter().cloned().map(Some).collect();
    let platforms = if platforms.is_empty() { BTreeSet::from([None]) } else { platforms };
    let of_tools = |tools: &Tools| {
        let target = |platform: &Option<String>| Target { tools: tools.clone(), platform: platform.clone() };
        platforms.iter().map(target).collect::<Vec<_>>()
    };
    let mut targets: Vec<_> = tools.iter().flat_map(of_tools).collect();
    // In whatever order they were asked for.
    targets.sort_by_key(Target::description);
    targets.dedup_by_key(|target| target.description());
    Ok(targets)
}

/// Returns the file of an artifact; its path is relative to `lock`.
fn download(artifact: &Artifact, lock: &Utf8Path) -> Result<Download, VendorError> {
    let lacks = |what: &str| VendorError::Package {
        package: artifact.name.to_string(),
        problem: format!("the lockfile has no {what} for it"),
    };
    let file_url = |path: &String| git::file_url(&normal(&lock.with_file_name(path)));
    let url = artifact.url.clone().or_else(|| artifact.path.as_ref().map(file_url));
    let file = artifact.file.clone().ok_or_else(|| lacks("file name"))?;
    Ok(Download {
        name: artifact.name.to_string(),
        place: if artifact.kind == ArtifactKind::Sdist { archive_place(artifact) } else { file.clone() },
        file: artifact.remote_file.clone().unwrap_or(file),
        url: url.ok_or_else(|| lacks("URL"))?,
        sha256: artifact.sha256.clone(),
        size: artifact.size,
    })
}

/// Returns what a source distribution is called in the staging directory: different ones can have the same name.
fn archive_place(artifact: &Artifact) -> String {
    let file = artifact.file.as_deref().unwrap_or_default();
    let hash = artifact.sha256.as_deref().or(artifact.url.as_deref()).unwrap_or_default();
    format!("{}-{file}", &digest(hash.as_bytes())[..8])
}

/// Returns the URLs of the indexes of manifest and variables, with credentials.
fn indexes(context: &ProfileContext<'_>, session: &Session) -> Vec<String> {
    let variables = &session.settings.variables;
    let of_manifests =
        context.manifests().flat_map(|manifest| manifest.uv.indexes.iter().map(|index| index.url.clone()));
    let of_variables = with_urls().filter_map(|name| variables.get(name)).flat_map(str::split_whitespace);
    let named =
        of_variables.map(|url| url.split_once('=').filter(|(name, _)| !name.contains(':')).map_or(url, |(_, url)| url));
    of_manifests.chain(named.map(str::to_owned)).collect()
}
