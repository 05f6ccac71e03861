//! `init`: adds the staging and prod manifests, and related files, to a monorepo that has only a dev manifest.
//! `add-package`: adds another internal package to all profiles.

mod profile_manifest;
mod repository_files;

use std::{collections::BTreeSet, fs};

use camino::{Utf8Path, Utf8PathBuf};

use super::{PackageRequest, PromotePlan, PromoteRequest, Session, not_writable::NotWritable};
use crate::{
    check::Facts,
    fs::atomic,
    manifest::{self, Edit, Manifest, ManifestEditor, ManifestError, NewSource},
    model::{Diagnostic, Interrupted, Name, Profile},
    monorepo::Monorepo,
    report::{NewPin, Problem, PromotionOutcome, SetUpReport},
};

/// The package is not in the monorepo.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` is not in the monorepo `{root}`")]
struct OutsideMonorepo {
    path: Utf8PathBuf,
    root: Utf8PathBuf,
}

impl Diagnostic for OutsideMonorepo {
    fn code(&self) -> &'static str {
        "outside-monorepo"
    }

    fn help(&self) -> Option<String> {
        Some("use a directory below the root, such as `packages/bench-utils`".to_owned())
    }
}

/// The files and pins that a monorepo lacks to have three profiles. Existing files are not changed. The pins are the
/// newest tags that fit, from the remotes of the packages' checkouts or from `git`, a single repository that contains
/// all packages in the same directories as here.
#[derive(Debug)]
pub struct InitPlan<'a> {
    git: Option<&'a str>,
    files: Vec<(Utf8PathBuf, String)>,
    /// The profiles that get a manifest, and then pins.
    profiles: Vec<Profile>,
    report: SetUpReport,
}

impl<'a> InitPlan<'a> {
    /// Plans what to write.
    pub fn new(monorepo: &Monorepo, session: &Session, git: Option<&'a str>) -> crate::Result<Self> {
        let mut report = SetUpReport { root: monorepo.root.clone(), ..SetUpReport::default() };
        let facts = Facts::read(monorepo, &session.settings.variables);
        let (mut files, mut profiles) = (Vec::new(), Vec::new());
        for profile in [Profile::Staging, Profile::Prod] {
            let configured = monorepo.config.profiles.get(&profile).cloned();
            let directory = monorepo.root.join(configured.unwrap_or_else(|| profile.as_str().into()));
            let path = directory.join(manifest::FILE_NAME);
            if path.exists() {
                if !monorepo.profiles.iter().any(|paths| paths.profile == profile) {
                    report.unknown.push(not_a_profile(profile, monorepo.relative(&path)));
                }
                report.kept.push(path);
            } else {
                files.push((path, profile_manifest::derive(&facts, profile)?));
                profiles.push(profile);
            }
        }
        files.extend(repository_files::files(monorepo, &mut report)?);
        Ok(Self { git, files, profiles, report })
    }

    /// Writes the files, all or none, and then adds the pins.
    pub fn execute(mut self, session: &Session) -> crate::Result<SetUpReport> {
        write(&self.files)?;
        self.report.written = self.files.into_iter().map(|(path, _)| path).collect();
        for profile in self.profiles {
            pin_all(session, profile, self.git, &mut self.report)?;
        }
        Ok(self.report)
    }
}

/// The addition of a package to all existing profiles: as a workspace member in dev, and at its newest tag that fits in
/// staging and prod.
#[derive(Debug)]
pub struct AddPackagePlan<'a> {
    monorepo: &'a Monorepo,
    git: Option<&'a str>,
    name: Name,
    /// The new text of the dev manifest, if it changes.
    dev: Option<String>,
    report: SetUpReport,
}

impl<'a> AddPackagePlan<'a> {
    /// Plans to add the package in the directory `path`.
    pub fn new(monorepo: &'a Monorepo, path: &Utf8Path, git: Option<&'a str>) -> crate::Result<Self> {
        let package = Manifest::read(&path.join(manifest::FILE_NAME))?;
        let directory = package.directory().canonicalize_utf8().unwrap_or_else(|_| package.directory().to_owned());
        let Ok(below) = directory.strip_prefix(&monorepo.root) else {
            return Err(OutsideMonorepo { path: path.to_owned(), root: monorepo.root.clone() }.into());
        };
        let Some(name) = package.name().cloned() else {
            return Err(ManifestError::NoProject { place: package.place(0..0) }.into());
        };
        let mut edits = vec![
            Edit::AddDependency { requirement: name.to_string() },
            Edit::SetSource { package: name.clone(), source: NewSource::Workspace },
        ];
        if !monorepo.members.iter().any(|member| member.name == name) {
            edits.insert(0, Edit::AddMember { pattern: below.as_str().replace('\\', "/") });
        }
        let mut editor = ManifestEditor::new(&monorepo.dev.file)?;
        let mut changed = false;
        for edit in &edits {
            changed |= editor.apply(edit)?;
        }
        let report =
            SetUpReport { root: monorepo.root.clone(), package: Some(below.to_owned()), ..SetUpReport::default() };
        Ok(Self { monorepo, git, name, dev: changed.then(|| editor.text()), report })
    }

