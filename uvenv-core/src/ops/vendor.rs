//! `vendor`: bring all that an environment is made of into a directory.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    fs,
    sync::{Mutex, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Session, SyncPlan, SyncRequest, milliseconds, uv_failed};
use crate::{
    cache::{self, FileLock},
    checksum,
    digest::digest,
    environment::Environment,
    git::{self, Git},
    git_url,
    manifest::{Manifest, SourceKind},
    monorepo::{Monorepo, Profile},
    observer::Interrupted,
    process::{Captured, Invocation, Stderr, Streamed, ending},
    report::{VendorReport, VendorTarget},
    uv::{self, ExportCommand, FindPythonCommand, Uv, UvError},
    vendor::{
        Archive, Builder, Client, ExportedPackage, ExportedSource, Host, Origin, SourceTree, Tags, Tally, Target,
        TargetPlatform, TargetPython, UV, VendorError, VendorManifest, VendoredEnvironment, VendoredFile,
        VendoredWheel, WHEELS, WheelName, altered, read_export, wheel_in,
    },
};

/// Where in the directory what is not whole yet is kept, for the next run to go on with.
const PARTIAL: &str = ".partial";

/// So many files at least are waited for at the same time: a server is slower than a core.
const AT_ONCE: usize = 8;

/// How often it is looked whether all is done.
const TICK: Duration = Duration::from_millis(10);

/// What to vendor, and where.
#[derive(Clone, Debug, Default)]
pub struct VendorRequest {
    /// What a sync would install.
    pub sync: SyncRequest,
    /// The Pythons; else that of the profile.
    pub pythons: Vec<TargetPython>,
    /// The platforms; else this machine.
    pub platforms: Vec<TargetPlatform>,
    /// The directory; else `vendor/PROFILE-BACKEND` in the monorepo.
    pub directory: Option<Utf8PathBuf>,
    /// uv itself as well.
    pub with_uv: bool,
}

/// A vendoring that is about to be done.
#[derive(Debug)]
pub struct VendorPlan {
    directory: Utf8PathBuf,
    project: Utf8PathBuf,
    manifest: Manifest,
    vendored: VendorManifest,
    host: Target,
    python: Utf8PathBuf,
    targets: Vec<Target>,
    wanted: Vec<Wanted>,
    with_uv: bool,
    uv: Uv,
    start: Instant,
}

/// A package, and where it is to be installed.
#[derive(Debug)]
struct Wanted {
    package: ExportedPackage,
    /// By their places.
    targets: Vec<usize>,
}

/// What has to be done for a package.
enum Job<'a> {
    Fetch { archive: &'a Archive, targets: Vec<usize>, package: &'a ExportedPackage },
    Build { package: &'a ExportedPackage, sdist: Option<&'a Archive>, targets: Vec<usize> },
}

/// What the work is done with.
struct Tools<'a> {
    client: Client,
    builder: Builder<'a>,
    /// Of each target.
    tags: &'a [Tags],
    tally: Tally,
}

/// A wheel that was built here.
struct Built {
    directory: Utf8PathBuf,
    file: String,
    name: WheelName,
}

/// A wheel that is there.
struct Ready {
    wheel: VendoredWheel,
    targets: Vec<usize>,
    /// Where it is, if not among the wheels yet.
    built: Option<Utf8PathBuf>,
    is_downloaded: bool,
}

