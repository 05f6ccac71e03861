//! The interface to git. It explains pins that cannot be resolved, and creates repositories.

mod branch;
mod checkout;
mod contents;
mod remotes;
mod signature;
mod work_tree;

use std::{io, time::Duration};

use camino::Utf8Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

pub(crate) use self::{
    branch::{CommitFacts, CommittedFile},
    contents::{CommitContents, CommitLine, ContentCache},
    remotes::Remotes,
    signature::TagSignature,
    work_tree::Submodule,
};

use crate::{
    model::{Diagnostic, Fault, Name, Observer, Place, Variables, git_url, quoted, redact},
    process::{Captured, Invocation, ending, on_new_lines, on_path},
};

/// The variables with which a caller, such as a hook, redirects git to a repository other than the intended one.
///
/// `git rev-parse --local-env-vars` lists more. The configuration variables are kept: CI systems use them to pass the
/// credentials of remotes, and uv's git also reads them.
const REDIRECTIONS: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// The settings that make a repository and its commits identical on every machine: none of the user's signatures,
/// hooks, templates or filters, no line-ending conversion, and an object format that every version of git can read.
const REPRODUCIBLE: [&str; 12] = [
    "commit.gpgSign=false",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.excludesFile=/dev/null",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "i18n.commitEncoding=UTF-8",
    "init.defaultBranch=main",
    "init.defaultObjectFormat=sha1",
    "init.defaultRefFormat=files",
    "init.templateDir=",
    "tag.gpgSign=false",
];

/// How many existing tags are listed if a remote does not have a tag: enough to recognize the intended one.
const TAGS_SHOWN: usize = 5;

/// A git executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    program: Invocation,
}

/// A bare repository created by [`Git::create_bare`].
#[derive(Clone, Debug)]
pub struct BareRepository {
    prepared: Invocation,
}

/// A tag in a remote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteTag {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// The commit that the tag points to.
    pub commit: String,
    /// The tag itself, if it is an annotated one, which can have a signature; otherwise the commit.
    pub object: String,
}

/// A pin of a package in a manifest: a tag of a remote.
#[derive(Clone, Debug)]
pub(crate) struct TagQuery {
    pub(crate) package: Name,
    pub(crate) url: String,
    pub(crate) tag: String,
    /// The location of the URL in the manifest.
    pub(crate) url_place: Place,
    /// The location of the tag in the manifest.
    pub(crate) tag_place: Place,
}

/// Why git failed, or what is wrong with a pin.
#[derive(Debug, Error)]
pub(crate) enum GitError {
    /// There is no git on `PATH`.
    #[error("git was not found on `PATH`")]
    NotFound,
    /// git could not be started, did not finish in time, or failed.
    #[error("`{command}` {ending}{}", on_new_lines(.stderr))]
    Failed {
        /// The command, without secrets.
        command: String,
        ending: String,
        /// git's stderr, without secrets.
        stderr: String,
    },
    /// The repository does not have the revision.
    #[error("the git repository has no revision `{revision}`")]
    NoRevision { revision: String },
    /// A pin names a tag that does not exist in its remote.
    #[error("`{package}` is pinned to the tag `{tag}`, which does not exist in {url}")]
    MissingTag {
        package: Name,
        tag: String,
        /// The URL of the remote, without secrets.
        url: String,
        /// Existing tags of the remote: the most similar first and, among equally similar ones, the newest first.
        nearest: Vec<String>,
        place: Box<Place>,
    },
    /// The remote of a pin does not respond.
    #[error("the git remote of `{package}`, {url}, cannot be reached: {reason}")]
    UnreachableRemote {
        package: Name,
        /// The URL of the remote, without secrets.
        url: String,
        /// git's error message, without secrets.
        reason: String,
        /// A command that reproduces the failure, without secrets.
        command: String,
        place: Box<Place>,
    },
}

impl Git {
    /// Returns the first git on `PATH`.
    pub fn find(variables: &Variables) -> crate::Result<Self> {
        let program = on_path(variables, "git").next().ok_or(GitError::NotFound)?;
        Ok(Self { program: Invocation::new(program.as_str()).seeing(variables) })
    }

