//! Verifies the signatures of tags, as git itself does.

use camino::Utf8Path;

use super::{ContentCache, Git, RemoteTag, run};

/// What git says of the signature of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagSignature {
    /// It is good, and of a signer who is trusted.
    Trusted,
    /// There is none.
    Missing,
    /// It is not good, or the signer is not trusted, or git cannot tell.
    Untrusted {
        /// git's words, without secrets.
        words: String,
    },
}

impl Git {
    /// Verifies the signature of `tag` with `git verify-tag`. `allowed_signers` is the file with the SSH keys that are trusted,
    /// in place of the one in the user's configuration.
    pub(crate) fn signature(
        &self,
        cache: &ContentCache<'_>,
        url: &str,
        tag: &RemoteTag,
        allowed_signers: Option<&Utf8Path>,
    ) -> crate::Result<TagSignature> {
        // A lightweight tag is only a name.
        if tag.object == tag.commit {
            return Ok(TagSignature::Missing);
        }
        let repository = self.fetched(cache, url, &[(format!("refs/tags/{}", tag.name), &tag.object)])?;
        let setting = allowed_signers.map(|file| format!("gpg.ssh.allowedSignersFile={file}"));
        let settings = setting.iter().flat_map(|setting| ["-c", setting.as_str()]);
        let answer = run(repository.args(settings), &["verify-tag", &tag.object]);
        Ok(match answer {
            Ok(_) => TagSignature::Trusted,
            Err(super::GitError::Failed { stderr, .. }) if stderr.contains("no signature found") => {
                TagSignature::Missing
            }
            Err(super::GitError::Failed { ending, stderr, .. }) => {
                let words: Vec<_> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                TagSignature::Untrusted { words: if words.is_empty() { ending } else { words.join("; ") } }
            }
            Err(error) => return Err(error.into()),
        })
    }
}
