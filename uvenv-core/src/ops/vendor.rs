//! `vendor`: everything that a profile's environment needs, in one directory.

mod build_directory;
mod confirm;
mod directory;
mod plan;
mod planned_lock;
mod tool_lock;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};

use self::{
    build_directory::BuildDirectory,
    confirm::confirm,
    directory::VendoredDirectory,
    plan::{NeededFiles, PlannedBuild, VendorPlan},
    planned_lock::PlannedLock,
};
use super::{Session, milliseconds};
use crate::{
    backend::Choice,
    fs::{atomic, parallel},
    model::Profile,
    monorepo::Monorepo,
    process::Invocation,
    report::{VendorReport, VendoredLock},
    vendor::{
        BuiltPackage, Download, DownloadProgress, Downloads, Facts, PinFacts, Purpose, Sources, Target, VendorContext,
        VendorError, VendoredWheel, WHEELS, hash_file, lock_requirements, version_in,
    },
};

/// A request to vendor a profile.
#[derive(Clone, Debug, Default)]
pub struct VendorRequest {
    /// The backends, one lock for each; if there are none, the usual selection applies.
    pub backends: Vec<Choice>,
    /// The interpreters, by version or path; if there are none, the one that a sync would use.
    pub pythons: Vec<String>,
    /// The platforms, by uv's names, such as `aarch64-manylinux_2_28`; if there are none, this machine's.
    pub platforms: Vec<String>,
    /// Whether to vendor uv itself too.
    pub with_uv: bool,
    /// Whether to vendor what the builds require too, so that they can be repeated without an index.
    pub with_build_requirements: bool,
    /// The directory to write.
    pub output: Utf8PathBuf,
}

impl VendorRequest {
    /// Vendors `profile`. What the directory has already is used, and what is no longer needed is removed.
    pub fn vendor(&self, monorepo: &Monorepo, session: &Session, profile: Profile) -> crate::Result<VendorReport> {
        let start = Instant::now();
        let directory = VendoredDirectory::open(&self.output, session)?;
        let profile = plan::SelectedProfile::new(self, monorepo, session, profile)?;
        let mut report = match directory.is_up_to_date(profile.wanted()) {
            Some(report) => report,
            None => VendorPlan::new(&profile, session, &directory)?.execute(session, &directory)?,
        };
        report.elapsed_ms = milliseconds(start.elapsed());
        Ok(report)
    }
}

