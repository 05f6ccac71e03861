//! The environment variables of the process, read in one place and passed on as a value.
//!
//! An operation gets them as an argument, so that a test, a Python caller or a thread can decide what it sees.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

/// Environment variables, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, OsString>,
    /// Whether these are all that programs see.
    complete: bool,
}

impl Variables {
    /// Those of the current process. A variable whose name is not Unicode is left out: uvenv reads none such.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }

    /// Those of a caller that has read them itself: the programs that are started see these, and those of the process are
    /// not looked at. Where another thread may set some meanwhile by other means than Rust's, nothing else is safe.
    pub fn given(pairs: impl IntoIterator<Item = (String, OsString)>) -> Self {
        Self { values: pairs.into_iter().collect(), complete: true }
    }

    /// All that a program sees, where it does not see those of the process.
    pub(crate) fn complete(&self) -> Option<&BTreeMap<String, OsString>> {
        self.complete.then_some(&self.values)
    }

    /// The value of `name`. A variable that is set to nothing counts as unset, as it does for uv and cargo.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// The value of `name`, which need not be Unicode. Empty counts as unset.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of `name`, empty or not.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name).map(OsString::as_os_str)
    }

    /// The value of a search path. Names have no case on Windows, where `PATH` is usually written `Path`.
    pub(crate) fn get_path(&self, name: &str) -> Option<&OsStr> {
        let same = || self.values.keys().find(|other| other.eq_ignore_ascii_case(name)).map(String::as_str);
        self.get_os(if cfg!(windows) { same().unwrap_or(name) } else { name })
    }

    /// The names of those that are set, to something or to nothing.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The names that start so, in order.
    pub(crate) fn starting_with(&self, start: &'static str) -> impl Iterator<Item = &str> {
        let names = self.values.range(start.to_owned()..).map(|(name, _)| name.as_str());
        names.take_while(move |name| name.starts_with(start))
    }

    /// These, with some changed; `None` takes one away.
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

    /// Whether `name` is switched on: `1`, `true`, `yes`, `on` and their capital forms, as uv and cargo read them.
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
