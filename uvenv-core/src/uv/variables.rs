//! uv's environment variables: the known properties of each (uv's reference, "Environment variables"), and what uvenv
//! reads from them.

mod table;

use camino::Utf8Path;
use table::VARIABLES;

use crate::model::Variables;
#[cfg(feature = "vendored")]
use crate::process::Invocation;

/// The known properties of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    /// As long as its value stays the same, so does its effect: no call does anything new because of it.
    Constant,
    /// It decides what is installed, or where.
    Outcome,
    /// It contains URLs of package indexes, which can include credentials.
    Urls,
    /// uvenv turns it into a flag, so uv must not see the variable as well.
    Flag,
    /// It selects what of a lockfile is installed, or rejects how.
    Selection,
}

/// What a variable of uv means for uvenv.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// uv reads it, which is all that is needed.
    Uv,
    /// uvenv reads it, with this effect.
    Uvenv(&'static str),
    /// It changes what `uv run` does in a way that `run` does not support, so `run` refuses it.
    Refused,
    /// It is about commands of uv that uvenv does not use.
    Unused,
}

fn about(about: About) -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().filter(move |(.., known, _)| known.contains(&about)).map(|(name, ..)| *name)
}

/// Returns the variable that changes what `uv run` does in a way that `run` does not support, with what it is for.
pub(crate) fn refused_by_run(variables: &Variables) -> Option<(&'static str, &'static str)> {
    let is_off = |value: &str| ["0", "false", "no", "off", "n", "f"].contains(&value.to_ascii_lowercase().as_str());
    let is_set = |name: &str| variables.get(name).is_some_and(|value| !is_off(value));
    let refused = VARIABLES.iter().filter(|(_, _, meaning, ..)| *meaning == Meaning::Refused);
    refused.map(|(name, .., text)| (*name, *text)).find(|(name, _)| is_set(name))
}

/// Whether the variable `name` has the same effect in each call. `UV_INDEX_NAME_USERNAME` and `UV_INDEX_NAME_PASSWORD`
/// are the credentials for the index `NAME`.
pub(crate) fn is_constant(name: &str) -> bool {
    let is_credential =
        || name.starts_with("UV_INDEX_") && (name.ends_with("_USERNAME") || name.ends_with("_PASSWORD"));
    about(About::Constant).any(|known| known == name) || is_credential()
}

/// Returns the variables that decide what is installed, or where.
pub(crate) fn deciding_the_outcome() -> impl Iterator<Item = &'static str> {
    about(About::Outcome)
}

/// Returns the variables that contain URLs of package indexes.
pub(crate) fn with_urls() -> impl Iterator<Item = &'static str> {
    about(About::Urls)
}

/// Returns the variables that select what of a lockfile is installed, or reject how.
#[cfg(feature = "vendored")]
pub(crate) fn selecting() -> impl Iterator<Item = &'static str> {
    about(About::Selection)
}

/// Removes the variables that name indexes or select something, for an installation of a whole lock from a directory.
#[cfg(feature = "vendored")]
pub(crate) fn without_choices(invocation: Invocation) -> Invocation {
    with_urls().chain(selecting()).fold(invocation, Invocation::env_remove)
}

/// Returns the variables that uvenv turns into flags.
pub(super) fn that_become_flags() -> impl Iterator<Item = &'static str> {
    about(About::Flag)
}

/// Whether network access is disabled for uv or cargo.
pub fn is_offline(variables: &Variables) -> bool {
    variables.is_on("UV_OFFLINE") || variables.is_on("CARGO_NET_OFFLINE")
}

/// Whether `run` and build scripts use the environment without syncing it.
pub fn is_without_sync(variables: &Variables) -> bool {
    variables.is_on("UV_NO_SYNC")
}

/// Whether the lockfile is installed as it is.
pub(crate) fn is_frozen(variables: &Variables) -> bool {
    variables.is_on("UV_FROZEN")
}