impl VendorRequest {
    /// Asks uv what it would install, and finds what has to be brought for each target.
    pub fn plan(&self, monorepo: &Monorepo, session: &Session, profile: Profile) -> crate::Result<VendorPlan> {
        let start = Instant::now();
        // The environment is of no matter, and need not be usable.
        let request = SyncRequest { recreate: true, ..self.sync.clone() };
        let sync = SyncPlan::new(monorepo, session, profile, &request)?;
        let paths = monorepo.profile(profile)?;
        let uv = session.uv()?.clone();
        let python = find_python(session, &uv, &paths.directory, self.sync.python.as_deref(), &sync.environment)?;
        let host = ask(session, &python)?;
        let host = host.target().filter(|_| host.implementation == "cpython").ok_or_else(|| {
            VendorError::target("--python", &host.to_string(), "is no CPython on a platform that wheels are made for")
        })?;
        let targets = self.targets(&host);
        let export = export(session, &uv, &sync)?;
        let wanted = wanted(read_export(&export, &paths.directory)?, &targets)?;
        let lockfile = checksum::sha256(&paths.lockfile()).map_err(VendorError::unusable(&paths.lockfile()))?;
        let backend = sync.selection.name().cloned();
        let name = match &backend {
            Some(backend) => format!("{profile}-{backend}"),
            None => profile.to_string(),
        };
        Ok(VendorPlan {
            directory: self.directory.clone().unwrap_or_else(|| monorepo.root.join("vendor").join(name)),
            project: paths.directory.clone(),
            manifest: monorepo.manifest(paths)?,
            vendored: VendorManifest::new(profile, backend, sync.locked_selection(), lockfile),
            host,
            python,
            targets,
            wanted,
            with_uv: self.with_uv,
            uv,
            start,
        })
    }

    fn targets(&self, host: &Target) -> Vec<Target> {
        let pythons = if self.pythons.is_empty() { vec![host.python] } else { self.pythons.clone() };
        let platforms = if self.platforms.is_empty() { vec![host.platform.clone()] } else { self.platforms.clone() };
        let on_all = |python| platforms.iter().cloned().map(move |platform| Target { python, platform });
        let mut targets: Vec<_> = pythons.into_iter().flat_map(on_all).collect();
        targets.sort();
        targets.dedup();
        targets
    }
}

/// The interpreter of the profile: `asked`, else that of its environment, else what uv would take for a new one.
pub(super) fn find_python(
    session: &Session,
    uv: &Uv,
    project: &Utf8Path,
    asked: Option<&str>,
    environment: &Utf8Path,
) -> crate::Result<Utf8PathBuf> {
    let environment = Environment::new(environment);
    if asked.is_none() && environment.usable().is_ok_and(|usable| usable.is_some()) {
        return Ok(environment.executable());
    }
    let said = capture(session, &FindPythonCommand { project, asked }.invocation(uv))?;
    Ok(said.stdout.trim().into())
}

/// What a Python says of itself and its machine.
pub(super) fn ask(session: &Session, python: &Utf8Path) -> crate::Result<Host> {
    let question = Invocation::new(python.as_str()).args(["-I", "-B", "-c", Host::QUESTION]);
    let silent = |problem: String| crate::environment::EnvironmentError::Silent { python: python.to_owned(), problem };
    let said = session.child(question).capture().map_err(|error| silent(error.to_string()))?;
    if !said.status.success() {
        return Err(silent(format!("it {}: {}", ending(said.status), said.stderr.trim())).into());
    }
    Ok(serde_json::from_str(&said.stdout).map_err(|error| silent(error.to_string()))?)
}

fn capture(session: &Session, invocation: &Invocation) -> crate::Result<Captured> {
    let invocation = session.child(invocation.clone());
    if session.show_commands {
        session.observer().runs(&invocation.to_string());
    }
    let not_started = |source| UvError::NotStarted { command: invocation.to_string(), source };
    let said = invocation.capture().map_err(not_started)?;
    if said.status.success() {
        return Ok(said);
    }
    let streamed = Streamed { status: said.status, stderr: said.stderr, interrupted: false };
    Err(uv_failed(&invocation, said.status, &streamed, Stderr::Capture).into())
}

fn export(session: &Session, uv: &Uv, sync: &SyncPlan) -> crate::Result<String> {
    let command = ExportCommand {
        project: sync.paths.directory.clone(),
        lock: sync.lock(),
        selection: sync.locked_selection(),
        offline: session.offline,
    };
    Ok(capture(session, &command.invocation(uv))?.stdout)
}

/// What of `packages` is installed on which target.
fn wanted(packages: Vec<ExportedPackage>, targets: &[Target]) -> Result<Vec<Wanted>, VendorError> {
    let environments = targets.iter().map(Target::markers).collect::<Result<Vec<_>, _>>()?;
    let mut wanted = Vec::new();
    for package in packages {
        let holds = |environment| package.marker.as_ref().is_none_or(|marker| marker.evaluate(environment, &[]));
        let targets: Vec<_> = (0..targets.len()).filter(|place| holds(&environments[*place])).collect();
        if targets.is_empty() {
            continue;
        }
        if let ExportedSource::Directory(path) = &package.source {
            return Err(VendorError::LocalPackage { name: package.name, path: path.clone() });
        }
        wanted.push(Wanted { package, targets });
    }
    Ok(wanted)
}

