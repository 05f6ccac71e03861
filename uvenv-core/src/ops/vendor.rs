//! `vendor`: everything that a profile's environment needs, in one directory.

mod directory;
mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Arc,
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};

use self::{
    directory::{BUILD_REQUIREMENTS, VendoredDirectory},
    plan::{PlannedBuild, VendorPlan},
};
use super::{Session, milliseconds};
use crate::{
    backend::Choice,
    fs::{atomic, parallel},
    model::{Observer, Profile, observer::Progress},
    monorepo::Monorepo,
    process::Invocation,
    report::{VendorReport, VendoredLock},
    vendor::{
        BuiltPackage, Download, Downloads, Facts, Sources, VendorContext, VendorError, VendoredWheel, WHEELS,
        hash_file, lock_requirements,
    },
};

/// A request to vendor a profile.
#[derive(Clone, Debug, Default)]
pub struct VendorRequest {
    /// The backends, one lock for each; if there are none, the usual selection applies.
    pub backends: Vec<Choice>,
    /// The interpreters, by version or path; if there are none, the one that a sync would use.
    pub pythons: Vec<String>,
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
        let context = self.profile.vendor_context(session, &self.uv, &child);
        let wheels = directory.path.join(WHEELS);
        fs::create_dir_all(&wheels).map_err(VendorError::io(&wheels))?;
        let sources = directory.path.join(directory::SOURCES);
        fs::create_dir_all(&sources).map_err(VendorError::io(&sources))?;
        let downloaded = self.download(&context, &wheels, &sources)?;
        let built = self.build(&context, directory, &sources)?;
        let all = built.values().flat_map(|package| &package.wheels);
        let mut names: Vec<_> = all.map(|wheel| wheel.file.clone()).collect();
        names.retain(|name| !self.reused.contains(name));
        names.sort();
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let mut locks = Vec::new();
        for lock in &self.locks {
            let (text, files, packages) = self.lock_text(lock, &wheels, &built)?;
            needed.extend(files);
            let path = directory.path.join(&lock.file);
            atomic::replace_own(&path, text).map_err(VendorError::io(&path))?;
            locks.push(VendoredLock { file: lock.file.clone(), backend: lock.backend.clone(), packages });
        }
        let _ = fs::remove_dir_all(&sources);
        let removed = directory.remove_others(&needed, &locks, !built.is_empty())?;
        let mut bytes = 0;
        for file in &needed {
            let path = wheels.join(file);
            bytes += fs::metadata(&path).map_err(VendorError::io(&path))?.len();
        }
        Ok(VendorReport {
            profile: self.profile.context.profile,
            directory: directory.path.clone(),
            locks,
            pythons: self.pythons(),
            wheels: needed.len(),
            bytes,
            downloaded,
            built: names,
            removed,
            uv: Some((&self.uv).into()),
            elapsed_ms: 0,
        })
    }

    /// Downloads what is missing: wheels into their place, source distributions to `sources`. Returns the names of the files.
    fn download(
        &self,
        context: &VendorContext<'_>,
        wheels: &Utf8Path,
        sources: &Utf8Path,
    ) -> crate::Result<Vec<String>> {
        let is_missing = |directory: &Utf8Path, file: &Download| {
            hash_file(&directory.join(&file.file)).map_or(true, |(sha256, _)| Some(sha256) != file.sha256)
        };
        let missing = |directory: &Utf8Path, files: &[Download]| -> Vec<_> {
            files.iter().filter(|file| is_missing(directory, file)).cloned().collect()
        };
        let groups = [(wheels, missing(wheels, &self.wheels)), (sources, missing(sources, &self.archives))];
        let all: Vec<_> = groups.iter().flat_map(|(_, files)| files.iter().map(|file| file.file.clone())).collect();
        if context.offline && !all.is_empty() {
            let directory = wheels.parent().unwrap_or(wheels).to_owned();
            return Err(VendorError::Offline { missing: all, directory }.into());
        }
        let progress = DownloadProgress::new(context.observer, groups.iter().flat_map(|(_, files)| files));
        for (directory, files) in &groups {
            // pip downloads only what fits its interpreter.
            for (number, tools) in self.tools.iter().enumerate() {
                let fitting: Vec<_> =
                    files.iter().filter(|file| self.needed_by.get(&file.file) == Some(&number)).cloned().collect();
                let downloads = Downloads { context, tools, indexes: &self.indexes, directory };
                downloads.run(&fitting, &|files| progress.add(files))?;
            }
        }
        Ok(all)
    }

    /// Builds what has to be built. Returns the wheels of each package, by its key.
    fn build(
        &self,
        context: &VendorContext<'_>,
        directory: &VendoredDirectory,
        sources: &Utf8Path,
    ) -> crate::Result<BTreeMap<String, BuiltPackage>> {
        let mut done: BTreeMap<_, _> = self.kept.clone();
        let builds: Vec<_> = self.builds.iter().filter(|build| !done.contains_key(&build.key)).collect();
        if builds.is_empty() {
            return Ok(done);
        }
        let Some(first) = self.tools.first() else { return Ok(done) };
        let place = directory::build_directory(context.variables);
        let lock = directory::lock_builds(&place, context)?;
        // A build that outlives this process keeps others out of the directory.
        let child = |invocation: Invocation| (context.child)(invocation).holding(Arc::clone(lock.file()));
        let context = &VendorContext { child: &child, ..*context };
        let unpack = |(): &mut (), build: &&PlannedBuild| {
            Ok((build.key.clone(), build.wheel(sources).unpack(context, first, &place)?))
        };
        let unpacked: crate::Result<BTreeMap<_, _>> = parallel::par_queue(&builds, || (), unpack).into_iter().collect();
        let unpacked: Vec<_> = unpacked?.into_iter().collect();
        let requirements = directory.path.join(BUILD_REQUIREMENTS);
        let all: Vec<_> = unpacked.iter().map(|(_, sources)| sources.clone()).collect();
        lock_requirements(context, first, &all, &requirements)?;
        let wheels = directory.path.join(WHEELS);
        let build = |(): &mut (), (key, sources): &(String, Sources)| {
            let mut built = Vec::new();
            for (number, tools) in self.tools.iter().enumerate() {
                let output = place.join(format!("{}-{number}.out", sources.name()));
                let file = sources.build(context, tools, &requirements, &output)?;
                let (from, to) = (output.join(&file), wheels.join(&file));
                fs::copy(&from, &to).map_err(VendorError::io(&to))?;
                let (sha256, size) = hash_file(&to).map_err(VendorError::io(&to))?;
                let fits_all = file.ends_with("-none-any.whl");
                built.push(VendoredWheel { file, sha256, size });
                if fits_all {
                    break;
                }
            }
            built.sort();
            built.dedup();
            Ok((key.clone(), BuiltPackage { wheels: built, pin: sources.pin.clone() }))
        };
        let packages: crate::Result<Vec<_>> = parallel::par_queue(&unpacked, || (), build).into_iter().collect();
        done.extend(packages?);
        let _ = fs::remove_dir_all(&place);
        Ok(done)
    }

    /// Returns the text of a lock, the wheels that it names, and the number of its packages.
    fn lock_text(
        &self,
        lock: &plan::PlannedLock,
        wheels: &Utf8Path,
        built: &BTreeMap<String, BuiltPackage>,
    ) -> crate::Result<(String, Vec<String>, usize)> {
        let mut by_package: BTreeMap<usize, Vec<VendoredWheel>> = BTreeMap::new();
        let mut pins = Vec::new();
        let mut names = BTreeSet::new();
        for artifact in lock.selected.iter().flat_map(|selected| &selected.artifacts) {
            let of_package = by_package.entry(artifact.index).or_default();
            if let Some(package) = built.get(&plan::build_key(artifact)) {
                of_package.extend(package.wheels.iter().cloned());
                pins.extend(package.pin.clone());
                names.insert(artifact.name.clone());
            } else {
                let file = artifact.file.clone().unwrap_or_default();
                let path = wheels.join(&file);
                let (sha256, size) = hash_file(&path).map_err(VendorError::io(&path))?;
                of_package.push(VendoredWheel { file, sha256, size });
            }
        }
        for of_package in by_package.values_mut() {
            of_package.sort();
            of_package.dedup();
        }
        pins.sort_by(|one, other| one.name.cmp(&other.name));
        pins.dedup();
        let built = names.into_iter().collect();
        let facts = Facts { pins, built, pythons: self.pythons(), ..self.profile.facts(lock.backend.clone()) };
        let files = by_package.values().flatten().map(|wheel| wheel.file.clone()).collect();
        Ok((lock.pylock.vendored(&by_package, &facts), files, by_package.len()))
    }

    /// Returns the versions of Python: `3.11`.
    fn pythons(&self) -> Vec<String> {
        let selected = self.locks.iter().flat_map(|lock| &lock.selected);
        let minor = |version: &str| version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        let versions: BTreeSet<_> = selected.map(|selected| minor(&selected.python)).collect();
        versions.into_iter().collect()
    }
}

/// Tells an observer how many files are there, of how many.
struct DownloadProgress<'a> {
    observer: &'a dyn Observer,
    total: u64,
    done: std::sync::atomic::AtomicU64,
}

impl<'a> DownloadProgress<'a> {
    fn new<'d>(observer: &'a dyn Observer, files: impl Iterator<Item = &'d Download>) -> Self {
        let files: Vec<_> = files.collect();
        let bytes: u64 = files.iter().filter_map(|file| file.size).sum();
        if !files.is_empty() {
            observer.say(&format!("Downloading {} files, {} kB…", files.len(), bytes.div_ceil(1000)));
        }
        Self { observer, total: files.len() as u64, done: 0.into() }
    }

    fn add(&self, files: &[Download]) {
        let count = files.len() as u64;
        let done = self.done.fetch_add(count, std::sync::atomic::Ordering::Relaxed) + count;
        self.observer.progress(&Progress::Preparing { done, total: self.total });
    }
}
