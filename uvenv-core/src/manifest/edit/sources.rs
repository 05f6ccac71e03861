//! Edits to `[tool.uv.sources]`, whose entries can be inline, dotted or regular tables, or lists of tables.

use toml_edit::{Decor, InlineTable, Item, RawString, TableLike, Value};

use super::{NewSource, inline, put};
use crate::Name;

/// Returns the key for the sources of `package`, as the user spelled it.
fn key_of(sources: &dyn TableLike, package: &Name) -> Option<String> {
    sources.iter().map(|(key, _)| key).find(|key| Name::parse(key).as_ref() == Some(package)).map(str::to_owned)
}

/// Sets the tag of all git sources of `package`; returns `None` if it has no git source.
pub(super) fn set_tag(sources: &mut dyn TableLike, package: &Name, tag: &str) -> Option<bool> {
    let key = key_of(sources, package)?;
    let mut changed = Vec::new();
    match sources.get_mut(&key)? {
        Item::Value(Value::Array(list)) => {
            changed.extend(list.iter_mut().filter_map(|value| set_tag_of_inline(value.as_inline_table_mut()?, tag)));
        }
        Item::Value(Value::InlineTable(table)) => changed.extend(set_tag_of_inline(table, tag)),
        Item::ArrayOfTables(tables) => changed.extend(tables.iter_mut().filter_map(|table| set_tag_of(table, tag))),
        Item::Table(table) => changed.extend(set_tag_of(table, tag)),
        _ => {}
    }
    (!changed.is_empty()).then(|| changed.contains(&true))
}

fn set_tag_of_inline(source: &mut InlineTable, tag: &str) -> Option<bool> {
    let had_tag = source.contains_key("tag");
    let changed = set_tag_of(source, tag)?;
    if changed && !had_tag {
        // A key was added or removed, so the spaces around the others are no longer right.
        source.fmt();
    }
    Some(changed)
}

/// Sets the tag of a source; returns `None` if it is not a git source.
fn set_tag_of(source: &mut dyn TableLike, tag: &str) -> Option<bool> {
    source.get("git")?;
    let gone = [source.remove("branch"), source.remove("rev")].into_iter().flatten().count();
    match source.get_mut("tag") {
        Some(item) if item.as_str() == Some(tag) => return Some(gone > 0),
        Some(Item::Value(value)) => replace(value, tag.into()),
        _ => put(source, "tag", tag.into()),
    }
    Some(true)
}

/// Replaces `old` with `new`, and keeps the spaces and the comment around it.
fn replace(old: &mut Value, new: Value) {
    let decor: Decor = old.decor().clone();
    *old = new;
    *old.decor_mut() = decor;
}

/// Sets a single source for `package`, replacing the existing ones.
pub(super) fn set(sources: &mut dyn TableLike, package: &Name, source: &NewSource) -> bool {
    let new = written(source);
    let Some(key) = key_of(sources, package) else {
        put(sources, package.as_str(), Value::InlineTable(new));
        return true;
    };
    let Some(item) = sources.get_mut(&key) else { return false };
    if item.as_table_like().is_some_and(|old| has_the_same(old, &new)) {
        return false;
    }
    match item {
        Item::Value(old) => replace(old, Value::InlineTable(new)),
        Item::Table(old) => {
            let keys: Vec<_> = old.iter().map(|(key, _)| key.to_owned()).collect();
            for key in keys.iter().filter(|key| !new.contains_key(key)) {
                old.remove(key);
            }
            for (key, value) in new {
                match old.get_mut(&key) {
                    Some(Item::Value(there)) if there.as_str() == value.as_str() && value.is_str() => {}
                    Some(Item::Value(there)) => replace(there, value),
                    _ => put(old, &key, value),
                }
            }
        }
        item => *item = Item::Value(Value::InlineTable(new)),
    }
    true
}

fn has_the_same(old: &dyn TableLike, new: &InlineTable) -> bool {
    let same = |item: &Item, value: &Value| match (item.as_str(), value.as_str()) {
        (Some(one), Some(other)) => one == other,
        (None, None) => item.as_bool().is_some() && item.as_bool() == value.as_bool(),
        _ => false,
    };
    old.len() == new.len() && new.iter().all(|(key, value)| old.get(key).is_some_and(|item| same(item, value)))
}

fn written(source: &NewSource) -> InlineTable {
    match source {
        NewSource::Workspace => inline([("workspace", true.into())]),
        NewSource::Git { url, tag, subdirectory } => {
            let mut table = inline([("git", url.as_str().into()), ("tag", tag.as_str().into())]);
            if let Some(subdirectory) = subdirectory {
                table.insert("subdirectory", subdirectory.as_str().into());
            }
            table
        }
    }
}

/// Removes the sources of `package`. Keeps a comment above them, because it can also be about their neighbors.
pub(super) fn remove(item: &mut Item, package: &Name) -> bool {
    let Some(sources) = item.as_table_like_mut() else { return false };
    let Some(key) = key_of(sources, package) else { return false };
    let comment = comment_above(sources, &key);
    let keys: Vec<_> = sources.iter().map(|(key, _)| key.to_owned()).collect();
    let at = keys.iter().position(|other| *other == key).unwrap_or_default();
    sources.remove(&key);
    if let Some(comment) = comment {
        let previous = at.checked_sub(1).and_then(|at| keys.get(at));
        keep_comment(item, &comment, keys.get(at + 1).map(String::as_str), previous.map(String::as_str));
    }
    true
}

fn comment_above(table: &dyn TableLike, key: &str) -> Option<String> {
    let (key, _) = table.get_key_value(key)?;
    let above = key.leaf_decor().prefix()?.as_str()?;
    above.contains('#').then(|| above.to_owned())
}

/// Moves a comment above the key `next`; if there is none, below the line of `previous`; if there is none either, below
/// the heading of the table.
fn keep_comment(item: &mut Item, comment: &str, next: Option<&str>, previous: Option<&str>) {
    let text = |raw: Option<&RawString>| raw.and_then(RawString::as_str).unwrap_or_default().to_owned();
    let below = |decor: &mut Decor| {
        let own = text(decor.suffix());
        decor.set_suffix(format!("{own}\n{}", comment.trim_end_matches('\n')));
    };
    let Some(table) = item.as_table_like_mut() else { return };
    if let Some(mut key) = next.and_then(|next| table.key_mut(next)) {
        let own = text(key.leaf_decor().prefix());
        key.leaf_decor_mut().set_prefix(format!("{comment}{own}"));
    } else if let Some(value) = previous.and_then(|previous| table.get_mut(previous)).and_then(Item::as_value_mut) {
        below(value.decor_mut());
    } else if let Item::Table(table) = item {
        below(table.decor_mut());
    }
}
