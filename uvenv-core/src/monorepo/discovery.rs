//! Finds the monorepo that a directory belongs to.

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Config, DiscoveryError, InternalPackages, Monorepo, ProfilePaths, has_manifest, members, unusable_directory,
    utf8_path,
};
use crate::{
    manifest::{self, Manifest, ManifestError},
    model::Profile,
    toml::TomlError,
};

pub(super) fn discover_manifest(path: &Utf8Path) -> crate::Result<Monorepo> {
    let is_manifest = path.file_name().is_some_and(|name| [manifest::FILE_NAME, "Cargo.toml"].contains(&name));
    if !is_manifest || !path.is_file() {
        let problem = wrong_kind(path, "is a directory", "is not a `Cargo.toml` or a `pyproject.toml`");
        let help = "use a `Cargo.toml` or `pyproject.toml` in the monorepo";
        return Err(DiscoveryError::NotAManifest { path: path.to_owned(), problem, help }.into());
    }
    discover(parent(path))
}

/// Returns the directory of a project, given by that directory or by its manifest.
pub(super) fn project_directory(path: &Utf8Path) -> crate::Result<Utf8PathBuf> {
    if path.is_dir() && has_manifest(path) {
        canonical(path)
    } else if path.is_file() && path.file_name() == Some(manifest::FILE_NAME) {
        canonical(parent(path))
    } else {
        let problem = wrong_kind(path, "is a directory without a `pyproject.toml`", "is not a `pyproject.toml`");
        let help = "use the `pyproject.toml` of a profile, or its directory";
        Err(DiscoveryError::NotAManifest { path: path.to_owned(), problem, help }.into())
    }
}

fn wrong_kind(path: &Utf8Path, directory: &'static str, file: &'static str) -> &'static str {
    match path {
        path if path.is_dir() => directory,
        path if path.exists() => file,
        _ => "does not exist",
    }
}