    /// Returns git as it runs in `directory`, whose repository can have settings of its own, such as `insteadOf`.
    pub(crate) fn within(self, directory: &Utf8Path) -> Self {
        Self { program: self.program.current_dir(directory) }
    }

    /// Whether `directory` is in the work tree of a repository.
    pub fn is_work_tree(&self, directory: &Utf8Path) -> bool {
        run(self.prepared().current_dir(directory), &["rev-parse", "--is-inside-work-tree"])
            .is_ok_and(|answer| answer.stdout.trim() == "true")
    }

    /// Creates a repository in `directory`, as the user's own `git init` would.
    pub fn init(&self, directory: &Utf8Path) -> crate::Result<()> {
        run(self.prepared(), &["init", "--quiet", "--", directory.as_str()])?;
        Ok(())
    }

    /// Creates a bare repository in `directory`, independently of the user's settings.
    pub fn create_bare(&self, directory: &Utf8Path) -> crate::Result<BareRepository> {
        Ok(BareRepository::create(self.prepared(), directory)?)
    }

    /// Returns an error for the first of `pins` that its remote cannot satisfy.
    pub(crate) fn explain(&self, pins: &[TagQuery], limit: Duration, observer: &dyn Observer) -> crate::Result<()> {
        let urls = pins.iter().map(|pin| pin.url.clone());
        let remotes = Remotes::ask(self, urls, limit, observer)?;
        let problem = pins.iter().find_map(|pin| pin.explain(remotes.tags(&pin.url)));
        problem.map_or(Ok(()), |problem| Err(problem.into()))
    }

    /// Returns the base of all git commands. It never prompts, never runs a program named by a URL, and prints English
    /// messages.
    ///
    /// The user's configuration for remotes (credential helpers, `GIT_ASKPASS`, `GIT_SSH_COMMAND`) still applies, so
    /// that git can reach the same remotes as uv.
    fn prepared(&self) -> Invocation {
        let base = REDIRECTIONS
            .iter()
            .fold(self.program.clone(), |base, name| base.env_remove(*name))
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GCM_INTERACTIVE", "never")
            // ssh prompts on the terminal even if its stdin is not one, unless it must ask this program, which always
            // refuses.
            .env("SSH_ASKPASS", "false")
            .env("SSH_ASKPASS_REQUIRE", "force");
        with_settings(base, &["core.askPass=", "protocol.ext.allow=never"])
    }
}

impl BareRepository {
    fn create(base: Invocation, directory: &Utf8Path) -> Result<Self, GitError> {
        let mut prepared =
            with_settings(base, &REPRODUCIBLE).env("GIT_ATTR_NOSYSTEM", "1").env_remove("GIT_DEFAULT_HASH");
        for role in ["AUTHOR", "COMMITTER"] {
            prepared = prepared
                .env(format!("GIT_{role}_NAME"), "uvenv")
                .env(format!("GIT_{role}_EMAIL"), "uvenv@localhost")
                .env(format!("GIT_{role}_DATE"), "2025-01-01T00:00:00Z");
        }
        run(prepared.clone(), &["init", "--quiet", "--bare", "--", directory.as_str()])?;
        Ok(Self { prepared: prepared.arg(format!("--git-dir={directory}")) })
    }

    /// Commits all files of the directory `tree`, and nothing else, to the branch `main`, and returns the commit.
    pub fn commit_all(&self, tree: &Utf8Path, message: &str) -> crate::Result<String> {
        let in_tree = self.prepared.clone().arg(format!("--work-tree={tree}")).current_dir(tree);
        run(in_tree.clone(), &["add", "--all", "--force"])?;
        run(in_tree, &["commit", "--quiet", "--no-verify", "--allow-empty", &format!("--message={message}")])?;
        let head = run(self.prepared.clone(), &["rev-parse", "--verify", "HEAD"])?;
        Ok(head.stdout.trim().to_owned())
    }

    /// Adds an annotated tag to the last commit.
    pub fn tag(&self, name: &str) -> crate::Result<()> {
        let message = format!("--message={name}");
        run(self.prepared.clone(), &["tag", "--annotate", &message, "--", name])?;
        Ok(())
    }
}

