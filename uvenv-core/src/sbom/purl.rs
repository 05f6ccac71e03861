//! Package URLs ([purl]): one name for a package across all tools.
//!
//! [purl]: https://github.com/package-url/purl-spec

use cyclonedx_bom::external_models::uri::Purl;
use packageurl::PackageUrl;

use crate::{
    environment::{Distribution, Source},
    model::git_url,
};

/// The type for what no registry has under its name.
const GENERIC: &str = "generic";

/// Returns the package URL of a distribution. What comes from git has the repository and the commit, as SPDX writes them
/// (`git+https://…@COMMIT`).
pub(super) fn of_distribution(distribution: &Distribution) -> Option<Purl> {
    let Distribution { name, version, source, .. } = distribution;
    match source {
        Source::Registry => versioned("pypi", name.as_str(), version),
        Source::Git { url, commit, subdirectory, .. } => {
            let on_github = on_github(url);
            let mut purl = match &on_github {
                Some((owner, repository)) => of_github(owner, repository, commit)?,
                None => package(GENERIC, name.as_str(), version)?,
            };
            purl.add_qualifier("vcs_url", format!("git+{}@{commit}", public_url(git_url::plain(url))?)).ok()?;
            if let Some(directory) = subdirectory.as_deref().filter(|directory| !matches!(*directory, "" | ".")) {
                purl.with_subpath(directory.to_owned()).ok()?;
            }
            finished(&purl)
        }
        Source::Archive { url } if !url.starts_with("file:") => {
            let mut purl = package(GENERIC, name.as_str(), version)?;
            purl.add_qualifier("download_url", public_url(url)?).ok()?;
            finished(&purl)
        }
        _ => versioned(GENERIC, name.as_str(), version),
    }
}

/// Returns the package URL of a crate on the usual registry.
pub(super) fn of_crate(name: &str, version: &str) -> Option<Purl> {
    versioned("cargo", name, version)
}

/// Returns the package URL of something that no registry has under this name.
pub(super) fn generic(name: &str, version: &str) -> Option<Purl> {
    versioned(GENERIC, name, version)
}

/// Returns the package URL of a release on GitHub.
pub(super) fn on_github_release(owner: &str, repository: &str, version: &str) -> Option<Purl> {
    of_github(owner, repository, version).and_then(|purl| finished(&purl))
}

fn of_github<'a>(owner: &str, repository: &str, version: &str) -> Option<PackageUrl<'a>> {
    let mut purl = package("github", repository, version)?;
    purl.with_namespace(owner.to_owned()).ok()?;
    Some(purl)
}

fn versioned(kind: &'static str, name: &str, version: &str) -> Option<Purl> {
    package(kind, name, version).and_then(|purl| finished(&purl))
}

/// Returns a package URL as documents have it.
fn finished(purl: &PackageUrl<'_>) -> Option<Purl> {
    purl.to_string().parse().ok()
}

fn package<'a>(kind: &'static str, name: &str, version: &str) -> Option<PackageUrl<'a>> {
    let mut purl = PackageUrl::new(kind, name.to_owned()).ok()?;
    purl.with_version(version.to_owned()).ok()?;
    Some(purl)
}

/// Returns a URL without what is not for everybody: users, passwords, tokens in queries.
pub(super) fn public_url(url: &str) -> Option<String> {
    let parts = git_url::split(url)?;
    let path = parts.path.split(['?', '#']).next().unwrap_or_default();
    // The user of SSH is no secret, and it does not work without.
    let is_public = parts.scheme == "ssh" && !parts.authority.contains([':', '*']);
    let place = if is_public { parts.authority } else { parts.host };
    Some(format!("{}://{place}/{path}", parts.scheme))
}

/// Returns the owner and the name of a repository on GitHub, in lower case as the specification of the type demands.
fn on_github(url: &str) -> Option<(String, String)> {
    let parts = git_url::split(url).filter(|parts| parts.host.eq_ignore_ascii_case("github.com"))?;
    let path = parts.path.trim_end_matches('/');
    let (owner, repository) = path.strip_suffix(".git").unwrap_or(path).split_once('/')?;
    (!repository.contains('/')).then(|| (owner.to_lowercase(), repository.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_repositories_on_github() {
        let found = |url| on_github(url).map(|(owner, repository)| format!("{owner}/{repository}"));
        for url in
            ["https://github.com/Astral/Uv.git", "https://github.com/astral/uv", "ssh://git@github.com/astral/uv.git"]
        {
            assert_eq!(found(url).as_deref(), Some("astral/uv"), "{url}");
        }
        for url in ["https://example.com/github.com/a/b", "https://mygithub.com/a/b", "file:///x/github.com/a"] {
            assert_eq!(found(url), None, "{url}");
        }
    }

    #[test]
    fn removes_what_is_secret() {
        for (url, public) in [
            ("https://****@h/a/b.git", "https://h/a/b.git"),
            ("https://h/a.whl?token=x#sha256=1", "https://h/a.whl"),
            ("ssh://git@h/a.git", "ssh://git@h/a.git"),
            ("file:///srv/a.git", "file:///srv/a.git"),
        ] {
            assert_eq!(public_url(url).as_deref(), Some(public));
        }
    }

    #[test]
    fn names_other_packages() {
        assert_eq!(of_crate("libc", "0.2.1").unwrap().as_ref(), "pkg:cargo/libc@0.2.1");
        assert_eq!(generic("cpython", "3.11.2").unwrap().as_ref(), "pkg:generic/cpython@3.11.2");
    }
}
