//! The state of the profiles, as tables.

use comfy_table::{Cell, Table};
use uvenv_core::{
    Profile,
    report::{EnvironmentState, EnvironmentStatus, LockfileState, PackageOrigin, ProfileStatus, StatusReport},
};

use super::text::{line, lines, note, short, shown, table};

/// The profiles, what is wrong with them, and the internal packages.
pub(super) fn text(report: &StatusReport) -> String {
    let mut text = String::new();
    line(&mut text, shown(&report.root));
    let mut profiles = table(&["profile", "manifest", "lockfile", "environment"]);
    for profile in &report.profiles {
        let manifest = profile.manifest.strip_prefix(&report.root).unwrap_or(&profile.manifest);
        let lockfile = match profile.lockfile.state {
            LockfileState::Fresh => "fresh",
            LockfileState::Stale => "stale",
            LockfileState::Missing => "missing",
            LockfileState::Unreadable => "unreadable",
            LockfileState::Unknown => "unknown",
        };
        let environments: Vec<_> =
            profile.environments.iter().map(|found| environment(report, profile, found)).collect();
        let environments = if environments.is_empty() { "none".to_owned() } else { environments.join("\n") };
        profiles.add_row([profile.profile.to_string(), manifest.to_string(), lockfile.to_owned(), environments]);
    }
    lines(&mut text, &profiles);
    for profile in &report.profiles {
        for reason in &profile.lockfile.reasons {
            line(&mut text, format_args!("{}: {reason}", profile.profile));
        }
        if let Some(error) = &profile.error {
            line(&mut text, format_args!("{}: error[{}]: {}", profile.profile, error.code, error.message));
        }
    }
    if !report.packages.is_empty() {
        line(&mut text, "");
        lines(&mut text, &packages(report));
    }
    text
}

/// Prints why uv had to determine the state of environments.
pub(super) fn details(report: &StatusReport) {
    for profile in &report.profiles {
        for found in &profile.environments {
            if let Some(reason) = &found.uv_asked_because {
                note(format_args!("{}: checked {} with uv because {reason}", profile.profile, shown(&found.path)));
            }
        }
    }
}

fn environment(report: &StatusReport, profile: &ProfileStatus, found: &EnvironmentStatus) -> String {
    let path = found.path.strip_prefix(&report.root).unwrap_or(&found.path);
    let state = match found.state {
        EnvironmentState::InSync => "in sync",
        EnvironmentState::OutOfSync => "out of sync",
        EnvironmentState::Unknown => "unknown",
        EnvironmentState::Missing => "missing",
        EnvironmentState::Broken => "broken",
    };
    let python = found.python.as_ref().map(|python| format!("Python {}", python.version));
    let backend = match &found.backend {
        Some(backend) => Some(backend.to_string()),
        None if found.recorded && !profile.backends.is_empty() => Some("no backend".to_owned()),
        None => None,
    };
    let more: Vec<_> = python.into_iter().chain(backend).chain(found.detail.clone()).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    format!("{path} {state}{more}")
}

fn packages(report: &StatusReport) -> Table {
    let profiles: Vec<Profile> = report.profiles.iter().map(|profile| profile.profile).collect();
    let names: Vec<_> = profiles.iter().map(|profile| profile.as_str()).collect();
    let mut table = table(&[&["package"], names.as_slice()].concat());
    for package in &report.packages {
        let of = |profile: &Profile| package.profiles.iter().find(|origin| origin.profile == *profile);
        let cells = profiles.iter().map(|profile| of(profile).map_or_else(|| "-".to_owned(), package_origin));
        table.add_row(std::iter::once(package.name.to_string()).chain(cells).map(Cell::new));
    }
    table
}

fn package_origin(origin: &PackageOrigin) -> String {
    match (&origin.version, &origin.reference, &origin.commit) {
        (Some(version), ..) => version.clone(),
        (None, Some(reference), Some(commit)) => format!("{reference} ({})", short(commit)),
        (None, Some(reference), None) => format!("{reference} (not locked)"),
        (None, None, _) => "-".to_owned(),
    }
}