impl VendorPlan {
    /// Brings what is not there yet, and writes down what is. Where it fails, what was brought stays for the next time.
    pub fn execute(&self, session: &Session) -> crate::Result<VendorReport> {
        let _lock = self.lock(session)?;
        let earlier = self.prepare()?;
        let tags: Vec<_> = self.targets.iter().map(Target::tags).collect();
        let jobs = self.jobs(&tags)?;
        let mut ready = Vec::new();
        let mut left = VecDeque::new();
        for job in jobs {
            match self.is_ready(&job, earlier.as_ref(), &tags) {
                Some(known) => ready.extend(known),
                None => left.push_back(job),
            }
        }
        ready.extend(self.work(session, left, &tags)?);
        let uv = if self.with_uv { self.bring_uv(session, earlier.as_ref())? } else { Vec::new() };
        self.finish(ready, uv)
    }

    /// Two at once in one directory would each take the other's files for its own.
    fn lock(&self, session: &Session) -> crate::Result<FileLock> {
        let name = digest(self.directory.as_str().as_bytes());
        let path = cache::directory(&session.variables)?.join("vendor").join(format!("{name}.lock"));
        let why = || format!("Waiting for another process that vendors into {}…", self.directory);
        Ok(FileLock::acquire(&path, session.observer(), why)?)
    }

    /// Makes the directory, which has to be ours, and says what is there.
    fn prepare(&self) -> Result<Option<VendorManifest>, VendorError> {
        let directory = &self.directory;
        let earlier = match VendorManifest::find(directory) {
            // It is written anew.
            Err(VendorError::Damaged { .. } | VendorError::Newer { .. }) => None,
            earlier => earlier?,
        };
        if earlier.is_none() && directory.exists() && !self.partial().exists() {
            let mut entries = directory.read_dir_utf8().map_err(VendorError::unusable(directory))?;
            if entries.next().is_some() && !directory.join(crate::vendor::FILE_NAME).exists() {
                return Err(VendorError::Taken { directory: directory.clone() });
            }
        }
        for made in [self.wheels(), self.partial()] {
            fs::create_dir_all(&made).map_err(VendorError::unusable(&made))?;
        }
        Ok(earlier)
    }

    fn wheels(&self) -> Utf8PathBuf {
        self.directory.join(WHEELS)
    }

    fn partial(&self) -> Utf8PathBuf {
        self.directory.join(PARTIAL)
    }