impl VendorPlan<'_> {
    fn execute(&self, session: &Session, directory: &VendoredDirectory) -> crate::Result<VendorReport> {
        let settings = &session.settings;
        let child = |invocation: Invocation| directory.covers(settings.child(invocation));
        let context = self.profile.vendor_context(settings, &child);
        let mut downloaded = self.download(&context, directory, &self.files)?;
        let packages = self.build(&context, directory)?;
        let builds_lock = self.builds_lock(&context, directory, !packages.is_empty())?;
        let of_builds = NeededFiles::of(builds_lock.as_slice(), &self.profile.context)?;
        downloaded.extend(self.download(&context, directory, &of_builds)?);
        let planned: Vec<_> = self.locks.iter().chain(&builds_lock).collect();
        let all = packages.values().flat_map(|package| &package.wheels);
        let built: BTreeSet<_> =
            all.map(|wheel| wheel.file.clone()).filter(|file| !self.reused.contains(file)).collect();
        let texts: Vec<_> =
            planned.iter().map(|lock| self.lock_text(lock, directory, &packages)).collect::<Result<_, _>>()?;
        for (lock, LockText { text, wheels, .. }) in planned.iter().zip(&texts) {
            confirm(session, &self.profile.uv, (lock, text, wheels), directory)?;
        }
        // Everything is there: now the directory changes.
        let report = self.write(directory, &planned, texts, !packages.is_empty())?;
        Ok(VendorReport {
            downloaded,
            built: built.into_iter().collect(),
            uv: Some((&self.profile.uv).into()),
            ..report
        })
    }

    /// Moves what was staged into its place, writes the locks, and removes what they do not name.
    fn write(
        &self,
        directory: &VendoredDirectory,
        planned: &[&PlannedLock],
        texts: Vec<LockText>,
        has_builds: bool,
    ) -> crate::Result<VendorReport> {
        let wheels: BTreeSet<_> = texts.iter().flat_map(|text| text.wheels.iter().cloned()).collect();
        directory.take_staged(&wheels)?;
        let mut locks = Vec::new();
        for (lock, LockText { text, packages, .. }) in planned.iter().zip(texts) {
            let path = directory.path.join(&lock.file);
            atomic::replace_own(&path, text).map_err(VendorError::io(&path))?;
            if lock.purpose == Purpose::Environment {
                locks.push(VendoredLock { file: lock.file.clone(), backend: lock.backend.clone(), packages });
            }
        }
        let names: Vec<_> = planned.iter().map(|lock| lock.file.clone()).collect();
        let removed = directory.remove_others(&wheels, &names, has_builds)?;
        let report = directory.report(self.profile.context.profile, locks, self.pythons(), &wheels);
        Ok(VendorReport { removed, ..report })
    }

    /// Downloads what is missing of `files` to the staging directory. Returns the names of the files.
    fn download(
        &self,
        context: &VendorContext<'_>,
        directory: &VendoredDirectory,
        files: &NeededFiles,
    ) -> crate::Result<Vec<String>> {
        let (wheels, archives) = (directory.staged_wheels()?, directory.staged_archives()?);
        let has = |path: &Utf8Path, file: &Download| {
            hash_file(&path.join(&file.place)).is_ok_and(|(sha256, _)| Some(sha256) == file.sha256)
        };
        let is_missing = |file: &&Download| !has(&wheels, file) && !has(&directory.path.join(WHEELS), file);
        let missing: Vec<_> = files.wheels.iter().filter(is_missing).cloned().collect();
        let is_needed = |file: &&Download| self.needs_archive(file) && !has(&archives, file);
        let missing_archives: Vec<_> = files.archives.iter().filter(is_needed).cloned().collect();
        let all: Vec<_> = missing.iter().chain(&missing_archives).map(|file| file.file.clone()).collect();
        if context.offline {
            let pins = files.builds.iter().filter(|build| !self.kept.contains_key(&build.key)).map(PlannedBuild::shown);
            let missing: Vec<_> = all.iter().cloned().chain(pins).collect();
            if !missing.is_empty() {
                return Err(VendorError::Offline { missing, directory: directory.path.clone() }.into());
            }
        }
        let progress = DownloadProgress::new(context.observer, missing.iter().chain(&missing_archives));
        progress.during(&[wheels.clone(), archives.clone()], || -> crate::Result<()> {
            for (of_kind, to) in [(&missing, &wheels), (&missing_archives, &archives)] {
                for (target, fitting) in files.by_target(of_kind) {
                    let downloads = Downloads { context, target, indexes: &self.indexes, directory: to };
                    downloads.run(&fitting, &|files| progress.add(files))?;
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Builds what has to be built, in the staging directory. Returns the wheels of each package, by its key.
    fn build(
        &self,
        context: &VendorContext<'_>,
        directory: &VendoredDirectory,
    ) -> crate::Result<BTreeMap<String, BuiltPackage>> {
        let mut done: BTreeMap<_, _> = self.kept.clone();
        let builds: Vec<_> = self.files.builds.iter().filter(|build| !done.contains_key(&build.key)).collect();
        let Some(Target { tools: first, .. }) = self.profile.targets.first() else { return Ok(done) };
        if builds.is_empty() && (done.is_empty() || directory.has_requirements()) {
            return Ok(done);
        }
        let place = BuildDirectory::make(context)?;
        // A build that outlives this process keeps others out of the directory.
        let child = |invocation: Invocation| place.covers((context.child)(invocation));
        let context = &VendorContext { child: &child, ..*context };
        let archives = directory.staged_archives()?;
        let unpack = |(): &mut (), build: &&PlannedBuild| {
            Ok((build.key.clone(), build.wheel(&archives).unpack(context, first, &place.of(&build.key))?))
        };
        let unpacked: crate::Result<BTreeMap<_, _>> = parallel::par_queue(&builds, || (), unpack).into_iter().collect();
        let unpacked: Vec<_> = unpacked?.into_iter().collect();
        let requirements = directory.staged_requirements()?;
        let of_kept = done.values().filter_map(|package| package.pin.as_ref()).flat_map(|pin| &pin.requires);
        let of_new = unpacked.iter().flat_map(|(_, sources)| sources.requirements(context));
        lock_requirements(context, first, &of_kept.chain(of_new).cloned().collect(), &requirements)?;
        let to = directory.staged_wheels()?;
        let build = |(): &mut (), (key, sources): &(String, Sources)| {
            let wheels = self.build_wheels(context, sources, &requirements, (&place.of(key), &to))?;
            Ok((key.clone(), BuiltPackage { wheels, pin: sources.pin.clone() }))
        };
        let packages: crate::Result<Vec<_>> = parallel::par_queue(&unpacked, || (), build).into_iter().collect();
        done.extend(packages?);
        reject_same_names(&done)?;
        Ok(done)
    }

    /// Builds the wheels of a package: one for each interpreter, or for all if it fits all.
    fn build_wheels(
        &self,
        context: &VendorContext<'_>,
        sources: &Sources,
        requirements: &Utf8Path,
        (from, to): (&Utf8Path, &Utf8Path),
    ) -> crate::Result<Vec<VendoredWheel>> {
        let mut built: Vec<VendoredWheel> = Vec::new();
        for (number, target) in self.profile.targets.iter().enumerate() {
            let output = from.join(format!("wheel-{number}"));
            let file = sources.build(context, &target.tools, requirements, &output)?;
            let fits_all = file.ends_with("-none-any.whl");
            if let Some(platform) = target.platform.as_ref().filter(|_| !fits_all) {
                return Err(sources.of_other_platform(&file, platform).into());
            }
            // It fits several interpreters.
            if built.iter().any(|wheel| wheel.file == file) {
                continue;
            }
            let path = to.join(&file);
            fs::copy(output.join(&file), &path).map_err(VendorError::io(&path))?;
            let (sha256, size) = hash_file(&path).map_err(VendorError::io(&path))?;
            built.push(VendoredWheel { file, sha256, size });
            if fits_all {
                break;
            }
        }
        built.sort();
        Ok(built)
    }

    /// Returns the text of a lock. Each wheel is compared with the hash in the lockfile once more.
    fn lock_text(
        &self,
        lock: &PlannedLock,
        directory: &VendoredDirectory,
        packages: &BTreeMap<String, BuiltPackage>,
    ) -> crate::Result<LockText> {
        let mut by_package: BTreeMap<usize, BTreeSet<VendoredWheel>> = BTreeMap::new();
        let mut facts = Facts { pythons: self.pythons(), ..self.profile.facts(lock.purpose, lock.backend.clone()) };
        let mut built = BTreeSet::new();
        for artifact in lock.selected.iter().flat_map(|selected| &selected.artifacts) {
            let of_package = by_package.entry(artifact.index).or_default();
            if let Some(package) = packages.get(&plan::build_key(artifact)) {
                of_package.extend(package.wheels.iter().cloned());
                let wheels = package.wheels.iter().map(|wheel| wheel.file.clone()).collect();
                facts.pins.extend(package.pin.clone().map(|pin| PinFacts { wheels, ..pin }));
                built.insert(artifact.name.clone());
            } else {
                let file = artifact.file.clone().unwrap_or_default();
                let path = directory.staged_or_present(&file)?;
                let (sha256, size) = hash_file(&path).map_err(VendorError::io(&path))?;
                if artifact.sha256.as_ref().is_some_and(|expected| *expected != sha256) {
                    return Err(VendorError::SameName { file }.into());
                }
                of_package.insert(VendoredWheel { file, sha256, size });
            }
        }
        facts.built = built.into_iter().collect();
        facts.pins.sort_by(|one, other| (&one.name, &one.commit).cmp(&(&other.name, &other.commit)));
        facts.pins.dedup();
        let wheels = by_package.values().flatten().map(|wheel| wheel.file.clone()).collect();
        let by_package = by_package.into_iter().map(|(index, wheels)| (index, wheels.into_iter().collect())).collect();
        let text = lock.pylock.vendored(&by_package, &facts);
        Ok(LockText { text, wheels, packages: by_package.len() })
    }

    /// Returns the versions of Python: `3.11`.
    fn pythons(&self) -> Vec<String> {
        let versions: BTreeSet<_> =
            self.profile.targets.iter().map(|target| version_in(&target.tools.target)).collect();
        versions.into_iter().collect()
    }
}

/// Rejects two different wheels with the same name, such as those of one version at two commits.
fn reject_same_names(packages: &BTreeMap<String, BuiltPackage>) -> Result<(), VendorError> {
    let mut hashes: BTreeMap<&str, &str> = BTreeMap::new();
    for wheel in packages.values().flat_map(|package| &package.wheels) {
        if *hashes.entry(&wheel.file).or_insert(&wheel.sha256) != wheel.sha256 {
            return Err(VendorError::SameName { file: wheel.file.clone() });
        }
    }
    Ok(())
}

/// A lock that is ready to be written.
struct LockText {
    text: String,
    /// The files that it names.
    wheels: Vec<String>,
    /// The number of its packages.
    packages: usize,
}
