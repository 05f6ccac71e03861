//! Finds the native packages that are not up to date with their sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BuildContext, NativePackages, NativeWarning,
    build_inputs::{self as inputs, BuildInputs, Files, is_live},
    build_record::{BuildRecord, RecordedBuild},
    cargo_graph::{Closure, MetadataCache},
    dep_info,
    package::NativePackage,
    toolchain,
};
use crate::{
    environment::{Changes, Distribution, Distributions, Environment, Source},
    fs::stamp::{FileStamp, changed_since},
    model::Name,
};

/// A package that must be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale {
    pub(crate) name: Name,
    /// The reason, in words.
    pub(crate) cause: String,
    /// Whether it is installed. If not, it is built when uv installs it, instead of being taken from uv's cache.
    pub(crate) is_installed: bool,
}

/// What was found about the native packages of an environment before uv started.
#[derive(Debug)]
pub(crate) struct FreshnessReport<'a> {
    pub(crate) stale: Vec<Stale>,
    pub(crate) warnings: Vec<NativeWarning>,
    native: &'a NativePackages,
    before: BuildRecord,
    entries: BTreeMap<Name, RecordedBuild>,
    /// The files with other content but a time before the last build, such as a restored older version. Cargo goes by
    /// times, and would not compile them.
    backdated: BTreeSet<Utf8PathBuf>,
    start: SystemTime,
}

const COMPILER: &str = "the Rust toolchain";

/// The resolution of file system clocks: a file may seem to be older than it is by this much.
const STEP: Duration = Duration::from_millis(10);

impl NativePackages {
    /// Compares the packages that are `installed` in `environment` with their sources. Changes nothing except, unless
    /// [`BuildContext::read_only`] is set, a `Cargo.lock` that cargo considers out of date.
    pub(crate) fn check(
        &self,
        environment: &Environment,
        installed: &Distributions,
        context: &BuildContext<'_>,
    ) -> FreshnessReport<'_> {
        let before = BuildRecord::read(environment);
        let mut report = FreshnessReport {
            stale: Vec::new(),
            warnings: Vec::new(),
            native: self,
            before,
            entries: BTreeMap::new(),
            backdated: BTreeSet::new(),
            start: context.now.checked_sub(STEP).unwrap_or(context.now),
        };
        let mut metadata_cache = MetadataCache::default();
        let last_build = BuildRecord::written_at(environment);
        for package in &self.packages {
            let distribution = find(installed, package);
            let arguments = self.config.arguments.get(&package.name).cloned().unwrap_or_default();
            let check =
                PackageCheck { package, distribution, arguments, known: report.before.of(&package.name), context };
            let is_installed = distribution.is_some();
            let stale = match check.check(&mut metadata_cache) {
                Ok((entry, cause)) => {
                    if let (Some(known), Some(last_build), Some(_)) = (check.known, last_build, &cause) {
                        report.backdated.extend(known.inputs.changed_before(&entry.inputs, last_build));
                    }
                    report.entries.insert(package.name.clone(), entry);
                    cause
                }
                Err(reason) => {
                    if is_installed {
                        let package = package.name.clone();
                        report.warnings.push(NativeWarning::FreshnessUnknown { package, reason: reason.clone() });
                    }
                    Some(format!("cannot tell whether it is up to date: {reason}"))
                }
            };
            let name = package.name.clone();
            report.stale.extend(stale.map(|cause| Stale { name, cause, is_installed }));
        }
        report
    }
}

fn find<'a>(installed: &'a Distributions, package: &NativePackage) -> Option<&'a Distribution> {
    installed.iter().find(|distribution| {
        let is_from = |path: &Utf8Path| path.canonicalize_utf8().is_ok_and(|path| path == package.directory);
        distribution.name == package.name
            && match &distribution.source {
                Source::Editable { path } | Source::Directory { path } => is_from(path),
                _ => false,
            }
    })
}

/// One package and everything that is known about it.
struct PackageCheck<'a> {
    package: &'a NativePackage,
    distribution: Option<&'a Distribution>,
    arguments: String,
    known: Option<&'a RecordedBuild>,
    context: &'a BuildContext<'a>,
}