    /// Writes the dev manifest, and then adds the pins.
    pub fn execute(self, session: &Session) -> crate::Result<SetUpReport> {
        let Self { monorepo, git, name, dev, mut report } = self;
        let path = monorepo.dev.path().to_owned();
        match dev {
            Some(text) => {
                write(&[(path.clone(), text)])?;
                report.written.push(path);
            }
            None => report.kept.push(path),
        }
        for profile in monorepo.profiles.iter().map(|paths| paths.profile).filter(|profile| *profile != Profile::Dev) {
            let before = report.pins.len();
            pin_one(session, profile, &name, git, &mut report)?;
            let manifest = monorepo.profile(profile)?.manifest();
            if report.pins.len() > before { report.written.push(manifest) } else { report.kept.push(manifest) }
        }
        Ok(report)
    }
}

fn not_a_profile(profile: Profile, path: &Utf8Path) -> Problem {
    Problem {
        code: "not-a-profile".to_owned(),
        message: format!("`{path}` exists and is not part of the monorepo, so it is not changed"),
        help: Some(format!("set another directory for {profile} under `profiles` in the configuration")),
        file: None,
        line: None,
        column: None,
    }
}

/// Writes all files or none.
fn write(texts: &[(Utf8PathBuf, String)]) -> crate::Result<()> {
    let mut done: Vec<(&Utf8Path, Option<String>)> = Vec::new();
    for (path, text) in texts {
        let before = fs::read_to_string(path).ok();
        let written = fs::create_dir_all(path.parent().unwrap_or(path)).and_then(|()| atomic::replace(path, text));
        if let Err(source) = written {
            for (path, before) in done {
                // Nobody has read the new files yet.
                let _ = match before {
                    Some(before) => atomic::replace(path, before),
                    None => fs::remove_file(path),
                };
            }
            return Err(NotWritable::at(path)(source).into());
        }
        done.push((path, before));
    }
    Ok(())
}

/// Pins the packages of a new profile. A package that cannot be pinned is reported, and the others are still pinned.
fn pin_all(session: &Session, profile: Profile, git: Option<&str>, report: &mut SetUpReport) -> crate::Result<()> {
    let monorepo = Monorepo::discover(&report.root)?;
    let facts = Facts::read(&monorepo, &session.settings.variables);
    let Some(dev) = facts.profile(Profile::Dev) else { return Ok(()) };
    let wanted: BTreeSet<Name> =
        dev.manifest.direct_requirements().into_iter().filter(|name| facts.internal.contains(name)).cloned().collect();
    for name in wanted.iter().filter(|name| dev.manifest.name() != Some(*name)) {
        pin_one(session, profile, name, git, report)?;
    }
    Ok(())
}

/// Pins one package with the same plan as a promotion, which verifies the tag. An interruption ends the whole
/// operation.
fn pin_one(
    session: &Session,
    profile: Profile,
    name: &Name,
    git: Option<&str>,
    report: &mut SetUpReport,
) -> crate::Result<()> {
    let monorepo = Monorepo::discover(&report.root)?;
    let packages = vec![PackageRequest { name: name.clone(), tag: None }];
    let request = PromoteRequest::newest(profile, packages);
    match PromotePlan::in_repository(&monorepo, session, &request, git) {
        Ok(plan) => {
            let (path, text) = plan.manifest();
            atomic::replace(&path, text).map_err(NotWritable::at(&path))?;
            let pinned = plan
                .packages()
                .iter()
                .filter(|package| matches!(package.outcome, PromotionOutcome::Added | PromotionOutcome::Updated));
            report.pins.extend(pinned.filter_map(|package| {
                let tag = package.to.as_ref()?.reference.clone();
                Some(NewPin { profile, name: package.name.clone(), url: package.url.clone()?, tag })
            }));
        }
        Err(error) if error.downcast_ref::<Interrupted>().is_some() => return Err(error),
        Err(error) => report.unknown.push(Problem::new(&*error)),
    }
    Ok(())
}
