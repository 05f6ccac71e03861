//! Which package requires which, as the lockfile has it.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{Document, Item, Table, Value};

use crate::model::Name;

/// The requirements of each package: the names of those that it can require, with the extras that somebody asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct DependencyGraph(BTreeMap<Name, BTreeSet<Name>>);

/// A requirement in a lockfile: a name and extras.
struct Edge {
    name: Name,
    extras: Vec<Name>,
}

impl DependencyGraph {
    /// Reads the text of a `uv.lock`; there are no requirements in what is none. `project` is installed with `extras` and
    /// with all its groups.
    pub(crate) fn read(lockfile: &str, project: Option<&Name>, extras: &[Name]) -> Self {
        let Ok(document) = lockfile.parse::<Document<String>>() else { return Self::default() };
        let packages: Vec<(Name, &Table)> = document
            .get("package")
            .and_then(Item::as_array_of_tables)
            .into_iter()
            .flatten()
            .filter_map(|package| Some((Name::parse(package.get("name")?.as_str()?)?, package)))
            .collect();
        let mut wanted: BTreeSet<(Name, Name)> = BTreeSet::new();
        wanted.extend(project.into_iter().flat_map(|project| extras.iter().map(|it| (project.clone(), it.clone()))));
        for (_, package) in &packages {
            for edge in all_edges(package) {
                wanted.extend(edge.extras.into_iter().map(|extra| (edge.name.clone(), extra)));
            }
        }
        let mut graph = Self::default();
        for (name, package) in packages {
            let mut edges = edges(package.get("dependencies"));
            edges.extend(
                tables(package, "optional-dependencies")
                    .filter_map(|(extra, list)| {
                        let is_wanted = wanted.contains(&(name.clone(), Name::parse(extra)?));
                        is_wanted.then(|| self::edges(Some(list)))
                    })
                    .flatten(),
            );
            edges.extend(tables(package, "dev-dependencies").flat_map(|(_, list)| self::edges(Some(list))));
            graph.0.entry(name).or_default().extend(edges.into_iter().map(|edge| edge.name));
        }
        graph
    }

    /// Returns what `package` can require; `None` if the lockfile does not have it.
    pub(super) fn of(&self, package: &Name) -> Option<&BTreeSet<Name>> {
        self.0.get(package)
    }
}

fn all_edges(package: &Table) -> Vec<Edge> {
    let grouped = ["optional-dependencies", "dev-dependencies"].into_iter().flat_map(|key| tables(package, key));
    edges(package.get("dependencies")).into_iter().chain(grouped.flat_map(|(_, list)| edges(Some(list)))).collect()
}

fn tables<'a>(package: &'a Table, key: &str) -> impl Iterator<Item = (&'a str, &'a Item)> {
    package.get(key).and_then(Item::as_table).into_iter().flat_map(Table::iter)
}

fn edges(list: Option<&Item>) -> Vec<Edge> {
    let edge = |value: &Value| {
        let table = value.as_inline_table()?;
        let extras = table.get("extra").and_then(Value::as_array);
        let extras = extras.into_iter().flatten().filter_map(|extra| Name::parse(extra.as_str()?));
        Some(Edge { name: Name::parse(table.get("name")?.as_str()?)?, extras: extras.collect() })
    };
    list.and_then(Item::as_array).into_iter().flatten().filter_map(edge).collect()
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
        let graph = DependencyGraph::read(LOCK, Some(&name("app")), &[name("cu124")]);
        let of = |text| graph.of(&name(text)).into_iter().flatten().map(Name::as_str).collect::<Vec<_>>();
        assert_eq!(of("app"), ["one", "pytest", "torch"]);
        assert_eq!(of("one"), ["three", "two"]);
        assert_eq!(of("two"), [""; 0]);
    }
}
