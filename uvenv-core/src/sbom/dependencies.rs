//! Which package requires which, as the lockfile has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::Name,
    toml::{File, Node},
};

/// The requirements of each package: the names of those that it can require, with the extras that somebody asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct DependencyGraph(BTreeMap<Name, BTreeSet<Name>>);

/// What a package in a lockfile requires.
struct LockedPackage {
    name: Name,
    /// Always, and with its groups.
    edges: Vec<Edge>,
    /// With an extra.
    extras: Vec<(String, Vec<Edge>)>,
}

/// A requirement in a lockfile: a name and extras.
struct Edge {
    name: Name,
    extras: Vec<Name>,
}

impl DependencyGraph {
    /// Reads a `uv.lock`. `project` is installed with `extras` and with all its groups.
    pub(crate) fn read(lockfile: &File, project: Option<&Name>, extras: &[Name]) -> crate::Result<Self> {
        let document = lockfile.parse()?;
        let packages: Vec<_> = match document.root().get("package")? {
            Some(packages) => packages.elements()?.iter().map(LockedPackage::read).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        let mut wanted: BTreeSet<(Name, Name)> = BTreeSet::new();
        wanted.extend(project.into_iter().flat_map(|project| extras.iter().map(|it| (project.clone(), it.clone()))));
        for edge in packages.iter().flat_map(LockedPackage::all_edges) {
            wanted.extend(edge.extras.iter().map(|extra| (edge.name.clone(), extra.clone())));
        }
        let mut graph = Self::default();
        for LockedPackage { name, edges, extras } in packages {
            let is_wanted =
                |extra: &str| Name::parse(extra).is_some_and(|extra| wanted.contains(&(name.clone(), extra)));
            let with_extras = extras.into_iter().filter(|(extra, _)| is_wanted(extra)).flat_map(|(_, edges)| edges);
            let names: Vec<_> = edges.into_iter().chain(with_extras).map(|edge| edge.name).collect();
            graph.0.entry(name).or_default().extend(names);
        }
        Ok(graph)
    }

    /// Returns what `package` can require; `None` if the lockfile does not have it.
    pub(super) fn of(&self, package: &Name) -> Option<&BTreeSet<Name>> {
        self.0.get(package)
    }
}

impl LockedPackage {
    fn read(package: &Node<'_>) -> crate::Result<Self> {
        let name = package.get("name")?.ok_or_else(|| package.type_error("a table with a `name`"))?.name()?;
        let lists = |key: &str| -> crate::Result<Vec<(String, Vec<Edge>)>> {
            let Some(table) = package.get(key)? else { return Ok(Vec::new()) };
            table.entries()?.iter().map(|(name, list)| Ok(((*name).to_owned(), edges(list)?))).collect()
        };
        let mut always = package.get("dependencies")?.map_or(Ok(Vec::new()), |list| edges(&list))?;
        always.extend(lists("dev-dependencies")?.into_iter().flat_map(|(_, edges)| edges));
        Ok(Self { name, edges: always, extras: lists("optional-dependencies")? })
    }

    fn all_edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().chain(self.extras.iter().flat_map(|(_, edges)| edges))
    }
}

fn edges(list: &Node<'_>) -> crate::Result<Vec<Edge>> {
    let edge = |node: &Node<'_>| -> crate::Result<Edge> {
        let name = node.get("name")?.ok_or_else(|| node.type_error("a table with a `name`"))?.name()?;
        Ok(Edge { name, extras: node.get("extra")?.map_or(Ok(Vec::new()), |extras| extras.names())? })
    };
    list.elements()?.iter().map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "app"
dependencies = [{ name = "one", extra = ["fast"] }]
[package.optional-dependencies]
cu124 = [{ name = "torch", version = "2" }]
cu128 = [{ name = "other" }]
[package.dev-dependencies]
test = [{ name = "pytest" }]
[[package]]
name = "one"
dependencies = [{ name = "two", marker = "x" }]
[package.optional-dependencies]
fast = [{ name = "three" }]
slow = [{ name = "four" }]
"#;

    #[test]
    fn follows_the_extras_that_are_asked_for() {
        let name = |text| Name::parse(text).unwrap();
        let file = File { path: "uv.lock".into(), text: LOCK.into() };
        let graph = DependencyGraph::read(&file, Some(&name("app")), &[name("cu124")]).unwrap();
        let of = |text| graph.of(&name(text)).into_iter().flatten().map(Name::as_str).collect::<Vec<_>>();
        assert_eq!(of("app"), ["one", "pytest", "torch"]);
        assert_eq!(of("one"), ["three", "two"]);
        assert_eq!(of("two"), [""; 0]);
    }
}
