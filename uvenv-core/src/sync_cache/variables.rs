//! The environment variables that uv's answer depends on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::watch_list::Uncacheable;
use crate::{
    fs::digest::digest,
    model::Variables,
    uv::{settings::is_version, variables::is_constant},
};

/// Other relevant variables: where uv and Python look for their files, what uv logs, and the time zone.
const OTHERS: [&str; 5] = ["HOME", "PYTHONHOME", "RUST_LOG", "TZ", "TZDIR"];

/// The variables that make uv look for its interpreter in another place.
const LAUNCHERS: [&str; 2] = ["PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"];

/// The relevant variables, with hashes of their values. Some values are secret, and a short hash does not reveal them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordedVariables {
    names: BTreeSet<String>,
    values: BTreeMap<String, String>,
}

impl RecordedVariables {
    /// Records the variables of uv and uvenv, and those in `names`.
    pub(super) fn new(variables: &Variables, mut names: BTreeSet<String>) -> Self {
        names.extend(OTHERS.iter().chain(&LAUNCHERS).map(|name| (*name).to_owned()));
        let values = values(variables, &names);
        Self { names, values }
    }

    /// Returns a variable that has changed, if there is one.
    pub(super) fn difference(&self, variables: &Variables) -> Option<String> {
        let now = values(variables, &self.names);
        let names: BTreeSet<_> = self.values.keys().chain(now.keys()).collect();
        names.into_iter().find(|name| self.values.get(*name) != now.get(*name)).cloned()
    }
}

fn values(variables: &Variables, names: &BTreeSet<String>) -> BTreeMap<String, String> {
    let prefixes = ["UVENV_", "UV_", "XDG_CONFIG_", "XDG_DATA_", "XDG_CACHE_", "CARGO_PROFILE_"];
    let with_prefix = prefixes.into_iter().flat_map(|prefix| variables.starting_with(prefix));
    let names = with_prefix.chain(names.iter().map(String::as_str));
    let value = |name: &str| Some((name.to_owned(), short(variables.raw(name)?.as_encoded_bytes())));
    names.filter_map(value).collect()
}

fn short(value: &[u8]) -> String {
    digest(value)[..8].to_owned()
}

/// Refuses variables that take effect in each run, or that are unknown.
pub(super) fn check(variables: &Variables) -> Result<(), Uncacheable> {
    let other = variables.starting_with("UV_").find(|name| !is_constant(name));
    // A name or a path may lead to another interpreter tomorrow.
    let python = Some("UV_PYTHON").filter(|name| variables.get(name).is_some_and(|python| !is_version(python)));
    let launcher = LAUNCHERS.into_iter().find(|name| variables.raw(name).is_some());
    match other.or(python).or(launcher) {
        Some(name) => Err(format!("the variable `{name}` is set")),
        // uv then asks the system for it.
        None if variables.get("HOME").is_none() => Err("the variable `HOME` is not set".to_owned()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().copied().collect()
    }

    #[test]
    fn rejects_unknown_variables_and_those_that_act_every_time() {
        let known = [("UV_INDEX", "a=u"), ("UV_INDEX_A_PASSWORD", "p"), ("UV_PYTHON", "3.12"), ("HOME", "/h")];
        assert_eq!(check(&variables(&known)), Ok(()));
        for (name, value) in [
            ("UV_REFRESH", "1"),
            ("UV_UPGRADE", ""),
            ("UV_OF_NEXT_YEAR", "1"),
            ("UV_PYTHON", "python3"),
            ("PYTHONEXECUTABLE", "/python"),
        ] {
            assert_eq!(check(&variables(&[(name, value)])), Err(format!("the variable `{name}` is set")));
        }
        assert_eq!(check(&variables(&[("HOME", "")])), Err("the variable `HOME` is not set".to_owned()));
    }

    #[test]
    fn notices_set_changed_emptied_and_unset_variables() {
        let recorded =
            |pairs: &[(&str, &str)]| RecordedVariables::new(&variables(pairs), BTreeSet::from(["KEY".to_owned()]));
        let before = recorded(&[("UV_INDEX", "u"), ("KEY", "k"), ("HOME", "/h")]);
        let difference = |pairs: &[(&str, &str)]| before.difference(&variables(pairs));
        assert_eq!(difference(&[("UV_INDEX", "u"), ("KEY", "k"), ("HOME", "/h"), ("OTHER", "o")]), None);
        for (pairs, name) in [
            ([("UV_INDEX", "v"), ("KEY", "k"), ("HOME", "/h")].as_slice(), "UV_INDEX"),
            (&[("UV_INDEX", ""), ("KEY", "k"), ("HOME", "/h")], "UV_INDEX"),
            (&[("KEY", "k"), ("HOME", "/h")], "UV_INDEX"),
            (&[("UV_INDEX", "u"), ("KEY", "k"), ("HOME", "/h"), ("UVENV_BACKEND", "cu124")], "UVENV_BACKEND"),
            (&[("UV_INDEX", "u"), ("HOME", "/h")], "KEY"),
            (&[("UV_INDEX", "u"), ("KEY", "k"), ("HOME", "/h"), ("XDG_CONFIG_HOME", "")], "XDG_CONFIG_HOME"),
        ] {
            assert_eq!(difference(pairs).as_deref(), Some(name));
        }
    }

    #[test]
    fn records_no_values() {
        let secret = "https://user:hunter2@h/simple";
        let recorded = RecordedVariables::new(&variables(&[("UV_INDEX", secret)]), BTreeSet::new());
        assert!(!serde_json::to_string(&recorded).unwrap().contains("hunter2"));
    }
}
