//! Typed reading of user-written TOML files. Every value has its location in the file.
//!
//! Inline, dotted and regular tables are treated alike, as in TOML itself.

use std::{ops::Range, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{Document, Item, Key, TableLike, Value};

use crate::model::{Diagnostic, Name, Place};

/// Why a TOML file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TomlError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is not valid TOML.
    #[error("`{}` is not valid TOML: {message}", place.path())]
    Syntax {
        /// The message of the parser, on one line.
        message: String,
        /// The location of the problem.
        place: Place,
    },
    /// A value has the wrong type or form for its key.
    #[error("`{key}` must be {expected}, not {found}")]
    Type {
        /// The dotted key.
        key: String,
        /// The expected type: `a string`.
        expected: &'static str,
        /// The actual type: `an integer`.
        found: &'static str,
        /// The location of the value.
        place: Place,
    },
    /// A value is not a valid name of a package, extra or group.
    #[error("`{text}` in `{key}` is not a valid name")]
    Name {
        /// The dotted key.
        key: String,
        /// The invalid text.
        text: String,
        /// The location of the value.
        place: Place,
    },
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
    pub(crate) fn read(path: &Utf8Path) -> Result<Self, TomlError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text: text.into() }),
            Err(source) => Err(TomlError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// Parses the text.
    pub(crate) fn parse(&self) -> Result<Document<String>, TomlError> {
        Document::parse(self.text.to_string()).map_err(|error| {
            // If the file ends too early, the parser points past the last byte.
            let span = error.span().unwrap_or(0..0);
            self.syntax_error(error.message(), span)
        })
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

/// An item of a document, with its dotted key and its file.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    file: &'a File,
    key: String,
    span: Range<usize>,
    item: &'a Item,
}

impl<'a> Node<'a> {
    pub(crate) fn root(file: &'a File, document: &'a Document<String>) -> Self {
        Self { file, key: String::new(), span: 0..0, item: document.as_item() }
    }

    /// Returns the location of the value, or of its key if the parser records no location for the value (a table made
    /// of dotted keys).
    pub(crate) fn span(&self) -> Range<usize> {
        self.item.span().unwrap_or_else(|| self.span.clone())
    }

    /// Returns the location of the key.
    pub(crate) fn key_span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(crate) fn place(&self) -> Place {
        self.file.place(self.span())
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value of `key`, if it exists. `self` must be a table.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Node<'a>>, TomlError> {
        let table = self.table()?;
        Ok(table.get_key_value(key).filter(|(_, item)| !item.is_none()).map(|(key, item)| self.child(key, item)))
    }

    /// Returns all entries. `self` must be a table.
    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Node<'a>)>, TomlError> {
        let table = self.table()?;
        let keys = table.iter().map(|(key, _)| key);
        Ok(keys
            .filter_map(|key| table.get_key_value(key))
            .filter(|(_, item)| !item.is_none())
            .map(|(key, item)| (key.get(), self.child(key, item)))
            .collect())
    }

    fn child(&self, key: &Key, item: &'a Item) -> Node<'a> {
        let name = if self.key.is_empty() { key.get().to_owned() } else { format!("{}.{}", self.key, key.get()) };
        Node { file: self.file, key: name, span: key.span().unwrap_or_else(|| self.span.clone()), item }
    }

    fn table(&self) -> Result<&'a dyn TableLike, TomlError> {
        self.item.as_table_like().ok_or_else(|| self.type_error("a table"))
    }

    /// Returns the elements of an array or of an array of tables.
    pub(crate) fn elements(&self) -> Result<Vec<Element<'a>>, TomlError> {
        let element = |value| Element { file: self.file, key: self.key.clone(), value };
        if let Some(array) = self.item.as_array() {
            Ok(array.iter().map(|value| element(Elementary::Value(value))).collect())
        } else if let Some(tables) = self.item.as_array_of_tables() {
            Ok(tables.iter().map(|table| element(Elementary::Table(table))).collect())
        } else {
            Err(self.type_error("an array"))
        }
    }

    /// Whether the value is a list, for keys that take either a single value or a list of values.
    pub(crate) fn is_list(&self) -> bool {
        self.item.is_array() || self.item.is_array_of_tables()
    }

    pub(crate) fn string(&self) -> Result<Spanned<String>, TomlError> {
        let text = self.item.as_str().ok_or_else(|| self.type_error("a string"))?;
        Ok(Spanned { value: text.to_owned(), span: self.span() })
    }

    /// Returns the value as the name of a package, extra or group.
    pub(crate) fn name(&self) -> Result<Name, TomlError> {
        let text = self.string()?.value;
        Name::parse(&text).ok_or_else(|| TomlError::Name { key: self.key.clone(), text, place: self.place() })
    }

    /// Returns the value as a list of names.
    pub(crate) fn names(&self) -> Result<Vec<Name>, TomlError> {
        self.elements()?.iter().map(Element::name).collect()
    }

    pub(crate) fn as_integer(&self) -> Option<i64> {
        self.item.as_integer()
    }

    pub(crate) fn bool(&self) -> Result<bool, TomlError> {
        self.item.as_bool().ok_or_else(|| self.type_error("`true` or `false`"))
    }

    pub(crate) fn strings(&self) -> Result<Vec<Spanned<String>>, TomlError> {
        self.elements()?.into_iter().map(|element| element.string()).collect()
    }

    pub(crate) fn type_error(&self, expected: &'static str) -> TomlError {
        type_error(&self.key, expected, self.item.type_name(), self.place())
    }

    pub(crate) fn as_element(&self) -> Option<Element<'a>> {
        let value = match self.item {
            Item::Value(value) => Elementary::Value(value),
            Item::Table(table) => Elementary::Table(table),
            Item::None | Item::ArrayOfTables(_) => return None,
        };
        Some(Element { file: self.file, key: self.key.clone(), value })
    }
}

