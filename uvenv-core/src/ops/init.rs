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

/// Writes what a monorepo lacks to have three profiles, and does not change existing files. The pins are the newest
/// tags that fit, from the remotes of the packages' checkouts or from `git`, a single repository that contains all
/// packages in the same directories as here.
pub fn init(monorepo: &Monorepo, session: &Session, git: Option<&str>) -> crate::Result<SetUpReport> {
    let mut report = SetUpReport { root: monorepo.root.clone(), ..SetUpReport::default() };
    let facts = Facts::read(monorepo, &session.settings.variables);
    let mut texts = Vec::new();
    let mut made = Vec::new();
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
            texts.push((path, profile_manifest::derive(&facts, profile)?));
            made.push(profile);
        }
    }
    for (path, text) in repository_files::files(monorepo, &mut report)? {
        texts.push((path, text));
    }
    write(&texts)?;
    report.written = texts.into_iter().map(|(path, _)| path).collect();
    for profile in made {
        pin_all(&monorepo.root, session, profile, git, &mut report)?;
    }
    Ok(report)
}

/// Adds the package in the directory `path` to all existing profiles: as a workspace member in dev, and at its newest
/// tag that fits in staging and prod.
pub fn add_package(
    monorepo: &Monorepo,
    session: &Session,
    path: &Utf8Path,
    git: Option<&str>,
) -> crate::Result<SetUpReport> {
    let mut report = SetUpReport { root: monorepo.root.clone(), ..SetUpReport::default() };
    let package = Manifest::read(&path.join(manifest::FILE_NAME))?;
    let directory = package.directory().canonicalize_utf8().unwrap_or_else(|_| package.directory().to_owned());
    let Ok(below) = directory.strip_prefix(&monorepo.root) else {
        return Err(OutsideMonorepo { path: path.to_owned(), root: monorepo.root.clone() }.into());
    };
    report.package = Some(below.to_owned());
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
    let dev = monorepo.dev.path().to_owned();
    if changed {
        write(&[(dev.clone(), editor.text())])?;
        report.written.push(dev);
    } else {
        report.kept.push(dev);
    }
    for profile in monorepo.profiles.iter().map(|paths| paths.profile).filter(|profile| *profile != Profile::Dev) {
        let before = report.pins.len();
        pin_one(&monorepo.root, session, profile, &name, git, &mut report)?;
        let manifest = monorepo.profile(profile)?.manifest();
        if report.pins.len() > before { report.written.push(manifest) } else { report.kept.push(manifest) }
    }
    Ok(report)
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
fn pin_all(
    root: &Utf8Path,
    session: &Session,
    profile: Profile,
    git: Option<&str>,
    report: &mut SetUpReport,
) -> crate::Result<()> {
    let monorepo = Monorepo::discover(root)?;
    let facts = Facts::read(&monorepo, &session.settings.variables);
    let Some(dev) = facts.profile(Profile::Dev) else { return Ok(()) };
    let wanted: BTreeSet<Name> =
        dev.manifest.direct_requirements().into_iter().filter(|name| facts.internal.contains(name)).cloned().collect();
    for name in wanted.iter().filter(|name| dev.manifest.name() != Some(*name)) {
        pin_one(root, session, profile, name, git, report)?;
    }
    Ok(())
}

/// Pins one package with the same plan as a promotion, which verifies the tag. An interruption ends the whole
/// operation.
fn pin_one(
    root: &Utf8Path,
    session: &Session,
    profile: Profile,
    name: &Name,
    git: Option<&str>,
    report: &mut SetUpReport,
) -> crate::Result<()> {
    let monorepo = Monorepo::discover(root)?;
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