    /// One for each file that is to be brought.
    fn jobs<'a>(&'a self, tags: &[Tags]) -> Result<Vec<Job<'a>>, VendorError> {
        let mut jobs = Vec::new();
        for Wanted { package, targets } in &self.wanted {
            let ExportedSource::Archives { wheels, sdist } = &package.source else {
                jobs.push(Job::Build { package, sdist: None, targets: targets.clone() });
                continue;
            };
            let mut by_wheel: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            let mut without = Vec::new();
            for target in targets {
                match best(wheels, &tags[*target]) {
                    Some(wheel) => by_wheel.entry(wheel).or_default().push(*target),
                    None => without.push(*target),
                }
            }
            let fetch = |(wheel, targets)| Job::Fetch { archive: &wheels[wheel], targets, package };
            jobs.extend(by_wheel.into_iter().map(fetch));
            match (without.first(), sdist) {
                (None, _) => {}
                (Some(_), Some(sdist)) => jobs.push(Job::Build { package, sdist: Some(sdist), targets: without }),
                (Some(target), None) => {
                    let files: Vec<_> = wheels.iter().map(|wheel| format!("`{}`", wheel.file)).collect();
                    let problem = format!("there are only {}", files.join(", "));
                    return Err(self.no_wheel(package, *target, problem));
                }
            }
        }
        Ok(jobs)
    }

    fn no_wheel(&self, package: &ExportedPackage, target: usize, problem: String) -> VendorError {
        let target = Box::new(self.targets[target].clone());
        VendorError::NoWheel { package: labelled(package), target, problem }
    }

    /// What a job would make, if it is there.
    fn is_ready(&self, job: &Job<'_>, earlier: Option<&VendorManifest>, tags: &[Tags]) -> Option<Vec<Ready>> {
        let directory = self.wheels();
        match job {
            Job::Fetch { archive, targets, package } => {
                let path = directory.join(&archive.file);
                let is_known = || {
                    let known = earlier.and_then(|earlier| earlier.wheel(&archive.file));
                    known.is_some_and(|known| known.file.alteration(&directory).is_none())
                };
                let is_checked = archive.hashes.iter().any(|(algorithm, _)| algorithm.starts_with("sha"));
                let is_it = path.exists() && if is_checked { archive.check(&path, "").is_ok() } else { is_known() };
                let wheel = is_it.then(|| fetched(&directory, archive, package).ok()).flatten()?;
                Some(vec![Ready { wheel, targets: targets.clone(), built: None, is_downloaded: false }])
            }
            Job::Build { package, sdist, targets } => {
                let origin = origin(package, *sdist);
                let wheels = earlier?.wheels.iter().filter(|wheel| is_same_source(&wheel.source, &origin));
                let wheels = wheels.filter(|wheel| wheel.file.alteration(&directory).is_none());
                let names: Vec<_> =
                    wheels.filter_map(|wheel| Some((wheel, WheelName::parse(&wheel.file.file)?))).collect();
                let mut ready: BTreeMap<&str, Ready> = BTreeMap::new();
                for target in targets {
                    let (wheel, _) = names.iter().find(|(_, name)| self.fits(name, *target, tags))?;
                    let file = wheel.file.file.as_str();
                    let wheel = VendoredWheel { source: origin.clone(), ..(*wheel).clone() };
                    let new = || Ready { wheel, targets: Vec::new(), built: None, is_downloaded: false };
                    ready.entry(file).or_insert_with(new).targets.push(*target);
                }
                Some(ready.into_values().collect())
            }
        }
    }

    /// Whether a wheel that was built here can be installed on a target. One for this system and no older one is not
    /// named so by builders: `linux_x86_64` says nothing of the C library that it needs.
    fn fits(&self, wheel: &WheelName, target: usize, tags: &[Tags]) -> bool {
        let is_local = wheel.tags().all(|tag| tag.contains("-linux_"));
        let target = (&self.targets[target], &tags[target]);
        target.1.rank(wheel).is_some() && (!is_local || self.host.platform.runs_on(&target.0.platform))
    }

    fn tools<'a>(&'a self, session: &'a Session, tags: &'a [Tags]) -> Result<Tools<'a>, VendorError> {
        let limit = git::limit(&session.variables);
        let builder = Builder {
            uv: session.child(self.uv.invocation()),
            project: &self.project,
            git: Git::find(&session.child_view()).ok(),
            variables: &session.variables,
            observer: session.observer(),
            is_offline: session.offline,
        };
        let client = Client::new(&self.manifest.uv.indexes, &session.variables, limit, session.offline)?;
        Ok(Tools { client, builder, tags, tally: Tally::default() })
    }

    /// Does the jobs, on all cores.
    fn work(&self, session: &Session, jobs: VecDeque<Job<'_>>, tags: &[Tags]) -> crate::Result<Vec<Ready>> {
        let observer = session.observer();
        let tools = self.tools(session, tags)?;
        let files = jobs.iter().filter_map(Job::archive);
        tools.tally.total.store(files.clone().filter_map(|archive| archive.size).sum(), Ordering::Relaxed);
        let files = files.count();
        let threads = thread::available_parallelism().map_or(1, usize::from).max(AT_ONCE).min(jobs.len());
        let (queue, done) = (Mutex::new(jobs), Mutex::new(Vec::new()));
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        thread::scope(|scope| {
            let work = || {
                while let Some(job) = next() {
                    let outcome = self.do_job(&job, &tools);
                    // What is under way elsewhere would be for nothing.
                    if outcome.is_err() {
                        tools.tally.stop.store(true, Ordering::Relaxed);
                    }
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            while workers.iter().any(|worker| !worker.is_finished()) {
                tools.tally.tell(observer, files);
                thread::sleep(TICK);
            }
            tools.tally.tell(observer, files);
        });
        let outcomes = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        joined(outcomes)
    }

    fn do_job(&self, job: &Job<'_>, tools: &Tools<'_>) -> Result<Vec<Ready>, VendorError> {
        let Tools { client, tally, .. } = tools;
        tally.check()?;
        match job {
            Job::Fetch { archive, targets, package } => {
                let directory = self.wheels();
                client.fetch(archive, &directory, &self.partial(), tally)?;
                let wheel = fetched(&directory, archive, package)?;
                Ok(vec![Ready { wheel, targets: targets.clone(), built: None, is_downloaded: true }])
            }
            Job::Build { package, sdist, targets } => {
                if let Some(sdist) = sdist
                    && sdist.check(&self.partial().join(&sdist.file), "").is_err()
                {
                    client.fetch(sdist, &self.partial(), &self.partial(), tally)?;
                }
                self.build(package, *sdist, targets, tools)
            }
        }
    }

    /// Builds a package: once if the wheel fits everywhere, else for each Python.
    fn build(
        &self,
        package: &ExportedPackage,
        sdist: Option<&Archive>,
        targets: &[usize],
        tools: &Tools<'_>,
    ) -> Result<Vec<Ready>, VendorError> {
        let origin = origin(package, sdist);
        let mut left = targets.to_vec();
        let mut ready = Vec::new();
        while let Some(first) = left.first().copied() {
            let python = self.targets[first].python;
            // Most wheels are for any Python, and that of this machine is there.
            let mut built = self.built(package, &origin, sdist, self.python.as_str(), tools);
            let fits = |built: &Built| self.fits(&built.name, first, tools.tags);
            if !built.as_ref().is_ok_and(fits) && !python.is_same(self.host.python) {
                built = self.built(package, &origin, sdist, &python.to_string(), tools);
            }
            let built = built?;
            if !fits(&built) {
                return Err(self.no_wheel(package, first, format!("what is built here is `{}`", built.file)));
            }
            let (fitting, others) = left.into_iter().partition(|target| self.fits(&built.name, *target, tools.tags));
            left = others;
            let file = VendoredFile::of(&built.directory, &built.file)?;
            let WheelName { name, version, .. } = built.name;
            let wheel = VendoredWheel { name, version, file, source: origin.clone() };
            let built = Some(built.directory.join(built.file));
            ready.push(Ready { wheel, targets: fitting, built, is_downloaded: false });
        }
        Ok(ready)
    }

    /// The wheel that an interrupted run has built, or a new one.
    fn built(
        &self,
        package: &ExportedPackage,
        origin: &Origin,
        sdist: Option<&Archive>,
        python: &str,
        tools: &Tools<'_>,
    ) -> Result<Built, VendorError> {
        let key = digest(format!("{origin:?} {python}").as_bytes());
        let directory = self.partial().join("built").join(key);
        let failed = |problem: String| VendorError::Build { package: labelled(package), problem };
        let file = if let Ok(Some(file)) = wheel_in(&directory) {
            file
        } else {
            let url = self.url_of(package);
            let tree = match (origin, sdist) {
                (Origin::Git { commit, subdirectory, .. }, _) => {
                    SourceTree::Git { url: &url, commit, subdirectory: subdirectory.as_deref() }
                }
                (_, Some(sdist)) => SourceTree::Sdist(self.partial().join(&sdist.file)),
                (_, None) => return Err(failed("it has no source".to_owned())),
            };
            let work = directory.with_extension("work");
            let file = tools.builder.build(&labelled(package), &tree, python, &work, &tools.tally)?;
            fs::rename(&work, &directory).map_err(VendorError::unusable(&directory))?;
            file
        };
        let name = WheelName::parse(&file).ok_or_else(|| failed(format!("`{file}` is no name of a wheel")))?;
        Ok(Built { directory, file, name })
    }

    /// The URL of a package's repository, with the credentials that the manifest may have in it: lockfiles have none.
    fn url_of(&self, package: &ExportedPackage) -> String {
        let ExportedSource::Git { url, .. } = &package.source else { return String::new() };
        let sources = self.manifest.sources_of(&package.name).iter();
        let of_manifest = sources.filter_map(|source| match &source.kind {
            SourceKind::Git { url, .. } => Some(&url.value),
            _ => None,
        });
        let is_it = |candidate: &&String| git_url::canonical(candidate) == git_url::canonical(url);
        of_manifest.into_iter().find(is_it).unwrap_or(url).clone()
    }

    /// The wheels of uv for the platforms; those of the last run where that was for the same ones.
    fn bring_uv(&self, session: &Session, earlier: Option<&VendorManifest>) -> crate::Result<Vec<VendoredFile>> {
        let directory = self.directory.join(UV);
        let known = earlier.filter(|earlier| {
            earlier.environments.iter().map(|environment| &environment.target).eq(&self.targets)
                && !earlier.uv.is_empty()
                && earlier.uv.iter().all(|wheel| uv::is_of_pinned(&wheel.file))
                && altered(&directory, earlier.uv.iter()).is_empty()
        });
        if let Some(earlier) = known {
            return Ok(earlier.uv.clone());
        }
        if session.offline {
            return Err(VendorError::offline("uv").into());
        }
        let mut platforms: Vec<_> = self.targets.iter().map(|target| target.platform.tags()).collect();
        platforms.dedup();
        let files = uv::download(&session.variables, session.observer(), &directory, &platforms)?;
        Ok(files.iter().map(|file| VendoredFile::of(&directory, file)).collect::<Result<_, _>>()?)
    }

    /// Puts what was built to the rest, writes the manifest, and then removes what is in neither.
    fn finish(&self, ready: Vec<Ready>, uv: Vec<VendoredFile>) -> crate::Result<VendorReport> {
        let directory = self.wheels();
        let mut manifest = self.vendored.clone();
        let mut files: Vec<Vec<String>> = vec![Vec::new(); self.targets.len()];
        let (mut downloaded, mut built) = (Vec::new(), Vec::new());
        for Ready { wheel, targets, built: from, is_downloaded } in ready {
            let file = wheel.file.file.clone();
            if let Some(from) = from {
                let path = directory.join(&file);
                fs::rename(&from, &path).map_err(VendorError::unusable(&path))?;
                built.push(file.clone());
            }
            if is_downloaded {
                downloaded.push(file.clone());
            }
            for target in targets {
                files[target].push(file.clone());
            }
            manifest.wheels.push(wheel);
        }
        for list in [&mut downloaded, &mut built].into_iter().chain(&mut files) {
            list.sort();
        }
        manifest.wheels.sort_by(|one, other| one.file.file.cmp(&other.file.file));
        let environments = self.targets.iter().cloned().zip(files);
        manifest.environments = environments.map(|(target, wheels)| VendoredEnvironment { target, wheels }).collect();
        manifest.uv = uv;
        manifest.write(&self.directory)?;
        let removed = self.tidy(&manifest)?;
        Ok(self.report(&manifest, downloaded, built, removed))
    }

    /// Removes what no environment installs.
    fn tidy(&self, manifest: &VendorManifest) -> Result<Vec<String>, VendorError> {
        let mut removed = Vec::new();
        let uv = |file: &str| manifest.uv.iter().any(|vendored| vendored.file == file);
        let wheel = |file: &str| manifest.wheel(file).is_some();
        for (directory, is_needed) in [(self.wheels(), &wheel as &dyn Fn(&str) -> bool), (self.directory.join(UV), &uv)]
        {
            for entry in directory.read_dir_utf8().ok().into_iter().flatten().flatten() {
                if !is_needed(entry.file_name()) {
                    fs::remove_file(entry.path()).map_err(VendorError::unusable(entry.path()))?;
                    removed.push(entry.file_name().to_owned());
                }
            }
        }
        removed.sort();
        // Empty now, unless an earlier run has used it.
        let _ = fs::remove_dir(self.directory.join(UV));
        fs::remove_dir_all(self.partial()).map_err(VendorError::unusable(&self.partial()))?;
        Ok(removed)
    }

    fn report(
        &self,
        manifest: &VendorManifest,
        downloaded: Vec<String>,
        built: Vec<String>,
        removed: Vec<String>,
    ) -> VendorReport {
        let target = |environment: &VendoredEnvironment| VendorTarget {
            python: environment.target.python.to_string(),
            platform: environment.target.platform.to_string(),
            distributions: environment.wheels.len(),
        };
        VendorReport {
            profile: manifest.profile,
            backend: manifest.backend.clone(),
            directory: self.directory.clone(),
            targets: manifest.environments.iter().map(target).collect(),
            wheels: manifest.wheels.len(),
            bytes: manifest.wheels.iter().map(|wheel| wheel.file.size).sum(),
            downloaded,
            built,
            removed,
            uv: manifest.uv.iter().map(|file| file.file.clone()).collect(),
            elapsed_ms: milliseconds(self.start.elapsed()),
        }
    }
}

impl<'a> Job<'a> {
    /// What it downloads.
    fn archive(&self) -> Option<&'a Archive> {
        match self {
            Self::Fetch { archive, .. } => Some(archive),
            Self::Build { sdist, .. } => *sdist,
        }
    }
}

