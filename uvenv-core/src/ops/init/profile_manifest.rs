//! The manifest of staging or prod, derived from that of dev. It has the same metadata, dependencies, backends, indexes
//! and conflicts, but no workspace and no internal packages, which get their pins later.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use crate::{
    backend::Backend,
    check::Facts,
    manifest::{Requirement, Selector, SourceKind},
    model::Profile,
    toml::File,
    uv::settings,
};

/// The keys of `[project]` that refer to files in dev's directory, or to dev's own build.
const OF_THE_BUILD: [&str; 7] =
    ["dynamic", "entry-points", "gui-scripts", "license-files", "readme", "scripts", "import-names"];

/// Returns the text of the manifest.
pub(super) fn derive(facts: &Facts<'_>, profile: Profile) -> crate::Result<String> {
    let dev = &facts.monorepo.dev;
    let backends = facts.monorepo.context(Profile::Dev)?.backends()?.to_vec();
    let text = dev.file.text.replace("\r\n", "\n").into();
    let mut document = File { path: dev.file.path.clone(), text }.editable()?;
    let keys: Vec<_> = document.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys.iter().filter(|key| !["project", "tool", "dependency-groups"].contains(&key.as_str())) {
        document.remove(key);
    }
    if let Some(project) = document.get_mut("project").and_then(Item::as_table_like_mut) {
        project_of(facts, project);
    }
    groups(&mut document, &backends);
    uv(facts, &mut document, &backends);
    let what = match profile {
        Profile::Staging => "tags of dev releases, for testing before a release",
        _ => "tags of stable releases",
    };
    let head = format!(
        "# The {profile} profile: internal packages at {what}.\n# `cargo uvenv promote --to {profile}` moves the pins.\n"
    );
    Ok(head + document.to_string().trim_start_matches('\n'))
}

fn project_of(facts: &Facts<'_>, project: &mut dyn TableLike) {
    for key in OF_THE_BUILD {
        project.remove(key);
    }
    if project.get("license").is_some_and(Item::is_table_like) {
        project.remove("license");
    }
    if !project.contains_key("version") {
        project.insert("version", Item::Value("0.1.0".into()));
    }
    if let Some(dependencies) = project.get_mut("dependencies").and_then(Item::as_array_mut) {
        without_internal(facts, dependencies);
    }
}

/// Removes internal packages, because they must never be taken from an index.
fn without_internal(facts: &Facts<'_>, requirements: &mut Array) {
    requirements.retain(|value| {
        let name = value.as_str().and_then(Requirement::name_of);
        name.is_none_or(|name| !facts.internal.contains(&name))
    });
    if requirements.is_empty() {
        requirements.set_trailing("");
        requirements.set_trailing_comma(false);
    }
}

/// Keeps the groups that are backends; other groups are for development.
fn groups(document: &mut DocumentMut, backends: &[Backend]) {
    let kept: Vec<_> = backends.iter().filter(|backend| matches!(backend.selector, Selector::Group(_))).collect();
    if let Some(groups) = document.get_mut("dependency-groups").and_then(Item::as_table_like_mut) {
        let names: Vec<_> = groups.iter().map(|(key, _)| key.to_owned()).collect();
        let is_kept = |name: &&String| kept.iter().any(|backend| backend.name.as_str() == name.as_str());
        for name in names.iter().filter(|name| !is_kept(name)) {
            groups.remove(name);
        }
    }
    if kept.is_empty() {
        document.remove("dependency-groups");
    }
}

fn uv(facts: &Facts<'_>, document: &mut DocumentMut, backends: &[Backend]) {
    let tool = document.entry("tool").or_insert_with(implicit);
    let Some(tool) = tool.as_table_like_mut() else { return };
    let others: Vec<_> = tool.iter().map(|(key, _)| key.to_owned()).filter(|key| key != "uv").collect();
    for key in &others {
        tool.remove(key);
    }
    let Some(uv) = tool.entry("uv").or_insert_with(|| Item::Table(Table::new())).as_table_like_mut() else { return };
    let sources = uv.remove("sources");
    for key in settings::of_the_workspace() {
        uv.remove(key);
    }
    if let Some(item) = uv.get_mut("conflicts") {
        conflicts(item, backends);
    }
    relocate_indexes(uv);
    uv.insert("package", Item::Value(false.into()));
    if let Some(sources) = sources.and_then(|item| kept_sources(facts, item)) {
        uv.insert("sources", sources);
    }
}

fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

/// Keeps the conflict sets of the project's own extras. Entries of members, which are not members here, are removed; if
/// no set is left, the project's backends become one.
fn conflicts(item: &mut Item, backends: &[Backend]) {
    let Some(sets) = item.as_array_mut() else { return };
    let is_own = |value: &Value| value.as_inline_table().is_some_and(|entry| !entry.contains_key("package"));
    sets.retain(|set| set.as_array().is_some_and(|set| set.iter().filter(|entry| is_own(entry)).count() > 1));
    for set in sets.iter_mut().filter_map(Value::as_array_mut) {
        set.retain(is_own);
    }
    if sets.is_empty() && backends.len() > 1 {
        let entry = |backend: &Backend| {
            let key = match backend.selector {
                Selector::Extra(_) => "extra",
                Selector::Group(_) => "group",
            };
            let mut entry = toml_edit::InlineTable::new();
            entry.insert(key, backend.name.as_str().into());
            Value::InlineTable(entry)
        };
        sets.push(backends.iter().map(entry).collect::<Array>());
    }
}

/// Adjusts the paths of indexes in directories, which are one directory further up.
fn relocate_indexes(uv: &mut dyn TableLike) {
    let Some(item) = uv.get_mut("index") else { return };
    if let Some(tables) = item.as_array_of_tables_mut() {
        for table in tables.iter_mut() {
            relocate(table, "url");
        }
    } else if let Some(values) = item.as_array_mut() {
        for table in values.iter_mut().filter_map(Value::as_inline_table_mut) {
            relocate(table, "url");
        }
    }
}

fn relocate(table: &mut dyn TableLike, key: &str) {
    if let Some(value) = table.get_mut(key).and_then(Item::as_value_mut)
        && let Some(path) = value.as_str().filter(|path| !path.contains("://") && !path.starts_with('/'))
    {
        let moved = format!("../{}", path.trim_start_matches("./"));
        let decor = value.decor().clone();
        *value = moved.into();
        *value.decor_mut() = decor;
    }
}

/// Returns the sources of packages that are not internal.
fn kept_sources(facts: &Facts<'_>, mut item: Item) -> Option<Item> {
    let dev = &facts.monorepo.dev;
    let sources = item.as_table_like_mut()?;
    for (name, list) in &dev.uv.sources {
        let from_workspace = list.iter().any(|source| matches!(source.kind, SourceKind::Workspace));
        if from_workspace || facts.internal.contains(&name.value) {
            let key = sources.iter().map(|(key, _)| key.to_owned());
            let key = key.into_iter().find(|key| crate::Name::parse(key).as_ref() == Some(&name.value));
            key.and_then(|key| sources.remove(&key));
        }
    }
    let keys: Vec<_> = sources.iter().map(|(key, _)| key.to_owned()).collect();
    for key in &keys {
        if let Some(table) = sources.get_mut(key).and_then(Item::as_table_like_mut) {
            relocate(table, "path");
        }
    }
    (!sources.is_empty()).then_some(item)
}
