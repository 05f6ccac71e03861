//! Copies the backends of one manifest to another: extras, conflicts, and the sources and indexes of their packages.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::model::Name;

/// The parts of a manifest that declare backends.
pub(super) struct Backends<'a> {
    /// The manifest that has them.
    pub(super) from: &'a DocumentMut,
    /// The extras to copy.
    pub(super) names: &'a [Name],
}

impl Backends<'_> {
    /// Adds what `extras`, `project.optional-dependencies`, lacks.
    pub(super) fn add_extras(&self, extras: &mut dyn TableLike) -> bool {
        let Some(theirs) = table(self.from, &["project", "optional-dependencies"]) else { return false };
        let has = |extras: &dyn TableLike, name: &Name| extras.iter().any(|(key, _)| is(key, name));
        let mut changed = false;
        for (key, value) in theirs.iter() {
            let Some(name) = self.names.iter().find(|name| is(key, name)).filter(|name| !has(extras, name)) else {
                continue;
            };
            extras.insert(name.as_str(), value.clone());
            changed = true;
        }
        changed
    }

    /// Adds what `uv`, `tool.uv`, lacks.
    /// `extras` are those that the manifest has now.
    pub(super) fn add_settings(&self, uv: &mut dyn TableLike, extras: &[Name]) -> bool {
        let Some(theirs) = table(self.from, &["tool", "uv"]) else { return false };
        let conflicts = self.add_conflicts(uv, theirs, extras);
        let indexes = self.add_sources(uv, theirs);
        let mut changed = conflicts || !indexes.is_empty();
        for name in indexes {
            changed |= add_index(uv, theirs, &name);
        }
        changed
    }

    fn add_conflicts(&self, uv: &mut dyn TableLike, theirs: &dyn TableLike, extras: &[Name]) -> bool {
        let sets = theirs.get("conflicts").and_then(Item::as_array).into_iter().flatten();
        let sets = sets.filter_map(Value::as_array).filter(|set| set.iter().any(|entry| self.is_meant(entry)));
        let mut changed = false;
        for set in sets {
            let is_there = |entry: &&Value| own_extra(entry).is_some_and(|extra| extras.contains(&extra));
            let entries: Vec<_> = set.iter().filter(is_there).collect();
            if entries.len() < 2 {
                continue;
            }
            let ours = uv.entry("conflicts").or_insert(Item::Value(Value::Array(Array::new())));
            let Some(ours) = ours.as_array_mut() else { return changed };
            // To a set whose entries all exclude each other in the other manifest too.
            let is_part = |value: &Value| {
                let mut known = value.as_array().into_iter().flatten();
                known.all(|known| {
                    entries.iter().any(|entry| own_extra(entry).is_some() && own_extra(entry) == own_extra(known))
                })
            };
            let position = ours.iter().position(is_part);
            if let Some(ours) = position.and_then(|position| ours.get_mut(position)?.as_array_mut()) {
                for entry in entries {
                    if !ours.iter().any(|known| own_extra(known) == own_extra(entry)) {
                        ours.push(entry.clone());
                        changed = true;
                    }
                }
            } else {
                ours.push(entries.into_iter().cloned().collect::<Array>());
                changed = true;
            }
        }
        changed
    }

    /// Adds the sources by index. Returns the names of the indexes that were added.
    fn add_sources(&self, uv: &mut dyn TableLike, theirs: &dyn TableLike) -> Vec<String> {
        let mut indexes = Vec::new();
        let Some(theirs) = theirs.get("sources").and_then(Item::as_table_like) else { return indexes };
        for (package, value) in theirs.iter() {
            let sources = value.as_array().into_iter().flatten().filter(|source| self.is_meant(source));
            for source in sources {
                let Some(index) = key(source, "index") else { continue };
                let ours = uv.entry("sources").or_insert(Item::Table(Table::new()));
                let Some(ours) = ours.as_table_like_mut() else { return indexes };
                let known =
                    ours.iter().map(|(key, _)| key.to_owned()).find(|key| Name::parse(key) == Name::parse(package));
                let list = ours.entry(known.as_deref().unwrap_or(package)).or_insert(Item::Value(Array::new().into()));
                let Some(list) = list.as_array_mut() else { continue };
                let is_same = |known: &Value| {
                    own_extra(known) == own_extra(source) && key(known, "marker") == key(source, "marker")
                };
                if !list.iter().any(is_same) {
                    list.push(source.clone());
                    indexes.push(index);
                }
            }
        }
        indexes
    }

    /// Whether an entry of conflicts or sources is about one of the extras.
    fn is_meant(&self, value: &Value) -> bool {
        own_extra(value).is_some_and(|extra| self.names.contains(&extra))
    }
}

fn add_index(uv: &mut dyn TableLike, theirs: &dyn TableLike, name: &str) -> bool {
    let has_name = |table: &dyn TableLike| table.get("name").and_then(Item::as_str) == Some(name);
    let theirs = match theirs.get("index") {
        Some(Item::ArrayOfTables(tables)) => tables.iter().find(|table| has_name(*table)).cloned(),
        Some(Item::Value(Value::Array(values))) => {
            let mut tables = values.iter().filter_map(Value::as_inline_table);
            tables.find(|table| has_name(*table)).cloned().map(InlineTable::into_table)
        }
        _ => None,
    };
    let Some(mut table) = theirs else { return false };
    // Otherwise it would stay at its place in the other file.
    table.set_position(None);
    match uv.entry("index").or_insert(Item::ArrayOfTables(ArrayOfTables::new())) {
        Item::ArrayOfTables(tables) if !tables.iter().any(|table| has_name(table)) => {
            tables.push(table);
            true
        }
        Item::Value(Value::Array(values))
            if !values.iter().filter_map(Value::as_inline_table).any(|table| has_name(table)) =>
        {
            values.push(table.into_inline_table());
            true
        }
        _ => false,
    }
}

fn table<'a>(document: &'a DocumentMut, path: &[&str]) -> Option<&'a dyn TableLike> {
    let item = path.iter().try_fold(document.as_item(), |item, key| item.as_table_like()?.get(key))?;
    item.as_table_like()
}

fn key(value: &Value, key: &str) -> Option<String> {
    Some(value.as_inline_table()?.get(key)?.as_str()?.to_owned())
}

/// Returns the extra of the manifest itself that an entry of conflicts or sources is about.
fn own_extra(value: &Value) -> Option<Name> {
    if key(value, "package").is_some() {
        return None;
    }
    Name::parse(&key(value, "extra")?)
}

/// Returns the names of the extras in `extras`, `project.optional-dependencies`.
pub(super) fn names(extras: &dyn TableLike) -> Vec<Name> {
    extras.iter().filter_map(|(key, _)| Name::parse(key)).collect()
}

fn is(key: &str, name: &Name) -> bool {
    Name::parse(key).as_ref() == Some(name)
}
