//! uv's environment variables: the known properties of each (uv's reference, "Environment variables"), and what uvenv
//! reads from them.

use camino::Utf8Path;

use crate::model::Variables;

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
}

/// All known variables, by name. Unknown variables can have any effect.
const VARIABLES: &[(&str, &[About])] = &[
    ("UV_CACHE_DIR", &[About::Constant]),
    ("UV_CONCURRENT_BUILDS", &[About::Constant]),
    ("UV_CONCURRENT_DOWNLOADS", &[About::Constant]),
    ("UV_CONCURRENT_INSTALLS", &[About::Constant]),
    ("UV_CONFIG_FILE", &[About::Constant, About::Outcome]),
    ("UV_DEFAULT_INDEX", &[About::Constant, About::Outcome, About::Urls]),
    ("UV_EXTRA_INDEX_URL", &[About::Constant, About::Outcome, About::Urls]),
    ("UV_FIND_LINKS", &[About::Outcome, About::Urls]),
    ("UV_FROZEN", &[About::Constant, About::Flag]),
    ("UV_GIT_LFS", &[About::Constant]),
    ("UV_HTTP_TIMEOUT", &[About::Constant]),
    ("UV_INDEX", &[About::Constant, About::Outcome, About::Urls]),
    ("UV_INDEX_STRATEGY", &[About::Constant]),
    ("UV_INDEX_URL", &[About::Constant, About::Outcome, About::Urls]),
    ("UV_INSECURE_HOST", &[About::Constant]),
    ("UV_INSTALL_DIR", &[About::Constant]),
    ("UV_KEYRING_PROVIDER", &[About::Constant]),
    ("UV_LINK_MODE", &[About::Constant]),
    ("UV_LOCKED", &[About::Constant, About::Flag]),
    ("UV_NATIVE_TLS", &[About::Constant]),
    ("UV_NO_CONFIG", &[About::Constant, About::Outcome]),
    ("UV_NO_ENV_FILE", &[About::Constant]),
    ("UV_NO_INDEX", &[About::Constant, About::Outcome]),
    ("UV_NO_MODIFY_PATH", &[About::Constant]),
    ("UV_NO_PROGRESS", &[About::Constant]),
    ("UV_NO_SOURCES", &[About::Outcome]),
    ("UV_NO_SYNC", &[About::Constant, About::Flag]),
    ("UV_NO_SYSTEM_CONFIG", &[About::Constant]),
    ("UV_NO_WRAP", &[About::Constant]),
    ("UV_OFFLINE", &[About::Constant, About::Flag]),
    ("UV_PRERELEASE", &[About::Constant]),
    ("UV_PROJECT", &[About::Constant, About::Flag]),
    ("UV_PROJECT_ENVIRONMENT", &[About::Constant, About::Outcome]),
    ("UV_PUBLISH_URL", &[About::Constant]),
    ("UV_PYTHON", &[About::Constant, About::Outcome]),
    ("UV_PYTHON_BIN_DIR", &[About::Constant]),
    ("UV_PYTHON_DOWNLOADS", &[About::Constant]),
    ("UV_PYTHON_INSTALL_DIR", &[About::Constant]),
    ("UV_PYTHON_INSTALL_MIRROR", &[About::Constant]),
    ("UV_REQUEST_TIMEOUT", &[About::Constant]),
    ("UV_RESOLUTION", &[About::Constant]),
    ("UV_SYSTEM_CERTS", &[About::Constant]),
    ("UV_TOOL_BIN_DIR", &[About::Constant]),
    ("UV_TOOL_DIR", &[About::Constant]),
    ("UV_TORCH_BACKEND", &[About::Constant]),
];

fn about(about: About) -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().filter(move |(_, known)| known.contains(&about)).map(|(name, _)| *name)
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