impl TagQuery {
    /// Returns what is wrong with the pin, given the answer of its remote.
    pub(crate) fn explain(&self, answer: Result<&[RemoteTag], &GitError>) -> Option<GitError> {
        let package = self.package.clone();
        let url = redact(&self.url).into_owned();
        match answer {
            Ok(tags) if tags.iter().any(|tag| tag.name == self.tag) => None,
            Ok(tags) => {
                let nearest = nearest(&self.tag, tags);
                let place = Box::new(self.tag_place.clone());
                Some(GitError::MissingTag { package, tag: self.tag.clone(), url, nearest, place })
            }
            Err(GitError::Failed { ending, stderr, .. }) => {
                let reason = cause(stderr).map_or_else(|| format!("git {ending}"), str::to_owned);
                Some(self.unreachable(&reason))
            }
            Err(_) => None,
        }
    }

    /// Returns the error for a remote that cannot be reached.
    pub(crate) fn unreachable(&self, reason: &str) -> GitError {
        GitError::UnreachableRemote {
            package: self.package.clone(),
            url: redact(&self.url).into_owned(),
            reason: reason.to_owned(),
            command: shown(&["ls-remote", git_url::plain(&self.url)]),
            place: Box::new(self.url_place.clone()),
        }
    }
}

/// Returns the URL with which git and uv access the repository in `directory`, which must be absolute.
pub fn file_url(directory: &Utf8Path) -> String {
    if cfg!(windows) {
        file_url_on_windows(directory.as_str())
    } else {
        format!("file://{}", escaped(directory.as_str()))
    }
}

fn file_url_on_windows(directory: &str) -> String {
    let path = directory.replace('\\', "/");
    let path = match path.strip_prefix("//?/UNC/") {
        Some(share) => format!("//{share}"),
        None => path.strip_prefix("//?/").unwrap_or(&path).to_owned(),
    };
    if let Some(share) = path.strip_prefix("//") {
        return format!("file://{}", escaped(share));
    }
    match path.split_once(':') {
        Some((drive, path)) => format!("file:///{drive}:{}", escaped(path)),
        None => format!("file://{}", escaped(&path)),
    }
}

/// Percent-encodes `path` (`%20` and the like), except for letters, digits and characters that have no special meaning
/// in any URL.
fn escaped(path: &str) -> impl std::fmt::Display + '_ {
    const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(path, UNSAFE)
}

fn with_settings(base: Invocation, settings: &[impl AsRef<str>]) -> Invocation {
    settings.iter().fold(base, |base, setting| base.args(["-c", setting.as_ref()]))
}

fn run(prepared: Invocation, arguments: &[&str]) -> Result<Captured, GitError> {
    run_within(prepared, arguments, None)
}

fn run_within(prepared: Invocation, arguments: &[&str], limit: Option<Duration>) -> Result<Captured, GitError> {
    let invocation = prepared.args(arguments);
    let answer = match limit {
        Some(limit) => invocation.capture_with_timeout(limit),
        None => invocation.capture(),
    };
    let (ending, stderr) = match answer {
        Ok(answer) if answer.status.success() => return Ok(answer),
        Ok(answer) => (ending(answer.status), answer.stderr),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            let seconds = limit.unwrap_or_default().as_secs();
            (format!("got no answer within {seconds} s"), String::new())
        }
        Err(error) => (format!("could not be started: {error}"), String::new()),
    };
    Err(GitError::Failed { command: shown(arguments), ending, stderr })
}

/// Returns the command as the user would type it, without the prepared arguments, which say nothing about the request.
fn shown(arguments: &[&str]) -> String {
    Invocation::new("git").args(arguments).to_string()
}

/// Returns the tags that share the longest prefix with `wanted`. In a repository with many packages, these are the tags
/// of the same package. The newest come first, because `tags` are sorted that way.
fn nearest(wanted: &str, tags: &[RemoteTag]) -> Vec<String> {
    let in_common = |name: &str| name.bytes().zip(wanted.bytes()).take_while(|(one, other)| one == other).count();
    let mut names: Vec<_> = tags.iter().map(|tag| tag.name.as_str()).collect();
    names.sort_by_key(|name| std::cmp::Reverse(in_common(name)));
    names.into_iter().take(TAGS_SHOWN).map(str::to_owned).collect()
}

