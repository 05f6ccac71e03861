//! URLs of git repositories, which people spell in several ways.

use percent_encoding::percent_decode_str;

/// What git calls what `pip` and `uv` write as `git+https://…`.
pub(crate) fn plain(url: &str) -> &str {
    url.strip_prefix("git+").unwrap_or(url)
}

/// `url` in the spelling that two URLs of one repository share: uv drops credentials and a `git+` in front, and a manifest
/// may have a slash at the end.
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
