//! Edits to a manifest that preserve every other byte: comments, order, spelling and line endings.

mod backends;
mod headings;
mod line_ends;
mod requirements;
mod sources;
#[cfg(test)]
mod tests;

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::{
    model::{Diagnostic, Name, Place},
    toml::{BYTE_ORDER_MARK, File},
};

const SOURCES: &str = "tool.uv.sources";

/// A change to a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// Sets the tag of the package's git sources. Replaces a branch or revision; all other keys are kept.
    SetTag {
        /// The package.
        package: Name,
        /// The tag.
        tag: String,
    },
    /// Sets the package's source: replaces the existing ones, or adds it after the last source.
    SetSource {
        /// The package.
        package: Name,
        /// Its new source.
        source: NewSource,
    },
    /// Removes the sources of the package.
    RemoveSource {
        /// The package.
        package: Name,
    },
    /// Adds a requirement to `project.dependencies`, unless there already is one on the package.
    AddDependency {
        /// The requirement, in PEP 508 syntax.
        requirement: String,
    },
    /// Adds a pattern to `tool.uv.workspace.members`.
    AddMember {
        /// The pattern.
        pattern: String,
    },
    /// Removes the `[[tool.uv.index]]` with this name.
    RemoveIndex {
        /// Its name.
        name: String,
    },
    /// Adds the backends of another manifest, with their conflicts, sources and indexes, as far as they are missing.
    CopyBackends {
        /// The text of the other manifest.
        from: String,
        /// The extras to copy.
        names: Vec<Name>,
    },
    /// Sets `tool.uv.cache-keys` if there are none.
    SetCacheKeys {
        /// Glob patterns of files.
        files: Vec<String>,
    },
}

/// A source to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewSource {
    /// `{ workspace = true }`.
    Workspace,
    /// `{ git = URL, tag = TAG, subdirectory = DIR }`.
    Git {
        /// The repository.
        url: String,
        /// The tag.
        tag: String,
        /// The directory of the package in the repository.
        subdirectory: Option<String>,
    },
}

/// Why an edit is not possible.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    /// The existing value has the wrong type for the edit.
    #[error("`{key}` in `{}` is no {expected}, and cannot be edited", place.path())]
    Occupied { key: &'static str, expected: &'static str, place: Place },
    /// The package whose tag must be set does not come from git.
    #[error("`{}` takes `{package}` from no git repository", place.path())]
    NoGitSource { package: Name, place: Place },
}

impl Diagnostic for EditError {
    fn code(&self) -> &'static str {
        match self {
            Self::Occupied { .. } => "invalid-value",
            Self::NoGitSource { .. } => "invalid-source",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Occupied { key, expected, .. } => Some(format!("make `{key}` {expected}")),
            Self::NoGitSource { package, .. } => {
                Some(format!("give `{package}` a source with `git` and `tag` in `[tool.uv.sources]`"))
            }
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Occupied { place, .. } | Self::NoGitSource { place, .. } => Some(place),
        }
    }
}

/// A manifest that is being edited. This writes no file: [`ManifestEditor::text`] returns the new content.
#[derive(Clone, Debug)]
pub struct ManifestEditor {
    file: File,
    text: String,
}

impl ManifestEditor {
    /// Creates an editor with the content of `file`.
    pub fn new(file: &File) -> crate::Result<Self> {
        file.parse()?;
        Ok(Self { file: file.clone(), text: file.text.to_string() })
    }

    /// Makes an edit, and returns whether it changed anything. If there is an error, nothing is changed.
    pub fn apply(&mut self, edit: &Edit) -> crate::Result<bool> {
        let mut document = File { path: self.file.path.clone(), text: self.text.as_str().into() }.editable()?;
        let original = document.clone();
        if !self.edit(&mut document, edit)? {
            return Ok(false);
        }
        headings::keep_comments(&original, &mut document);
        let mark = if self.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let (mark, body) = self.text.split_at(mark);
        self.text = format!("{mark}{}", line_ends::keep(body, &document.to_string()));
        Ok(true)
    }

    /// Returns the text with the edits made so far.
    pub fn text(&self) -> String {
        self.text.clone()
    }

