//! URLs of git repositories, which can be spelled in several ways.

use percent_encoding::percent_decode_str;

/// Converts the spelling of `pip` and `uv`, `git+https://…`, to that of git.
pub(crate) fn plain(url: &str) -> &str {
    url.strip_prefix("git+").unwrap_or(url)
}

/// Returns the common spelling of all URLs of the same repository: uv drops credentials and a leading `git+`, and a
/// manifest can have a trailing slash.
pub(crate) fn canonical(url: &str) -> String {
    let url = plain(url).trim_end_matches('/');
    let decoded = percent_decode_str(url).decode_utf8_lossy();
    match decoded.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{}://{}/{path}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase())
        }
        None => decoded.into_owned(),
    }
}