/// An element of an array.
pub(crate) struct Element<'a> {
    file: &'a File,
    key: String,
    value: Elementary<'a>,
}

enum Elementary<'a> {
    Value(&'a Value),
    Table(&'a toml_edit::Table),
}

impl<'a> Element<'a> {
    pub(crate) fn span(&self) -> Range<usize> {
        match self.value {
            Elementary::Value(value) => value.span(),
            Elementary::Table(table) => table.span(),
        }
        .unwrap_or(0..0)
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn place(&self) -> Place {
        self.file.place(self.span())
    }

    pub(crate) fn string(&self) -> Result<Spanned<String>, TomlError> {
        match self.value {
            Elementary::Value(Value::String(text)) => Ok(Spanned { value: text.value().clone(), span: self.span() }),
            _ => Err(self.type_error("a string")),
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        self.table().is_some()
    }

    pub(crate) fn elements(&self) -> Result<Vec<Element<'a>>, TomlError> {
        match self.value {
            Elementary::Value(Value::Array(array)) => Ok(array
                .iter()
                .map(|value| Element { file: self.file, key: self.key.clone(), value: Elementary::Value(value) })
                .collect()),
            _ => Err(self.type_error("an array")),
        }
    }

    /// Returns the element as the name of a package, extra or group.
    pub(crate) fn name(&self) -> Result<Name, TomlError> {
        let text = self.string()?.value;
        Name::parse(&text).ok_or_else(|| TomlError::Name { key: self.key.clone(), text, place: self.place() })
    }

    /// Returns the value of `key`, if it exists. `self` must be a table.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Node<'a>>, TomlError> {
        let Some((key, item)) = self.expect_table()?.get_key_value(key) else { return Ok(None) };
        let name = format!("{}.{}", self.key, key.get());
        Ok(Some(Node { file: self.file, key: name, span: key.span().unwrap_or(0..0), item }))
    }

    /// Returns the string under `key`, if it exists. `self` must be a table.
    pub(crate) fn get_string(&self, key: &str) -> Result<Option<Spanned<String>>, TomlError> {
        self.get(key)?.map(|node| node.string()).transpose()
    }

    pub(crate) fn contains(&self, key: &str) -> Result<bool, TomlError> {
        Ok(self.expect_table()?.contains_key(key))
    }

    fn table(&self) -> Option<&'a dyn TableLike> {
        match self.value {
            Elementary::Value(Value::InlineTable(table)) => Some(table),
            Elementary::Table(table) => Some(table),
            Elementary::Value(_) => None,
        }
    }

    fn expect_table(&self) -> Result<&'a dyn TableLike, TomlError> {
        self.table().ok_or_else(|| self.type_error("a table"))
    }

    pub(crate) fn type_error(&self, expected: &'static str) -> TomlError {
        let found = match self.value {
            Elementary::Value(value) => value.type_name(),
            Elementary::Table(_) => "table",
        };
        type_error(&self.key, expected, found, self.place())
    }
}

fn type_error(key: &str, expected: &'static str, found: &'static str, place: Place) -> TomlError {
    let found = match found {
        "integer" => "an integer",
        "array" => "an array",
        "array of tables" => "an array of tables",
        "inline table" | "table" => "a table",
        "string" => "a string",
        "boolean" => "a boolean",
        "float" => "a float",
        "datetime" => "a date",
        _ => "something else",
    };
    TomlError::Type { key: key.to_owned(), expected, found, place }
}