    fn edit(&self, document: &mut DocumentMut, edit: &Edit) -> crate::Result<bool> {
        match edit {
            Edit::SetTag { package, tag } => {
                let found = self.table(document, SOURCES, false)?.and_then(|it| sources::set_tag(it, package, tag));
                Ok(found.ok_or_else(|| EditError::NoGitSource { package: package.clone(), place: self.start() })?)
            }
            Edit::SetSource { package, source } => {
                let sources = self.table(document, SOURCES, true)?;
                Ok(sources.is_some_and(|sources| sources::set(sources, package, source)))
            }
            Edit::RemoveSource { package } => {
                let sources = self.item(document, SOURCES, false)?;
                Ok(sources.is_some_and(|sources| sources::remove(sources, package)))
            }
            Edit::AddDependency { requirement } => {
                let list = self.list(document, "project", ("dependencies", "project.dependencies"))?;
                Ok(list.is_some_and(|list| requirements::add(list, requirement)))
            }
            Edit::AddMember { pattern } => {
                let list = self.list(document, "tool.uv.workspace", ("members", "tool.uv.workspace.members"))?;
                Ok(list.is_some_and(|list| requirements::append(list, pattern, |known| known == pattern)))
            }
            Edit::RemoveIndex { name } => {
                let uv = self.table(document, "tool.uv", false)?;
                Ok(uv.is_some_and(|uv| remove_index(uv, name)))
            }
            Edit::CopyBackends { from, names } => {
                let from = from
                    .strip_prefix(BYTE_ORDER_MARK)
                    .unwrap_or(from)
                    .parse()
                    .map_err(|error: toml_edit::TomlError| self.file.syntax_error(error.message(), 0..0))?;
                let backends = backends::Backends { from: &from, names };
                let Some(extras) = self.table(document, "project.optional-dependencies", true)? else {
                    return Ok(false);
                };
                let has_new_extras = backends.add_extras(extras);
                let extras = backends::names(extras);
                let uv = self.table(document, "tool.uv", true)?;
                Ok(uv.is_some_and(|uv| backends.add_settings(uv, &extras)) || has_new_extras)
            }
            Edit::SetCacheKeys { files } => {
                let Some(uv) = self.table(document, "tool.uv", true)? else { return Ok(false) };
                if uv.contains_key("cache-keys") {
                    return Ok(false);
                }
                let keys = files.iter().map(|file| Value::InlineTable(inline([("file", file.as_str().into())])));
                put(uv, "cache-keys", Value::Array(keys.collect()));
                Ok(true)
            }
        }
    }

    /// Returns the array `name` of the table at `table`; creates what is missing. Messages call it `key`.
    fn list<'a>(
        &self,
        document: &'a mut DocumentMut,
        table: &'static str,
        (name, key): (&str, &'static str),
    ) -> crate::Result<Option<&'a mut Array>> {
        let Some(table) = self.table(document, table, true)? else { return Ok(None) };
        let list = table.entry(name).or_insert(Item::Value(Value::Array(Array::new())));
        Ok(Some(list.as_array_mut().ok_or_else(|| self.occupied(key, "array"))?))
    }

    fn table<'a>(
        &self,
        document: &'a mut DocumentMut,
        key: &'static str,
        make: bool,
    ) -> crate::Result<Option<&'a mut dyn TableLike>> {
        Ok(self.item(document, key, make)?.and_then(Item::as_table_like_mut))
    }

    /// Returns the table at the dotted `key`; creates it if it is missing and `make` is set.
    fn item<'a>(
        &self,
        document: &'a mut DocumentMut,
        key: &'static str,
        make: bool,
    ) -> crate::Result<Option<&'a mut Item>> {
        let path: Vec<_> = key.split('.').collect();
        let mut item = document.as_item_mut();
        for (depth, part) in path.iter().enumerate() {
            let table = item.as_table_like_mut().ok_or_else(|| self.occupied(key, "table"))?;
            if !table.contains_key(part) {
                if !make {
                    return Ok(None);
                }
                let mut new = Table::new();
                // Nobody writes a line with `[tool]` alone.
                new.set_implicit(depth + 1 < path.len());
                table.insert(part, Item::Table(new));
            }
            item = table.get_mut(part).ok_or_else(|| self.occupied(key, "table"))?;
        }
        if item.is_table_like() { Ok(Some(item)) } else { Err(self.occupied(key, "table").into()) }
    }

    fn occupied(&self, key: &'static str, expected: &'static str) -> EditError {
        EditError::Occupied { key, expected, place: self.start() }
    }

    fn start(&self) -> Place {
        self.file.place(0..0)
    }
}

/// Creates an inline table with these keys, formatted as people write it.
fn inline<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> InlineTable {
    let mut table = InlineTable::new();
    for (key, value) in entries {
        table.insert(key, value);
    }
    table
}

/// Adds a key at the end of a table. In an inline table, the space before the closing brace stays at the end.
fn put(table: &mut dyn TableLike, key: &str, value: Value) {
    let last = table.iter().last().map(|(key, _)| key.to_owned());
    let suffix = last.and_then(|last| {
        // In a regular table, a line can end with a comment, which stays in place.
        let value = table.get_mut(&last)?.as_value_mut()?;
        let suffix = value.decor().suffix()?.as_str()?.to_owned();
        (!suffix.is_empty() && suffix.trim().is_empty() && !suffix.contains('\n')).then(|| {
            value.decor_mut().set_suffix("");
            suffix
        })
    });
    let mut value = value;
    if let Some(suffix) = suffix {
        value.decor_mut().set_suffix(suffix);
    }
    table.insert(key, Item::Value(value));
}

fn remove_index(uv: &mut dyn TableLike, name: &str) -> bool {
    let has_name = |table: &dyn TableLike| table.get("name").and_then(Item::as_str) == Some(name);
    let Some(item) = uv.get_mut("index") else { return false };
    let removed = match item {
        Item::ArrayOfTables(tables) => remove_table(tables, |table| has_name(table)),
        Item::Value(Value::Array(values)) => {
            let before = values.len();
            values.retain(|value| !value.as_inline_table().is_some_and(|table| has_name(table)));
            values.len() != before
        }
        _ => false,
    };
    if removed
        && (item.as_array().is_some_and(Array::is_empty)
            || item.as_array_of_tables().is_some_and(ArrayOfTables::is_empty))
    {
        uv.remove("index");
    }
    removed
}

fn remove_table(tables: &mut ArrayOfTables, is_meant: impl Fn(&Table) -> bool) -> bool {
    let before = tables.len();
    tables.retain(|table| !is_meant(table));
    tables.len() != before
}
