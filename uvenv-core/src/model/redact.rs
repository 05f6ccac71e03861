//! Removes secrets in URLs from output, JSON and logs: every text from a user or a program passes through here first.

use std::{borrow::Cow, ops::Range};

const MASK: &str = "****";

/// Returns `text` with the credentials in all URLs masked.
///
/// The whole user part of a URL is masked, not only the part after the colon, because git hosts also accept a token as
/// the user name (`https://TOKEN:x-oauth-basic@host`). For ssh, the user name is not a secret and is kept
/// (`ssh://git@host`).
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    masked(text, |_| MASK.to_owned())
}

/// Like `redact`, but keeps the position of everything else, for text to which a line and a column refer.
pub(crate) fn redact_in_place(text: &str) -> Cow<'_, str> {
    masked(text, |secret| "*".repeat(secret.len()))
}

fn masked(text: &str, mask: impl Fn(&str) -> String) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut done = 0;
    for secret in secrets(text) {
        redacted.push_str(&text[done..secret.start]);
        redacted.push_str(&mask(&text[secret.clone()]));
        done = secret.end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(&text[done..]);
    Cow::Owned(redacted)
}

/// Returns the ranges of the credentials, in order.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut secrets = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find("://") {
        let scheme_end = from + found;
        from = scheme_end + "://".len();
        let Some(at) = credentials_end(&text[from..]) else { continue };
        let secret = from + kept(&text[..scheme_end], &text[from..from + at]);
        if secret < from + at {
            secrets.push(secret..from + at);
        }
        from += at;
    }
    secrets.extend(logged(text));
    secrets.sort_by_key(|secret| secret.start);
    secrets
}

/// Returns the ranges of users in URLs as uv's log has them: `Url { scheme: "http", username: "TOKEN", … }`.
fn logged(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    const USER: &str = "username: \"";
    text.match_indices(USER).filter_map(|(at, _)| {
        let start = at + USER.len();
        let length = text[start..].find('"')?;
        (length > 0).then_some(start..start + length)
    })
}

/// Returns the position of the `@` that ends the credentials in the text after `://`.
fn credentials_end(rest: &str) -> Option<usize> {
    let url = &rest[..rest.find(ends_url).unwrap_or(rest.len())];
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    // A password with an unescaped `/`, `?` or `#` ends the authority too early. The remaining part then ends in a
    // "port" that is not a number.
    let (_, port) = authority.rsplit_once(':')?;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) || port.ends_with(']');
    if is_port { None } else { url.rfind('@') }
}

/// An apostrophe does not end a URL, because a password can contain one. Masking too much is the lesser harm.
fn ends_url(character: char) -> bool {
    character.is_whitespace() || character.is_control() || "\"`<>\\".contains(character)
}

/// Returns how many bytes of `credentials` are not secret.
fn kept(before_scheme: &str, credentials: &str) -> usize {
    let no_scheme = |character: char| !character.is_ascii_alphanumeric() && !"+-.".contains(character);
    let scheme = before_scheme.rsplit(no_scheme).next().unwrap_or_default();
    if !scheme.ends_with("ssh") {
        return 0;
    }
    credentials.find(':').map_or(credentials.len(), |colon| colon + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_users_in_the_log_of_uv() {
        let log = "vs. Url { scheme: \"http\", username: \"t0ken\", password: Some(\"****\") } https://t0ken@h/a";
        let masked = "vs. Url { scheme: \"http\", username: \"****\", password: Some(\"****\") } https://****@h/a";
        assert_eq!(redact(log), masked);
        assert_eq!(redact("username: \"\""), "username: \"\"");
    }

    #[track_caller]
    fn masks(text: &str, expected: &str) {
        assert_eq!(redact(text), expected);
    }

    #[test]
    fn masks_passwords_and_tokens() {
        masks("https://user:pass@host/a", "https://****@host/a");
        masks("https://ghp_token@host/a", "https://****@host/a");
        masks("https://ghp_token:x-oauth-basic@host/a", "https://****@host/a");
        masks("git+https://u:p@host:8443/a.git@v1", "git+https://****@host:8443/a.git@v1");
        masks("https://:p@host", "https://****@host");
        masks("https://user:p%40ss%2Fword@host/a", "https://****@host/a");
        masks("https://user:it's@host/a", "https://****@host/a");
    }

    #[test]
    fn keeps_ssh_user_names() {
        masks("ssh://git@host/a", "ssh://git@host/a");
        masks("git+ssh://git@host/a", "git+ssh://git@host/a");
        masks("ssh://git:pass@host/a", "ssh://git:****@host/a");
        masks("git@host:a/b.git", "git@host:a/b.git");
    }

    #[test]
    fn masks_several_urls_on_a_line() {
        masks(
            "error: a=https://u:p@x/1,https://t@y/2 'ssh://git:s@z' \"http://q@w\" é://b@c",
            "error: a=https://****@x/1,https://****@y/2 'ssh://git:****@z' \"http://****@w\" é://****@c",
        );
        masks("https://u:p@x\nhttps://v@y\n", "https://****@x\nhttps://****@y\n");
    }

    #[test]
    fn redacting_in_place_keeps_columns() {
        let text = "a = \"https://u:pä@x/1\" # ssh://git:s@z";
        let redacted = redact_in_place(text);
        assert_eq!(redacted, "a = \"https://*****@x/1\" # ssh://git:*@z");
        assert_eq!(redacted.find("# ssh"), text.find("# ssh"));
    }

    #[test]
    fn masks_passwords_with_unescaped_delimiters() {
        masks("https://u:p@ss@host/a", "https://****@host/a");
        masks("https://u:p/a?s#s@host/a", "https://****@host/a");
    }

    #[test]
    fn keeps_text_without_secrets() {
        for text in [
            "",
            "://",
            "https://",
            "https://host/a@v1",
            "https://host:8443/path@2",
            "https://[::1]:80/a@b",
            "https://[::1]/a@b",
            "see https://host:8443 and mail me@example.com",
            "file:///a/b@c",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
