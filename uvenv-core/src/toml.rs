//! Typed reading of user-written TOML files. Every value has its location in the file.
//!
//! Inline, dotted and regular tables are treated alike, as in TOML itself.

use std::{ops::Range, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{ArrayOfTables, Document, Item, Key, Table, TableLike, Value};

use crate::model::{Diagnostic, Name, Place};

/// Why a TOML file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TomlError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Unreadable { path: Utf8PathBuf, source: std::io::Error },
    /// The file is not valid TOML.
    #[error("`{}` is not valid TOML: {message}", place.path())]
    Syntax {
        /// The message of the parser, on one line.
        message: String,
        place: Place,
    },
    /// A value has the wrong type or form for its key.
    #[error("`{key}` must be {expected}, not {found}")]
    Type {
        key: String,
        /// The expected type: `a string`.
        expected: &'static str,
        /// The actual type: `an integer`.
        found: &'static str,
        place: Place,
    },
    /// A value is not a valid name of a package, extra or group.
    #[error("`{text}` in `{key}` is not a valid name")]
    Name { key: String, text: String, place: Place },
}

impl TomlError {
    /// Whether `error` is that the file does not exist.
    pub(crate) fn is_missing_file(error: &crate::Error) -> bool {
        matches!(error.downcast_ref(), Some(Self::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound)
    }
}

impl Diagnostic for TomlError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable-file",
            Self::Syntax { .. } => "invalid-toml",
            Self::Type { .. } | Self::Name { .. } => "invalid-value",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some("check that the file exists and is readable".to_owned()),
            Self::Syntax { .. } => Some("fix the file at the location shown".to_owned()),
            Self::Type { key, expected, .. } => Some(format!("make `{key}` {expected}")),
            Self::Name { .. } => Some(
                "use only ASCII letters, digits, `-`, `_` and `.`, and start and end with a letter or digit".to_owned(),
            ),
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Syntax { place, .. } | Self::Type { place, .. } | Self::Name { place, .. } => Some(place),
        }
    }
}

/// A value and its location in the file.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The byte range in the text of the file.
    pub span: Range<usize>,
}

/// The text of a TOML file and its path.
#[derive(Clone, Debug)]
pub struct File {
    /// The path from which it was read.
    pub path: Utf8PathBuf,
    /// Its text.
    pub text: Arc<str>,
}

impl File {
    /// Reads the file.
    pub(crate) fn read(path: &Utf8Path) -> crate::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text: text.into() }),
            Err(source) => Err(TomlError::Unreadable { path: path.to_owned(), source }.into()),
        }
    }

    /// Parses the text.
    pub(crate) fn parse(&self) -> crate::Result<Document<String>> {
        Ok(Document::parse(self.text.to_string()).map_err(|error| {
            // If the file ends too early, the parser points past the last byte.
            let span = error.span().unwrap_or(0..0);
            self.syntax_error(error.message(), span)
        })?)
    }

    pub(crate) fn syntax_error(&self, message: &str, span: Range<usize>) -> TomlError {
        let message = message.lines().collect::<Vec<_>>().join(", ");
        TomlError::Syntax { message, place: self.place(span) }
    }

    /// Returns a location in this file.
    pub fn place(&self, span: Range<usize>) -> Place {
        Place::new(&*self.path, Arc::clone(&self.text), span)
    }
}

