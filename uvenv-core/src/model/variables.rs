//! The environment variables of the process, read in one place and passed around as a value.
//!
//! Operations receive them as an argument, so that a test, a Python caller or a thread can decide which variables they
//! see.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

/// Environment variables, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, OsString>,
    /// Whether programs see only these variables.
    complete: bool,
}

impl Variables {
    /// Returns the variables of the current process. Skips variables whose names are not Unicode, because uvenv does
    /// not read any.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }

    /// Uses the variables that a caller has read. Programs are started with these variables, and those of the process
    /// are not read. This is the only safe way if another thread may set variables by means other than Rust's.
    pub fn given(pairs: impl IntoIterator<Item = (String, OsString)>) -> Self {
        Self { values: pairs.into_iter().collect(), complete: true }
    }

    /// Returns all variables that a program sees, if it does not see those of the process.
    pub(crate) fn complete(&self) -> Option<&BTreeMap<String, OsString>> {
        self.complete.then_some(&self.values)
    }

    /// Returns the value of `name`. An empty variable counts as unset, as in uv and cargo.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// Returns the value of `name`, which may not be valid Unicode. An empty variable counts as unset.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Returns the value of `name`, even if it is empty.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name).map(OsString::as_os_str)
    }

    /// Returns the value of a search path. Names are not case-sensitive on Windows, where `PATH` is usually spelled
    /// `Path`.
    pub(crate) fn get_path(&self, name: &str) -> Option<&OsStr> {
        let same = || self.values.keys().find(|other| other.eq_ignore_ascii_case(name)).map(String::as_str);
        self.get_os(if cfg!(windows) { same().unwrap_or(name) } else { name })
    }

    /// Returns the names of all variables that are set, including empty ones.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Returns the names that start with `start`, in order.
    pub(crate) fn starting_with(&self, start: &'static str) -> impl Iterator<Item = &str> {
        let names = self.values.range(start.to_owned()..).map(|(name, _)| name.as_str());
        names.take_while(move |name| name.starts_with(start))
    }

    /// Returns these variables with changes; `None` unsets a variable.
    pub(crate) fn with(&self, changes: &[(String, Option<OsString>)]) -> Self {
        let mut variables = self.values.clone();
        for (name, value) in changes {
            match value {
                Some(value) => drop(variables.insert(name.clone(), value.clone())),
                None => drop(variables.remove(name)),
            }
        }
        Self { values: variables, complete: self.complete }
    }

    /// Whether `name` is enabled: `1`, `true`, `yes`, `on` or their uppercase forms, as in uv and cargo.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| ["1", "true", "t", "yes", "y", "on"].contains(&value.to_ascii_lowercase().as_str()))
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, complete: false }
    }
}
