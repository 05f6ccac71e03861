//! URLs of git repositories, which can be spelled in several ways.

use percent_encoding::percent_decode_str;

use super::redact;

/// Converts the spelling of `pip` and `uv`, `git+https://…`, to that of git.
pub(crate) fn plain(url: &str) -> &str {
    url.strip_prefix("git+").unwrap_or(url)
}

/// The parts of a URL, as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UrlParts<'a> {
    pub(crate) scheme: &'a str,
    /// The user and the host.
    pub(crate) authority: &'a str,
    pub(crate) host: &'a str,
    /// What follows the first `/` after the authority.
    pub(crate) path: &'a str,
}

/// Splits `scheme://user@host/path`.
pub(crate) fn split(url: &str) -> Option<UrlParts<'_>> {
    let (scheme, rest) = plain(url).split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    Some(UrlParts { scheme, authority, host, path })
}

/// Returns the common spelling of all URLs of the same repository: uv drops credentials and a leading `git+`, and a
/// manifest can have a trailing slash.
pub(crate) fn canonical(url: &str) -> String {
    let url = redact(plain(url).trim_end_matches('/'));
    let decoded = percent_decode_str(&url).decode_utf8_lossy();
    match split(&decoded) {
        Some(UrlParts { scheme, host, path, .. }) => {
            format!("{}://{}/{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
        }
        None => decoded.into_owned(),
    }
}
