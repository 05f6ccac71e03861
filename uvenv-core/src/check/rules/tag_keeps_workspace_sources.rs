//! The package at a tag can be installed from git: its manifest uses nothing outside its repository.

use camino::{Utf8Component, Utf8Path};

use crate::{
    check::{CheckFn, Facts, Finding, Remote, Rule, Severity, pins::PinnedSource},
    git::CommitContents,
    manifest::{Manifest, SourceKind},
    model::Name,
    uv::workspace::WorkspaceGlobs,
};

pub(super) const RULE: Rule = Rule {
    code: "tag-keeps-workspace-sources",
    severity: Severity::Error,
    summary: "with --remote: at its tag, a package has a workspace or path source that is not in its repository",
    check: CheckFn::Remote(check),
};

fn check(facts: &Facts<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    facts.pins().flat_map(|pin| findings(&pin, remote)).collect()
}

fn findings(pin: &PinnedSource<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    let Some(contents) = remote.contents(pin) else { return Vec::new() };
    // uv itself reports problems in the manifest.
    let Ok(Some(manifest)) = contents.manifest(pin.subdirectory) else { return Vec::new() };
    let here = pin.subdirectory.unwrap_or_default();
    let outside = outside(&manifest, contents, here);
    outside.into_iter().map(|(package, source)| finding(pin, &package, &source)).collect()
}

fn finding(pin: &PinnedSource<'_>, needed: &Name, source: &str) -> Finding {
    let (profile, package, tag) = (pin.profile(), pin.package, &pin.tag.value);
    let message = format!(
        "at its tag `{tag}`, `{package}` has a source for `{needed}` that is not in its repository ({source}): uv \
         cannot install it"
    );
    let help = format!(
        "use a git source for `{needed}` there, or remove its source and pin it in {profile} too; then tag `{package}` \
         again and promote it"
    );
    RULE.finding(message, help).at(pin.place()).in_profile(profile).about(package)
}

/// Returns what the manifest in the directory `here` takes from outside the commit, and from where. uv uses the sources
/// of the packages that it installs and builds with; groups are for development.
pub(crate) fn outside(manifest: &Manifest, contents: &CommitContents, here: &str) -> Vec<(Name, String)> {
    let Some(project) = &manifest.project else { return Vec::new() };
    let extras = project.extras.values().flat_map(|extra| &extra.requirements);
    let needed = project.dependencies.iter().chain(extras).chain(&manifest.build_requires);
    let mut found: Vec<(Name, String)> = Vec::new();
    for name in needed.map(|requirement| &requirement.name) {
        if found.iter().any(|(known, _)| known == name) {
            continue;
        }
        let outside = manifest.sources_of(name).iter().find_map(|source| match &source.kind {
            SourceKind::Workspace => (!is_member(contents, here, name)).then(|| "its workspace".to_owned()),
            SourceKind::Path(path) => (!is_inside(contents, here, path)).then(|| format!("the directory `{path}`")),
            SourceKind::Git { .. } | SourceKind::Url(_) | SourceKind::Index(_) => None,
        });
        found.extend(outside.map(|source| (name.clone(), source)));
    }
    found
}

/// Whether a workspace at or above the directory `here` of the commit has the member `name`.
fn is_member(contents: &CommitContents, here: &str, name: &Name) -> bool {
    let Ok(directories) = contents.manifest_directories() else { return true };
    Utf8Path::new(here).ancestors().any(|root| {
        let Ok(Some(manifest)) = contents.manifest(Some(root.as_str()).filter(|root| !root.is_empty())) else {
            return false;
        };
        let Some(workspace) = &manifest.uv.workspace else { return false };
        let matches = |directory: &&String| {
            let below =
                if root.as_str().is_empty() { Some(directory.as_str()) } else { directory.strip_prefix(root.as_str()) };
            let Some(below) = below.map(|below| below.trim_start_matches('/')) else { return false };
            below.is_empty() || WorkspaceGlobs::new("".into(), workspace).selects(below.into()).is_some()
        };
        directories.iter().filter(matches).any(|directory| {
            let path = Some(directory.as_str()).filter(|directory| !directory.is_empty());
            matches!(contents.manifest(path), Ok(Some(member)) if member.name() == Some(name))
        })
    })
}

/// Whether `path`, relative to the directory `here`, is in the commit.
fn is_inside(contents: &CommitContents, here: &str, path: &str) -> bool {
    let mut directory: Vec<&str> = Vec::new();
    for component in Utf8Path::new(here).components().chain(Utf8Path::new(path).components()) {
        match component {
            Utf8Component::Normal(name) => directory.push(name),
            Utf8Component::ParentDir if directory.pop().is_none() => return false,
            Utf8Component::ParentDir | Utf8Component::CurDir => {}
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return false,
        }
    }
    contents.has(&directory.join("/"))
}
