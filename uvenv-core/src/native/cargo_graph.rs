//! The crates that a package is built from, according to `cargo metadata`.

use std::collections::{BTreeSet, HashMap};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::BuildContext;
use crate::{
    cargo::metadata::{Access, metadata},
    fs::digest::digest,
};

/// The local crates that a package is built from, and everything else that it depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closure {
    /// The root of the Cargo workspace.
    pub(super) root: Utf8PathBuf,
    /// Cargo's target directory.
    pub(super) target: Utf8PathBuf,
    /// Its own crates and those that it depends on by path, directly or indirectly.
    pub(super) crates: Vec<Crate>,
    /// A digest of the names and versions of the dependencies that are not local.
    pub(super) dependencies: String,
}

/// A local crate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) directory: Utf8PathBuf,
    /// The names of its targets, as they appear in file names.
    pub(super) targets: BTreeSet<String>,
    /// Whether it has a build script, which may read any of its files.
    pub(super) has_script: bool,
}

impl Closure {
    /// Returns the files that decide what is in the closure, apart from the crate's own files.
    pub(super) fn manifests(&self) -> impl Iterator<Item = Utf8PathBuf> {
        let crates = self.crates.iter().map(|one| one.directory.join("Cargo.toml"));
        crates.chain([self.root.join("Cargo.toml"), self.root.join("Cargo.lock")])
    }

    fn merge(&mut self, other: Self) {
        for one in other.crates {
            if !self.crates.contains(&one) {
                self.crates.push(one);
            }
        }
        if self.dependencies != other.dependencies {
            self.dependencies = digest(format!("{} {}", self.dependencies, other.dependencies).as_bytes());
        }
    }
}

/// The answers of cargo so far. One answer covers a whole workspace.
#[derive(Debug, Default)]
pub(super) struct MetadataCache(Vec<CargoMetadata>);

impl MetadataCache {
    /// Returns the closure of the crates at `manifests`. An error is a sentence for the user.
    pub(super) fn closure(&mut self, manifests: &[Utf8PathBuf], context: &BuildContext<'_>) -> Result<Closure, String> {
        let mut whole: Option<Closure> = None;
        for manifest in manifests {
            let closure = self.of_crate(manifest, context)?;
            match &mut whole {
                Some(whole) => whole.merge(closure),
                None => whole = Some(closure),
            }
        }
        whole.ok_or_else(|| "it does not name a crate".to_owned())
    }

    fn of_crate(&mut self, manifest: &Utf8Path, context: &BuildContext<'_>) -> Result<Closure, String> {
        let known = self.0.iter().find_map(|metadata| metadata.closure(manifest));
        if let Some(closure) = known {
            return Ok(closure);
        }
        let metadata = ask(manifest, context)?;
        let closure = metadata.closure(manifest).ok_or_else(|| format!("cargo finds no crate at `{manifest}`"))?;
        self.0.push(metadata);
        Ok(closure)
    }
}

fn ask(manifest: &Utf8Path, context: &BuildContext<'_>) -> Result<CargoMetadata, String> {
    let access = match (context.read_only, context.offline) {
        (true, _) => Access::ReadOnly,
        (false, true) => Access::Offline,
        (false, false) => Access::Full,
    };
    let answer = metadata(manifest, access, context.variables, context.child)?;
    serde_json::from_str(&answer).map_err(|error| format!("the output of `cargo metadata` is not valid: {error}"))
}

/// The required fields of `cargo metadata --format-version 1`.
#[derive(Debug, Deserialize)]
struct CargoMetadata {
    packages: Vec<MetadataPackage>,
    resolve: Option<Resolve>,
    workspace_root: Utf8PathBuf,
    target_directory: Utf8PathBuf,
    /// The directory for intermediate files, in newer versions of cargo.
    build_directory: Option<Utf8PathBuf>,
}

#[derive(Debug, Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    source: Option<String>,
    manifest_path: Utf8PathBuf,
    targets: Vec<CargoTarget>,
}

#[derive(Debug, Deserialize)]
struct CargoTarget {
    name: String,
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<ResolveNode>,
}

#[derive(Debug, Deserialize)]
struct ResolveNode {
    id: String,
    deps: Vec<ResolveEdge>,
}

#[derive(Debug, Deserialize)]
struct ResolveEdge {
    pkg: String,
    dep_kinds: Vec<ResolveKind>,
}

#[derive(Debug, Deserialize)]
struct ResolveKind {
    kind: Option<String>,
}

impl CargoMetadata {
    fn closure(&self, manifest: &Utf8Path) -> Option<Closure> {
        let no_nodes = Vec::new();
        let all_nodes = self.resolve.as_ref().map_or(&no_nodes, |resolve| &resolve.nodes);
        // Two maps of one type, because build scripts compile each type of map anew.
        let packages = positions(self.packages.iter().map(|package| package.id.as_str()));
        let nodes = positions(all_nodes.iter().map(|node| node.id.as_str()));
        let is_it = |path: &Utf8Path| path == manifest || path.canonicalize_utf8().is_ok_and(|path| path == manifest);
        let start = self.packages.iter().find(|package| package.source.is_none() && is_it(&package.manifest_path))?;
        let mut reached = BTreeSet::new();
        let mut waiting = vec![start.id.as_str()];
        while let Some(id) = waiting.pop() {
            if reached.insert(id) {
                // A crate that only tests need is not part of the build.
                let edges = nodes.get(id).into_iter().flat_map(|position| &all_nodes[*position].deps);
                let edges = edges.filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev")));
                waiting.extend(edges.map(|edge| edge.pkg.as_str()));
            }
        }
        let (local, elsewhere): (Vec<&MetadataPackage>, Vec<&MetadataPackage>) = reached
            .iter()
            .filter_map(|id| Some(&self.packages[*packages.get(id)?]))
            .partition(|it| it.source.is_none());
        let ids: Vec<_> = elsewhere.iter().map(|package| package.id.as_str()).collect();
        Some(Closure {
            root: self.workspace_root.clone(),
            target: self.build_directory.as_ref().unwrap_or(&self.target_directory).clone(),
            crates: local.into_iter().map(MetadataPackage::local).collect(),
            dependencies: digest(ids.join("\n").as_bytes()),
        })
    }
}

fn positions<'a>(ids: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    ids.enumerate().map(|(position, id)| (id, position)).collect()
}

impl MetadataPackage {
    fn local(&self) -> Crate {
        Crate {
            name: self.name.clone(),
            directory: self.manifest_path.parent().unwrap_or(Utf8Path::new("")).to_owned(),
            targets: self.targets.iter().map(|target| target.name.replace('-', "_")).collect(),
            has_script: self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "custom-build")),
        }
    }
}