/// All that was made, or the first failure that is none because of another.
fn joined(outcomes: Vec<Result<Vec<Ready>, VendorError>>) -> crate::Result<Vec<Ready>> {
    let (mut ready, mut failure) = (Vec::new(), None);
    for outcome in outcomes {
        match outcome {
            Ok(some) => ready.extend(some),
            Err(error) if matches!(failure, None | Some(VendorError::Interrupted(Interrupted))) => {
                failure = Some(error);
            }
            Err(_) => {}
        }
    }
    failure.map_or(Ok(ready), |failure| Err(failure.into()))
}

/// The wheel that fits best, as uv chooses it: by the tag, then by the build number.
fn best(wheels: &[Archive], tags: &Tags) -> Option<usize> {
    let ranked = wheels.iter().enumerate().filter_map(|(place, wheel)| {
        let name = WheelName::parse(&wheel.file)?;
        Some((tags.rank(&name)?, Reverse(name.build), place))
    });
    ranked.min().map(|(.., place)| place)
}

fn fetched(directory: &Utf8Path, archive: &Archive, package: &ExportedPackage) -> Result<VendoredWheel, VendorError> {
    let version = WheelName::parse(&archive.file).map(|name| name.version);
    Ok(VendoredWheel {
        name: package.name.clone(),
        version: package.version.clone().or(version).unwrap_or_default(),
        file: VendoredFile::of(directory, &archive.file)?,
        source: Origin::Wheel { url: archive.location.text().to_owned() },
    })
}

