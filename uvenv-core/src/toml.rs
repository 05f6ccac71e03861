//! Typed reading of user-written TOML files. Every value has its location in the file.
//!
//! Inline, dotted and regular tables are treated alike, as in TOML itself.

use std::{ops::Range, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use toml::{
    Spanned as TomlSpanned,
    de::{DeString, DeTable, DeValue},
};
#[cfg(feature = "full")]
use toml_edit::DocumentMut;

use crate::model::{Diagnostic, Name, Place};

/// What some editors begin a file with. It is not part of the TOML.
#[cfg(feature = "full")]
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

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

    /// Reads the file, if it exists.
    pub(crate) fn read_if_exists(path: &Utf8Path) -> crate::Result<Option<Self>> {
        match Self::read(path) {
            Err(error) if TomlError::is_missing_file(&error) => Ok(None),
            read => read.map(Some),
        }
    }

    /// Parses the text.
    pub(crate) fn parse(&self) -> crate::Result<Document<'_>> {
        let table = DeTable::parse(&self.text).map_err(|error| {
            // If the file ends too early, the parser points past the last byte.
            let span = error.span().unwrap_or(0..0);
            self.syntax_error(error.message(), span)
        })?;
        Ok(Document { file: self, root: TomlSpanned::new(table.span(), DeValue::Table(table.into_inner())) })
    }

    /// Parses the text for editing. A byte order mark is left out.
    #[cfg(feature = "full")]
    pub(crate) fn editable(&self) -> crate::Result<DocumentMut> {
        let text = self.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.text);
        Ok(text
            .parse()
            .map_err(|error: toml_edit::TomlError| self.syntax_error(error.message(), error.span().unwrap_or(0..0)))?)
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

/// A parsed file.
pub(crate) struct Document<'f> {
    file: &'f File,
    root: TomlSpanned<DeValue<'f>>,
}

impl Document<'_> {
    /// Returns the table that is the whole file.
    pub(crate) fn root(&self) -> Node<'_> {
        Node { file: self.file, key: String::new(), key_span: 0..0, value: &self.root }
    }
}

/// A value in a file, with its dotted key. The elements of an array have the key of the array.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    file: &'a File,
    key: String,
    key_span: Range<usize>,
    value: &'a TomlSpanned<DeValue<'a>>,
}

impl<'a> Node<'a> {
    /// Returns the location of the value, which for a table is its heading, or the first key that names it.
    pub(crate) fn span(&self) -> Range<usize> {
        self.value.span()
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
        Ok(self.table()?.get_key_value(key).map(|(key, value)| self.child(key, value)))
    }

    /// Returns the string under `key`, if it exists. `self` must be a table.
    pub(crate) fn get_string(&self, key: &str) -> crate::Result<Option<Spanned<String>>> {
        self.get(key)?.map(|node| node.string()).transpose()
    }

    /// Returns all entries, in their order. `self` must be a table.
    pub(crate) fn entries(&self) -> crate::Result<Vec<(&'a str, Self)>> {
        Ok(self.table()?.iter().map(|(key, value)| (&**key.get_ref(), self.child(key, value))).collect())
    }

    fn child(&self, key: &TomlSpanned<DeString<'_>>, value: &'a TomlSpanned<DeValue<'a>>) -> Self {
        let name = key.get_ref();
        let name = if self.key.is_empty() { name.to_string() } else { format!("{}.{name}", self.key) };
        Self { file: self.file, key: name, key_span: key.span(), value }
    }

    /// Returns the elements of an array or of an array of tables.
    pub(crate) fn elements(&self) -> crate::Result<Vec<Self>> {
        let array = self.value.get_ref().as_array().ok_or_else(|| self.type_error("an array"))?;
        let element = |value| Self { file: self.file, key: self.key.clone(), key_span: 0..0, value };
        Ok(array.iter().map(element).collect())
    }

    /// Whether the value is a list, for keys that take either a single value or a list of values.
    pub(crate) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub(crate) fn contains(&self, key: &str) -> crate::Result<bool> {
        Ok(self.table()?.contains_key(key))
    }

    pub(crate) fn string(&self) -> crate::Result<Spanned<String>> {
        let text = self.value.get_ref().as_str().ok_or_else(|| self.type_error("a string"))?;
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
        let integer = self.value.get_ref().as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    pub(crate) fn bool(&self) -> crate::Result<bool> {
        Ok(self.value.get_ref().as_bool().ok_or_else(|| self.type_error("`true` or `false`"))?)
    }

    fn table(&self) -> crate::Result<&'a DeTable<'a>> {
        Ok(self.value.get_ref().as_table().ok_or_else(|| self.type_error("a table"))?)
    }

    pub(crate) fn type_error(&self, expected: &'static str) -> TomlError {
        let found = match self.value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        TomlError::Type { key: self.key.clone(), expected, found, place: self.place() }
    }
}
