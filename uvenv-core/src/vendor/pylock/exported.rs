//! PEP 751 locks as uv exports them.

use std::io;

use toml_edit::{DocumentMut, Item, Table, TomlError};

/// A lock that uv has exported.
#[derive(Clone, Debug)]
pub(crate) struct Pylock {
    pub(super) document: DocumentMut,
}

impl Pylock {
    /// Reads the text of a lock.
    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        let problem = |error: TomlError| io::Error::other(error.to_string().trim_end().to_owned());
        Ok(Self { document: text.parse().map_err(problem)? })
    }

    pub(super) fn packages(&self) -> impl Iterator<Item = &Table> {
        self.document.get("packages").and_then(Item::as_array_of_tables).into_iter().flatten()
    }

    /// Returns the version of a package, which is given by its number, from 0.
    pub(crate) fn version(&self, index: usize) -> Option<&str> {
        self.packages().nth(index)?.get("version")?.as_str()
    }
}