fn origin(package: &ExportedPackage, sdist: Option<&Archive>) -> Origin {
    match (&package.source, sdist) {
        (ExportedSource::Git { url, requested, commit, subdirectory }, _) => Origin::Git {
            url: url.clone(),
            requested: requested.clone(),
            commit: commit.clone(),
            subdirectory: subdirectory.clone(),
        },
        (_, Some(sdist)) => {
            let sha256 = sdist.hashes.iter().find(|(algorithm, _)| algorithm == "sha256");
            let sha256 = sha256.map(|(_, hash)| hash.clone()).unwrap_or_default();
            Origin::Sdist { url: sdist.location.text().to_owned(), sha256 }
        }
        (_, None) => Origin::Wheel { url: String::new() },
    }
}

/// Whether a wheel that was built from the one is what building the other would make.
fn is_same_source(one: &Origin, other: &Origin) -> bool {
    match (one, other) {
        (
            Origin::Git { url, commit, subdirectory, .. },
            Origin::Git { url: other_url, commit: other_commit, subdirectory: other_subdirectory, .. },
        ) => (url, commit, subdirectory) == (other_url, other_commit, other_subdirectory),
        (Origin::Sdist { .. }, Origin::Sdist { .. }) => one == other,
        _ => false,
    }
}

fn labelled(package: &ExportedPackage) -> String {
    match (&package.version, &package.source) {
        (_, ExportedSource::Git { url, commit, .. }) => {
            format!("{} from {url} at {}", package.name, commit.get(..8).unwrap_or(commit))
        }
        (Some(version), _) => format!("{} {version}", package.name),
        (None, _) => package.name.to_string(),
    }
}