/// Whether the lockfile must satisfy its manifest.
pub(crate) fn is_locked(variables: &Variables) -> bool {
    variables.is_on("UV_LOCKED")
}

/// Returns the requested interpreter.
pub fn python(variables: &Variables) -> Option<&str> {
    variables.get("UV_PYTHON")
}

/// Returns the time limit for the response of a server: `UV_HTTP_TIMEOUT` in seconds, or half a minute.
#[cfg(feature = "full")]
pub(crate) fn http_timeout(variables: &Variables) -> std::time::Duration {
    let seconds = variables.get("UV_HTTP_TIMEOUT").and_then(|seconds| seconds.parse().ok());
    std::time::Duration::from_secs(seconds.unwrap_or(30))
}

/// Returns the path of a project's environment, relative to the project directory: `UV_PROJECT_ENVIRONMENT`, or else
/// `.venv`.
pub(crate) fn project_environment(variables: &Variables) -> &Utf8Path {
    variables.get("UV_PROJECT_ENVIRONMENT").unwrap_or(".venv").into()
}

/// Returns the names in a requirement that have the form `${NAME}`, which uv replaces with the values of the variables.
pub(crate) fn in_requirements(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

/// Returns the files with variables for the command of `run`, in the order in which they count: `UV_ENV_FILE`, separated by
/// spaces, unless `UV_NO_ENV_FILE` is on.
pub fn env_files(variables: &Variables) -> impl Iterator<Item = &str> {
    let files = variables.get("UV_ENV_FILE").filter(|_| !variables.is_on("UV_NO_ENV_FILE"));
    files.into_iter().flat_map(str::split_ascii_whitespace)
}

/// Returns the project that `UV_PROJECT` names.
pub fn project(variables: &Variables) -> Option<&str> {
    variables.get("UV_PROJECT")
}

/// Returns the directory in which uv works instead of the current one.
pub fn working_directory(variables: &Variables) -> Option<&str> {
    variables.get("UV_WORKING_DIR").or_else(|| variables.get("UV_WORKING_DIRECTORY"))
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, fs};

    use super::*;

    const START: &str = "<!-- The table is made by a test from uvenv-core/src/uv/variables/table.rs. -->\n\n";

    /// The table of the documentation.
    fn documented() -> String {
        let mut text = "| variable | since uv | what it is for | uvenv |\n| --- | --- | --- | --- |\n".to_owned();
        for (name, since, meaning, _, what) in VARIABLES {
            let uvenv = match meaning {
                Meaning::Uv => "as uv does",
                Meaning::Uvenv(effect) => effect,
                Meaning::Refused => "`run` refuses it",
                Meaning::Unused => "not used",
            };
            let _ = writeln!(text, "| `{name}` | {since} | {what} | {uvenv} |");
        }
        text
    }

    #[test]
    fn table_of_variables_is_documented() {
        let path = format!("{}/../docs/configuration.md", env!("CARGO_MANIFEST_DIR"));
        let page = fs::read_to_string(&path).unwrap();
        let (before, table) = page.split_once(START).expect("the page has the start of the table");
        if Variables::from_process().get("UPDATE_DOCS").is_some() {
            fs::write(&path, format!("{before}{START}{}", documented())).unwrap();
        } else {
            assert!(
                table == documented(),
                "docs/configuration.md is out of date; `UPDATE_DOCS=1` with this test writes it"
            );
        }
    }

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(VARIABLES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn run_refuses_what_only_uv_run_supports() {
        let refused = |value: &str| {
            let variables = [("UV_ISOLATED", value), ("UV_NO_DEV", "1")].into_iter().collect();
            refused_by_run(&variables).map(|(name, _)| name)
        };
        assert_eq!(
            (refused("1"), refused("true"), refused("0"), refused("")),
            (Some("UV_ISOLATED"), Some("UV_ISOLATED"), None, None)
        );
    }
}