/// A value in a file, with its dotted key. The elements of an array have the key of the array.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    file: &'a File,
    key: String,
    key_span: Range<usize>,
    value: Kind<'a>,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Value(&'a Value),
    Table(&'a Table),
    Tables(&'a ArrayOfTables),
}

impl<'a> Node<'a> {
    pub(crate) fn root(file: &'a File, document: &'a Document<String>) -> Self {
        Self { file, key: String::new(), key_span: 0..0, value: Kind::Table(document.as_table()) }
    }

    /// Returns the location of the value, or of its key if the parser records no location for the value (a table made
    /// of dotted keys).
    pub(crate) fn span(&self) -> Range<usize> {
        let span = match self.value {
            Kind::Value(value) => value.span(),
            Kind::Table(table) => table.span(),
            Kind::Tables(tables) => tables.span(),
        };
        span.unwrap_or_else(|| self.key_span.clone())
    }

    /// Returns the location of the key.
    pub(crate) fn key_span(&self) -> Range<usize> {
        self.key_span.clone()
    }

    pub(crate) fn place(&self) -> Place {
        self.file.place(self.span())
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value of `key`, if it exists. `self` must be a table.
    pub(crate) fn get(&self, key: &str) -> crate::Result<Option<Self>> {
        let table = self.table()?;
        Ok(table.get_key_value(key).and_then(|(key, item)| self.child(key, item)))
    }

    /// Returns the string under `key`, if it exists. `self` must be a table.
    pub(crate) fn get_string(&self, key: &str) -> crate::Result<Option<Spanned<String>>> {
        self.get(key)?.map(|node| node.string()).transpose()
    }

    /// Returns all entries. `self` must be a table.
    pub(crate) fn entries(&self) -> crate::Result<Vec<(&'a str, Self)>> {
        let table = self.table()?;
        let entries = table.iter().filter_map(|(key, _)| table.get_key_value(key));
        Ok(entries.filter_map(|(key, item)| Some((key.get(), self.child(key, item)?))).collect())
    }

    fn child(&self, key: &Key, item: &'a Item) -> Option<Self> {
        let value = match item {
            Item::None => return None,
            Item::Value(value) => Kind::Value(value),
            Item::Table(table) => Kind::Table(table),
            Item::ArrayOfTables(tables) => Kind::Tables(tables),
        };
        let name = if self.key.is_empty() { key.get().to_owned() } else { format!("{}.{}", self.key, key.get()) };
        Some(Self { file: self.file, key: name, key_span: key.span().unwrap_or_else(|| self.key_span()), value })
    }

    /// Returns the elements of an array or of an array of tables.
    pub(crate) fn elements(&self) -> crate::Result<Vec<Self>> {
        let element = |value| Self { file: self.file, key: self.key.clone(), key_span: 0..0, value };
        match self.value {
            Kind::Value(Value::Array(array)) => Ok(array.iter().map(|value| element(Kind::Value(value))).collect()),
            Kind::Tables(tables) => Ok(tables.iter().map(|table| element(Kind::Table(table))).collect()),
            _ => Err(self.type_error("an array").into()),
        }
    }

    /// Whether the value is a list, for keys that take either a single value or a list of values.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.value, Kind::Value(Value::Array(_)) | Kind::Tables(_))
    }

    pub(crate) fn is_table(&self) -> bool {
        self.table().is_ok()
    }

    pub(crate) fn contains(&self, key: &str) -> crate::Result<bool> {
        Ok(self.table()?.contains_key(key))
    }

    pub(crate) fn string(&self) -> crate::Result<Spanned<String>> {
        let text = self.value().and_then(Value::as_str).ok_or_else(|| self.type_error("a string"))?;
        Ok(Spanned { value: text.to_owned(), span: self.span() })
    }

    pub(crate) fn strings(&self) -> crate::Result<Vec<Spanned<String>>> {
        self.elements()?.iter().map(Self::string).collect()
    }

    /// Returns the value as the name of a package, extra or group.
    pub(crate) fn name(&self) -> crate::Result<Name> {
        let text = self.string()?.value;
        Ok(Name::parse(&text).ok_or_else(|| TomlError::Name { key: self.key.clone(), text, place: self.place() })?)
    }

    /// Returns the value as a list of names.
    pub(crate) fn names(&self) -> crate::Result<Vec<Name>> {
        self.elements()?.iter().map(Self::name).collect()
    }

    pub(crate) fn as_integer(&self) -> Option<i64> {
        self.value()?.as_integer()
    }

    pub(crate) fn bool(&self) -> crate::Result<bool> {
        Ok(self.value().and_then(Value::as_bool).ok_or_else(|| self.type_error("`true` or `false`"))?)
    }

    fn value(&self) -> Option<&'a Value> {
        match self.value {
            Kind::Value(value) => Some(value),
            Kind::Table(_) | Kind::Tables(_) => None,
        }
    }

    fn table(&self) -> crate::Result<&'a dyn TableLike> {
        match self.value {
            Kind::Value(Value::InlineTable(table)) => Ok(table),
            Kind::Table(table) => Ok(table),
            _ => Err(self.type_error("a table").into()),
        }
    }

    pub(crate) fn type_error(&self, expected: &'static str) -> TomlError {
        let found = match self.value {
            Kind::Value(Value::String(_)) => "a string",
            Kind::Value(Value::Integer(_)) => "an integer",
            Kind::Value(Value::Float(_)) => "a float",
            Kind::Value(Value::Boolean(_)) => "a boolean",
            Kind::Value(Value::Datetime(_)) => "a date",
            Kind::Value(Value::Array(_)) => "an array",
            Kind::Value(Value::InlineTable(_)) | Kind::Table(_) => "a table",
            Kind::Tables(_) => "an array of tables",
        };
        TomlError::Type { key: self.key.clone(), expected, found, place: self.place() }
    }
}