impl PackageCheck<'_> {
    /// Returns the current inputs, and why the package must be built; an error explains why nothing can be determined.
    fn check(&self, metadata_cache: &mut MetadataCache) -> Result<(RecordedBuild, Option<String>), String> {
        let remembered = self.remembered();
        let is_remembered = remembered.is_some();
        let closure = match remembered {
            Some(closure) => closure,
            None => metadata_cache.closure(&self.package.crates, self.context)?,
        };
        let entry = self.current_build(closure)?;
        let cause = self.cause(&entry);
        if !is_remembered || cause.is_none() || self.context.read_only {
            return Ok((entry, cause));
        }
        // The package is built in any case, so what cargo says now is recorded. A new file may be a new build script.
        let closure = metadata_cache.closure(&self.package.crates, self.context)?;
        Ok((if closure == entry.closure { entry } else { self.current_build(closure)? }, cause))
    }

    /// Returns the recorded crates, unless something suggests that they have changed.
    fn remembered(&self) -> Option<Closure> {
        let known = self.known?;
        let keys = inputs::keys(self.package, &known.closure, self.context);
        let now = inputs::stamps_of(keys, Some(&known.keys), self.context.now);
        let is_same = now.len() == known.keys.len()
            && now.iter().all(|(path, seen)| known.keys.get(path).is_some_and(|known| known.is_same(seen)));
        is_same.then(|| known.closure.clone())
    }

    fn current_build(&self, closure: Closure) -> Result<RecordedBuild, String> {
        let known = self.known;
        let toolchain = toolchain::key(&self.package.directory, self.context);
        let compiler = known.filter(|known| known.toolchain == toolchain);
        let compiler = match compiler.and_then(|known| known.inputs.facts.get(COMPILER)) {
            Some(compiler) => compiler.clone(),
            None => toolchain::ask(&self.package.directory, self.context)?,
        };
        let discovered = known.map(|known| known.discovered.clone()).unwrap_or_default();
        let before = known.map(|known| &known.inputs);
        let mut inputs = BuildInputs::read(self.package, &closure, &discovered, before, self.context);
        inputs.facts.insert(COMPILER.to_owned(), compiler);
        let keys = inputs::keys(self.package, &closure, self.context);
        let keys = inputs::stamps_of(keys, known.map(|known| &known.keys), self.context.now);
        let built = known.and_then(|known| known.built.as_ref());
        let built = built.map(|built| inputs::stamps_of(built.keys().cloned(), Some(built), self.context.now));
        Ok(RecordedBuild { closure, keys, toolchain, inputs, discovered, arguments: self.arguments.clone(), built })
    }

    /// Returns why the package must be built.
    fn cause(&self, now: &RecordedBuild) -> Option<String> {
        let Some(distribution) = self.distribution else { return Some("it is not installed".to_owned()) };
        let Some((known, built)) = self.known.and_then(|known| Some((known, known.built.as_ref()?))) else {
            return Some("its build inputs are unknown".to_owned());
        };
        let is_editable = matches!(distribution.source, Source::Editable { .. });
        let is_live = |path: &Utf8Path| is_editable && is_live(self.package, &now.closure, &now.discovered, path);
        let root = self.context.root;
        if let Some(cause) = known.inputs.difference(&now.inputs, root, is_live) {
            return Some(cause);
        }
        if known.arguments != now.arguments {
            return Some(format!(
                "it was built {}, and would now be built {}",
                with(&known.arguments),
                with(&now.arguments)
            ));
        }
        let there = now.built.as_ref()?;
        let other = built.iter().find(|(path, seen)| there.get(*path).is_none_or(|there| !there.is_same(seen)));
        let is_known = built.contains_key(&distribution.record_file());
        match other {
            Some((path, _)) => Some(format!("{} has changed since the build", path.strip_prefix(root).unwrap_or(path))),
            None if !is_known => Some("it was not installed by uvenv".to_owned()),
            None => None,
        }
    }
}

/// Describes arguments, in words that follow `built`.
fn with(arguments: &str) -> String {
    if arguments.is_empty() { "without arguments".to_owned() } else { format!("with `{arguments}`") }
}

