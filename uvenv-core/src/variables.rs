//! The environment variables of the process, read in one place and passed on as a value.
//!
//! An operation gets them as an argument, so that a test, a Python caller or a thread can decide what it sees.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

/// Environment variables, by name.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, OsString>);

impl Variables {
    /// Those of the current process. A variable whose name is not Unicode is left out: uvenv reads none such.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
    }

    /// The value of `name`. A variable that is set to nothing counts as unset, as it does for uv and cargo.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// The value of `name`, which need not be Unicode. Empty counts as unset.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.0.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// Whether `name` is switched on: `1`, `true`, `yes`, `on` and their capital forms, as uv and cargo read them.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| ["1", "true", "t", "yes", "y", "on"].contains(&value.to_ascii_lowercase().as_str()))
    }
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