/// Returns the directory of a file; `.` for a bare file name.
fn parent(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

fn canonical(path: &Utf8Path) -> crate::Result<Utf8PathBuf> {
    let found = utf8_path(path.canonicalize().map_err(unusable_directory(path))?)?;
    // Windows returns `\\?\C:\…`, which few programs accept.
    Ok(found.as_str().strip_prefix(r"\\?\").map_or_else(|| found.clone(), Utf8PathBuf::from))
}

pub(super) fn discover(start: &Utf8Path) -> crate::Result<Monorepo> {
    let (dev, config) = find_root(&canonical(start)?)?;
    monorepo_of(dev, config)
}

fn monorepo_of(dev: Manifest, config: Config) -> crate::Result<Monorepo> {
    let members::Members { members, unmatched_patterns } = members::read(&dev)?;
    let mut monorepo = Monorepo {
        root: dev.directory().to_owned(),
        config,
        dev,
        members,
        profiles: Vec::new(),
        pinned: Vec::new(),
        unmatched_patterns,
    };
    for profile in Profile::ALL {
        let directory = profile_directory(&monorepo.root, &monorepo.config, profile);
        match profile_in(&monorepo, profile, &directory)? {
            ProfileManifest::Absent => continue,
            ProfileManifest::Read(manifest) => monorepo.pinned.push((profile, *manifest)),
            ProfileManifest::Unread => {}
        }
        monorepo.profiles.push(ProfilePaths { profile, directory });
    }
    Ok(monorepo)
}

/// Finds the nearest project above `start`, or one further up that has it as a workspace member or as a profile.
fn find_root(start: &Utf8Path) -> crate::Result<(Manifest, Config)> {
    let mut root: Option<(Manifest, Config)> = None;
    let mut not_a_project = None;
    for directory in start.ancestors().filter(|directory| has_manifest(directory)) {
        let manifest = match Manifest::read(&directory.join(manifest::FILE_NAME)) {
            // The file has settings of other tools. This is reported only if there is no project at all.
            Err(error) if ManifestError::is_no_project(&error) => {
                not_a_project.get_or_insert(error);
                continue;
            }
            // A manifest above a root can only include the root if it can be read.
            Err(_) if root.is_some() && !contains_tool_uv(directory) => continue,
            read => read?,
        };
        let config = Config::read(&manifest)?;
        let claims = match &root {
            Some((below, _)) => claims(&manifest, &config, below.directory())?,
            None => true,
        };
        if claims {
            root = Some((manifest, config));
        }
    }
    match (root, not_a_project) {
        (Some(root), _) => Ok(root),
        (None, Some(error)) => Err(error),
        (None, None) => Err(DiscoveryError::NotFound { start: start.to_owned() }.into()),
    }
}

/// Whether a broken manifest seems to have settings that uv would have read.
fn contains_tool_uv(directory: &Utf8Path) -> bool {
    std::fs::read_to_string(directory.join(manifest::FILE_NAME)).is_ok_and(|text| text.contains("tool.uv"))
}

/// Whether the project in `directory` belongs to the monorepo of `manifest`.
fn claims(manifest: &Manifest, config: &Config, directory: &Utf8Path) -> crate::Result<bool> {
    let is_there = |profile| profile_directory(manifest.directory(), config, profile) == directory;
    if members::globs(manifest).is_some_and(|globs| globs.selects(directory).is_some()) {
        return Ok(true);
    }
    if !is_there(Profile::Staging) && !is_there(Profile::Prod) {
        return Ok(false);
    }
    // The directory's name alone does not make it a profile: the members must be known to decide.
    let monorepo = monorepo_of(manifest.clone(), config.clone())?;
    Ok(monorepo.profiles.iter().any(|paths| paths.directory == directory))
}

fn profile_directory(root: &Utf8Path, config: &Config, profile: Profile) -> Utf8PathBuf {
    match (config.profiles.get(&profile), profile) {
        (Some(path), _) => {
            let path = if path.file_name() == Some(manifest::FILE_NAME) { parent(path) } else { path };
            let path = root.join(path);
            // `../envs/prod` and links are resolved before comparison.
            canonical(&path).unwrap_or(path)
        }
        (None, Profile::Dev) => root.to_owned(),
        (None, _) => root.join(profile.as_str()),
    }
}

/// What exists of a profile.
enum ProfileManifest {
    /// Nothing: there is no such profile.
    Absent,
    /// Its manifest.
    Read(Box<Manifest>),
    /// A manifest that was not read or cannot be read. The error is reported when the profile is requested.
    Unread,
}

/// Returns what `directory` contains of `profile`. A directory that merely has the name `prod` is not a profile: the
/// manifest of a profile is not a member of the workspace, and it refers to the monorepo's own packages.
fn profile_in(monorepo: &Monorepo, profile: Profile, directory: &Utf8Path) -> crate::Result<ProfileManifest> {
    if profile == Profile::Dev {
        return Ok(ProfileManifest::Unread);
    }
    let path = directory.join(manifest::FILE_NAME);
    let is_configured = monorepo.config.profiles.contains_key(&profile);
    if is_configured && !path.is_file() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(TomlError::Unreadable { path, source }.into());
    }
    let is_member = || monorepo.members.iter().any(|member| member.directory == directory);
    if !is_configured && (!has_manifest(directory) || is_member()) {
        return Ok(ProfileManifest::Absent);
    }
    let manifest = match Manifest::read(&path) {
        Ok(manifest) => manifest,
        Err(error) if !is_configured && ManifestError::is_no_project(&error) => return Ok(ProfileManifest::Absent),
        Err(_) => return Ok(ProfileManifest::Unread),
    };
    let is_about_us = || {
        let internal = InternalPackages::new(monorepo, []);
        manifest.name() == monorepo.dev.name()
            || manifest.requirements().any(|requirement| internal.contains(&requirement.name))
            || manifest.uv.sources.iter().any(|(name, _)| internal.contains(&name.value))
    };
    if is_configured && manifest.project.is_none() {
        return Ok(ProfileManifest::Unread);
    }
    let is_profile = is_configured || is_about_us();
    Ok(if is_profile { ProfileManifest::Read(Box::new(manifest)) } else { ProfileManifest::Absent })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fs::TestTree, model::Place};

    struct Tree {
        root: TestTree,
    }

    impl Tree {
        fn new(files: &[(&str, &str)]) -> Self {
            Self { root: TestTree::with(files) }
        }

        fn discover(&self, start: &str) -> crate::Result<Monorepo> {
            std::fs::create_dir_all(self.root.join(start)).unwrap();
            discover(&self.root.join(start))
        }

        /// Returns the root, relative to the tree, and the profiles.
        fn found(&self, start: &str) -> (String, Vec<Profile>) {
            let monorepo = self.discover(start).unwrap();
            let root = monorepo.root.strip_prefix(&*self.root).unwrap().to_string();
            (root, monorepo.profiles.iter().map(|paths| paths.profile).collect())
        }
    }

    fn project(name: &str, rest: &str) -> String {
        format!("[project]\nname = \"{name}\"\nversion = \"1\"\n{rest}")
    }

    const WORKSPACE: &str = "[tool.uv.workspace]\nmembers = [\"packages/*\"]\nexclude = [\"packages/excluded\"]\n";

    fn monorepo(others: &[(&str, &str)]) -> Tree {
        let root = project("root", WORKSPACE);
        let files = [("pyproject.toml", root.as_str()), ("packages/a/pyproject.toml", &project("a", ""))];
        Tree::new(&[&files, others].concat())
    }

    #[test]
    fn finds_the_root_from_any_subdirectory() {
        let staging = project("app", "dependencies = [\"a\"]");
        let tree =
            monorepo(&[("staging/pyproject.toml", &staging), ("crates/k/Cargo.toml", "[package]\nname = \"k\"\n")]);
        for start in ["", "packages/a/src/a", "staging", "crates/k/src"] {
            assert_eq!(tree.found(start), (String::new(), vec![Profile::Dev, Profile::Staging]), "{start}");
        }
    }

    #[test]
    fn unclaimed_project_is_its_own_root() {
        let other = project("excluded", "");
        let tree =
            monorepo(&[("packages/excluded/pyproject.toml", &other), ("tools/pyproject.toml", &project("tools", ""))]);
        assert_eq!(tree.found("packages/excluded").0, "packages/excluded");
        assert_eq!(tree.found("tools/x").0, "tools");
    }

    #[test]
    fn manifest_with_only_tool_settings_is_not_a_project() {
        let tree = monorepo(&[("crates/k/pyproject.toml", "[tool.ruff]\nline-length = 100\n")]);
        assert_eq!(tree.found("crates/k").0, "");
        let alone = Tree::new(&[("pyproject.toml", "[tool.ruff]\n")]);
        assert_eq!(alone.discover("").unwrap_err().code(), "no-project");
    }

    #[test]
    fn folder_named_like_a_profile_may_be_unrelated() {
        let unrelated = project("deploy-scripts", "dependencies = [\"boto3\"]");
        let tree = monorepo(&[("prod/pyproject.toml", &unrelated), ("staging/notes.txt", "")]);
        assert_eq!(tree.found("").1, [Profile::Dev]);
        assert_eq!(tree.found("prod").0, "prod");
        let error = tree.discover("").unwrap().profile(Profile::Prod).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "unknown-profile");
    }

    #[test]
    fn member_is_not_a_profile() {
        let root = project("root", "[tool.uv.workspace]\nmembers = [\"*\"]\n");
        let tree = Tree::new(&[
            ("pyproject.toml", &root),
            ("prod/pyproject.toml", &project("prod", "dependencies = [\"root\"]")),
        ]);
        assert_eq!(tree.found("prod"), (String::new(), vec![Profile::Dev]));
    }

    #[test]
    fn configuration_can_move_a_profile() {
        let config = "[workspace]\n[workspace.metadata.uvenv.profiles]\nprod = \"envs/production\"\n";
        let prod = project("app", "");
        let tree = monorepo(&[("Cargo.toml", config), ("envs/production/pyproject.toml", &prod)]);
        let (root, profiles) = tree.found("envs/production");
        assert_eq!((root.as_str(), profiles.as_slice()), ("", [Profile::Dev, Profile::Prod].as_slice()));
        let monorepo = tree.discover("").unwrap();
        let path = tree.root.join("envs/production/pyproject.toml");
        assert_eq!(monorepo.profile_of_project(&path).unwrap().profile, Profile::Prod);
        assert_eq!(monorepo.profile_of_project(parent(&path)).unwrap().profile, Profile::Prod);
    }

    #[test]
    fn records_patterns_without_matches() {
        let tree = Tree::new(&[("pyproject.toml", &project("root", WORKSPACE))]);
        let places = tree.discover("").unwrap().unmatched_patterns;
        assert_eq!(places.iter().map(Place::line).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn reports_a_missing_monorepo_or_manifest() {
        let tree = Tree::new(&[]);
        assert_eq!(tree.discover("a/b").unwrap_err().code(), "no-monorepo");
        let error = discover_manifest(&tree.root.join("Cargo.toml")).unwrap_err();
        assert_eq!(error.code(), "not-a-manifest");
    }
}