/// Returns the line of git's stderr with the cause: the last line, except for what git prints after every transport
/// failure.
fn cause(stderr: &str) -> Option<&str> {
    const AFTER_EVERY_FAILURE: [&str; 3] = [
        "fatal: Could not read from remote repository.",
        "Please make sure you have the correct access rights",
        "and the repository exists.",
    ];
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).rev();
    lines
        .find(|line| !AFTER_EVERY_FAILURE.contains(line))
        .map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")).unwrap_or(line))
}

impl GitError {
    /// Converts the error if the only possible cause is that the revision does not exist.
    fn of_revision(self, revision: &str) -> Self {
        match self {
            // With `--quiet`, git prints nothing in this case.
            Self::Failed { stderr, .. } if stderr.is_empty() => Self::NoRevision { revision: revision.to_owned() },
            other => other,
        }
    }
}

impl Diagnostic for GitError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "git-not-found",
            Self::Failed { .. } => "git-failed",
            Self::MissingTag { .. } => "missing-tag",
            Self::UnreachableRemote { .. } => "unreachable-remote",
            Self::NoRevision { .. } => "unknown-revision",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotFound => Some("install git, or add its directory to `PATH`".to_owned()),
            Self::Failed { .. } => None,
            Self::NoRevision { .. } => {
                Some("use a tag, branch or commit that `git rev-parse` accepts, or fetch it first".to_owned())
            }
            Self::MissingTag { tag, nearest, .. } if nearest.is_empty() => {
                Some(format!("the remote has no tags: push `{tag}` to it"))
            }
            Self::MissingTag { tag, nearest, .. } => {
                Some(format!("push `{tag}` to the remote, or pin an existing tag: {}", quoted(nearest)))
            }
            Self::UnreachableRemote { command, .. } => {
                Some(format!("check the URL, the network and your credentials: `{command}` must succeed"))
            }
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::MissingTag { place, .. } | Self::UnreachableRemote { place, .. } => Some(place),
            Self::NotFound | Self::Failed { .. } | Self::NoRevision { .. } => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NotFound | Self::NoRevision { .. } => Fault::Request,
            // The request may be correct and the remote wrong. Both are known only after uv or git has failed.
            Self::Failed { .. } | Self::MissingTag { .. } | Self::UnreachableRemote { .. } => Fault::Finding,
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use std::fs;

    use super::*;
    use crate::fs::TestTree;
    use crate::process::Terminal;

    const LIMIT: Duration = Duration::from_mins(1);

    fn git() -> Git {
        Git::find(&Variables::from_process()).unwrap()
    }

    /// Creates a repository with these tags, each on its own commit. The name of its directory tests quoting.
    fn remote(directory: &Utf8Path, tags: &[&str]) -> (Utf8PathBuf, Vec<String>) {
        let path = directory.join("it's $(id).git");
        let tree = directory.join("-tree");
        fs::create_dir(&tree).unwrap();
        let repository = git().create_bare(&path).unwrap();
        let commits = tags.iter().map(|tag| {
            fs::write(tree.join("version"), tag).unwrap();
            let commit = repository.commit_all(&tree, tag).unwrap();
            repository.tag(tag).unwrap();
            commit
        });
        let commits = commits.collect();
        (path, commits)
    }

    fn pin(url: &str, tag: &str) -> TagQuery {
        let text = format!("a = {{ git = \"{url}\", tag = \"{tag}\" }}\n");
        let place = Place::new("prod/pyproject.toml", text.into(), 0..1);
        TagQuery {
            package: Name::parse("a").unwrap(),
            url: url.to_owned(),
            tag: tag.to_owned(),
            url_place: place.clone(),
            tag_place: place,
        }
    }

    fn explained(pins: &[TagQuery]) -> crate::Error {
        git().explain(pins, LIMIT, &Terminal { quiet: true }).unwrap_err()
    }

    fn said(error: &crate::Error) -> String {
        format!("error[{}]: {error}\nhelp: {}", error.code(), error.help().unwrap_or_default())
    }

    #[test]
    fn lists_remote_tags_newest_first_with_their_commits() {
        let directory = TestTree::new();
        let tags = ["v0.9", "v0.10.dev0", "v0.10rc1", "v0.10"];
        let (path, commits) = remote(&directory, &tags);
        let found = git().remote_tags(path.as_str(), LIMIT).unwrap();
        let expected = [3, 2, 1, 0].map(|index| (tags[index].to_owned(), commits[index].clone()));
        assert_eq!(found.into_iter().map(|tag| (tag.name, tag.commit)).collect::<Vec<_>>(), expected);
    }

    /// Returns the commit of a file that the user's ignore rules, attributes and line-ending settings would change.
    fn commit_in(home: &Utf8Path) -> String {
        let tree = home.join("tree");
        fs::create_dir(&tree).unwrap();
        fs::write(tree.join("a.py"), "a\r\nb\r\n").unwrap();
        let base =
            git().prepared().env("HOME", home.as_str()).env_remove("XDG_CONFIG_HOME").env("GIT_CONFIG_NOSYSTEM", "1");
        let base = base.env("GIT_DEFAULT_HASH", "sha256").env("GIT_AUTHOR_NAME", "me");
        let repository = BareRepository::create(base, &home.join("a.git")).unwrap();
        let commit = repository.commit_all(&tree, "é").unwrap();
        repository.tag("v1").unwrap();
        commit
    }

    #[test]
    fn commits_do_not_depend_on_user_settings() {
        let (plain, odd) = (TestTree::new(), TestTree::new());
        fs::create_dir_all(odd.join(".config/git")).unwrap();
        fs::write(odd.join(".config/git/attributes"), "* filter=no-such text=auto\n").unwrap();
        fs::write(odd.join("ignore"), "*.py\n").unwrap();
        let settings = "[commit]\ngpgSign = true\n[tag]\ngpgSign = true\nforceSignAnnotated = true\n\
                        [core]\nautocrlf = input\nexcludesFile = ~/ignore\nhooksPath = ~/hooks\n\
                        [init]\ndefaultBranch = trunk\ntemplateDir = ~/template\ndefaultObjectFormat = sha256\n\
                        [filter \"no-such\"]\nclean = false\nrequired = true\n\
                        [user]\nuseConfigOnly = true\n[i18n]\ncommitEncoding = latin1\n";
        fs::write(odd.join(".gitconfig"), settings).unwrap();
        let commit = commit_in(&plain);
        assert_eq!(commit_in(&odd), commit);
        for home in [&plain, &odd] {
            let tags = git().remote_tags(home.join("a.git").as_str(), LIMIT).unwrap();
            assert_eq!(tags.len(), 1);
            assert_eq!((tags[0].name.as_str(), &tags[0].commit), ("v1", &commit));
        }
    }

    #[test]
    fn explains_a_missing_tag_and_lists_similar_ones() {
        let directory = TestTree::new();
        let (path, _) = remote(&directory, &["a-v0.1.2", "b-v0.1.9", "b-v0.1.2", "b-v0.1.10"]);
        let url = path.as_str();
        let error = explained(&[pin(url, "b-v0.1.2"), pin(url, "b-v0.2"), pin("/no/such", "v1")]);
        assert_eq!(
            said(&error),
            format!(
                "error[missing-tag]: `a` is pinned to the tag `b-v0.2`, which does not exist in {url}\n\
                 help: push `b-v0.2` to the remote, or pin an existing tag: `b-v0.1.10`, `b-v0.1.9`, `b-v0.1.2`, \
                 `a-v0.1.2`"
            )
        );
        assert_eq!(error.place().unwrap().path(), "prod/pyproject.toml");
    }

    #[test]
    fn finds_no_fault_with_valid_pins() {
        let directory = TestTree::new();
        let (path, _) = remote(&directory, &["v1", "v2"]);
        let pins = [pin(path.as_str(), "v1"), pin(&format!("git+{}", file_url(&path)), "v2")];
        assert!(git().explain(&pins, LIMIT, &Terminal { quiet: true }).is_ok());
    }

    #[test]
    fn explains_a_remote_without_tags() {
        let directory = TestTree::new();
        let (path, _) = remote(&directory, &[]);
        let error = explained(&[pin(path.as_str(), "v1")]);
        assert!(said(&error).ends_with("help: the remote has no tags: push `v1` to it"));
    }

    #[test]
    fn reports_an_unreachable_remote() {
        let error = explained(&[pin("git+file:///no/such/it's.git", "v1")]);
        assert_eq!(
            said(&error),
            "error[unreachable-remote]: the git remote of `a`, git+file:///no/such/it's.git, cannot be reached: \
             '/no/such/it's.git' does not appear to be a git repository\n\
             help: check the URL, the network and your credentials: \
             `git ls-remote 'file:///no/such/it'\\''s.git'` must succeed"
        );
    }

    #[test]
    fn never_shows_a_password() {
        let error = explained(&[pin("https://user:secret@localhost:1/a.git", "v1")]);
        let text = format!("{}{:?}", said(&error), error).replace(error.place().unwrap().text(), "");
        assert!(text.contains("https://****@localhost:1/a.git"), "{text}");
        assert!(error.code() == "unreachable-remote" && !said(&error).contains("secret"), "{text}");
    }

    #[test]
    fn times_out_on_a_remote_that_never_answers() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("git://{}/a.git", listener.local_addr().unwrap());
        let error = git().explain(&[pin(&url, "v1")], Duration::from_secs(1), &Terminal { quiet: true }).unwrap_err();
        assert!(said(&error).contains("cannot be reached: git got no answer within 1 s"));
    }

    #[test]
    fn never_runs_a_program_named_in_a_url() {
        let directory = TestTree::new();
        let made = directory.join("made");
        for url in [format!("ext::touch {made}"), format!("--upload-pack=touch {made}")] {
            assert!(git().remote_tags(&url, LIMIT).is_err());
            assert!(!made.exists(), "{url}");
        }
    }

    #[test]
    fn finds_the_cause_in_gits_error_output() {
        let ssh = "Warning: Permanently added 'h'.\nssh: connect to host h port 22: Connection refused\n\
                   fatal: Could not read from remote repository.\n\n\
                   Please make sure you have the correct access rights\nand the repository exists.\n";
        assert_eq!(cause(ssh), Some("ssh: connect to host h port 22: Connection refused"));
        let https = "remote: Not Found\nfatal: repository 'https://h/a/' not found\n";
        assert_eq!(cause(https), Some("repository 'https://h/a/' not found"));
        assert_eq!(cause("\n"), None);
    }

    #[cfg(unix)]
    #[test]
    fn git_accepts_file_urls_of_unusual_paths() {
        let directory = TestTree::new();
        let odd = directory.join("a b%20c#d?e@f+g'h\"i&é~");
        fs::create_dir(&odd).unwrap();
        let (path, commits) = remote(&odd, &["v1"]);
        let url = file_url(&path);
        assert!(url.ends_with("/a%20b%2520c%23d%3Fe%40f%2Bg%27h%22i%26%C3%A9~/it%27s%20%24%28id%29.git"), "{url}");
        assert_eq!(git().remote_tags(&url, LIMIT).unwrap()[0].commit, commits[0]);
    }

    #[test]
    fn makes_file_urls_of_windows_drives_and_shares() {
        for (path, url) in [
            (r"C:\my work\a.git", "file:///C:/my%20work/a.git"),
            (r"\\?\C:\a.git", "file:///C:/a.git"),
            (r"\\host\share\a.git", "file://host/share/a.git"),
            (r"\\?\UNC\host\share\a.git", "file://host/share/a.git"),
        ] {
            assert_eq!(file_url_on_windows(path), url);
        }
    }

    #[test]
    fn reports_a_missing_git() {
        let error = Git::find(&Variables::from_iter([("PATH", "/no/such")])).unwrap_err();
        assert_eq!(error.code(), "git-not-found");
    }

    #[test]
    fn recognises_a_work_tree_from_a_subdirectory() {
        let directory = TestTree::new();
        assert!(!git().is_work_tree(&directory));
        git().init(&directory).unwrap();
        fs::create_dir(directory.join("below")).unwrap();
        assert!(git().is_work_tree(&directory.join("below")));
        assert!(!git().is_work_tree(&directory.join("not-there")));
    }
}