impl FreshnessReport<'_> {
    /// Gives the files that are older than the last build the present time, so that cargo compiles them. Their content is
    /// not changed.
    pub(crate) fn renew_times(&mut self) {
        if self.backdated.is_empty() {
            return;
        }
        let now = SystemTime::now();
        for path in &self.backdated {
            // A file that cannot be written is left alone, as cargo's own answer then is.
            let file = fs::File::options().write(true).open(path);
            let _ = file.and_then(|file| file.set_modified(now));
        }
        // What changes from here on changes during the build.
        thread::sleep(2 * STEP);
        self.start = SystemTime::now().checked_sub(STEP).unwrap_or(now);
    }

    /// Records what the packages were built from, after uv has succeeded.
    pub(crate) fn record(
        mut self,
        environment: &Environment,
        installed: &Distributions,
        changes: &Changes,
        context: &BuildContext<'_>,
    ) -> crate::Result<()> {
        let mut record = BuildRecord::new(self.native.profile);
        for package in &self.native.packages {
            let Some(mut entry) = self.entries.remove(&package.name) else { continue };
            let is_stale = self.stale.iter().any(|stale| stale.name == package.name);
            let is_new = changes.installed.iter().any(|distribution| distribution.name == package.name);
            match find(installed, package) {
                None => entry.built = None,
                Some(distribution) if is_new => {
                    self.learn(package, &mut entry, context);
                    entry.built = Some(stamp(package, &entry.closure, distribution, context.now));
                }
                // uv did not build it, so the earlier record is still valid.
                Some(_) if is_stale => match self.before.of(&package.name) {
                    Some(known) => entry = known.clone(),
                    None => continue,
                },
                Some(_) => {}
            }
            record.packages.insert(package.name.to_string(), entry);
        }
        record.write(&self.before, environment)
    }

    /// Adds the inputs that the build was observed to read.
    fn learn(&self, package: &NativePackage, entry: &mut RecordedBuild, context: &BuildContext<'_>) {
        let known = |path: &Utf8Path| {
            entry.inputs.files.contains_key(path)
                && !is_live(package, &entry.closure, &entry.discovered, path)
                && !entry.discovered.files.contains(path)
        };
        let found = dep_info::beyond(dep_info::discovered(&entry.closure), known);
        for path in found.files.iter().flat_map(|path| inputs::files_at(path)) {
            if entry.inputs.files.contains_key(&path) || !path.is_file() {
                continue;
            }
            // The build may have read a file before or after it changed during the build.
            let is_torn = changed_since(&path, self.start);
            let seen = if is_torn { FileStamp::torn() } else { FileStamp::take(&path, None, context.now) };
            entry.inputs.files.insert(path, seen);
        }
        let compiler = entry.inputs.facts.remove(COMPILER);
        entry.inputs.facts = inputs::facts(&entry.closure, &found, context);
        entry.inputs.facts.extend(compiler.map(|compiler| (COMPILER.to_owned(), compiler)));
        entry.discovered = found;
    }
}

/// Returns what identifies an installation: uv's list of its files, and the compiled files.
fn stamp(package: &NativePackage, closure: &Closure, distribution: &Distribution, now: SystemTime) -> Files {
    let record = distribution.record_file();
    let site_packages = distribution.site_packages().to_owned();
    let is_compiled = |path: &Utf8PathBuf| inputs::is_native(path) || !path.starts_with(&site_packages);
    let mut paths: Vec<_> = distribution.files().into_iter().filter(is_compiled).collect();
    if matches!(distribution.source, Source::Editable { .. }) {
        let compiled = inputs::native_files(&package.directory, &closure.target);
        paths.extend(compiled.into_iter().filter(|path| is_for(path, &site_packages)));
    }
    paths.push(record);
    inputs::stamps_of(paths, None, now)
}

/// Whether an extension module is for the Python of `site_packages`. A module for another version belongs to another
/// environment.
fn is_for(path: &Utf8Path, site_packages: &Utf8Path) -> bool {
    let version = site_packages.components().rev().find_map(|part| part.as_str().strip_prefix("python"));
    let tag = path.file_name().and_then(|name| name.split_once(".cpython-")).map(|(_, tag)| tag);
    match (version, tag) {
        (Some(version), Some(tag)) => tag.starts_with(&format!("{}-", version.replace('.', ""))),
        _ => true,
    }
}
