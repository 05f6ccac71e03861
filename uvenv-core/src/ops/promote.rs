//! `promote`: moves the pins of staging or prod to newer releases of internal packages.
//!
//! The plan queries the remotes and changes nothing. It is executed in a separate directory: the new manifest is locked
//! and checked there, and only then replaces the profile's manifest, together with the lockfile.

mod branch;
mod candidate;
mod error;
mod evidence;
mod staged;
mod tag_choice;

use std::{collections::BTreeMap, str::FromStr, time::Instant};

pub(crate) use error::PromoteError;
pub use error::TagRef;
pub(crate) use staged::recover;

use self::{
    candidate::{PromotionCandidate, Repository, candidates},
    error::shown,
    evidence::TagSources,
    staged::{StagedProfile, beside},
    tag_choice::{ReleaseRequest, TagChoice, choose},
};
use super::{Session, milliseconds, not_writable::NotWritable, uv_failed};
use crate::{
    check::{self, Facts, Finding, Levels, Severity},
    git::{Git, RemoteTag},
    lockfile::{Lockfile, freshness},
    manifest::{Manifest, ManifestEditor},
    model::{Interrupted, Name, Profile, Release},
    monorepo::{Monorepo, ProfilePaths},
    report::{
        FileChange, FindingReport, LockedChange, PinnedRelease, PromoteReport, PromotedPackage, PromotionOutcome,
    },
    toml,
    uv::LockCommand,
};

/// What to promote, and how.
#[derive(Clone, Debug)]
pub struct PromoteRequest {
    /// The profile whose pins are moved: staging or prod.
    pub profile: Profile,
    /// The packages to promote; all of them if this is empty.
    pub packages: Vec<PackageRequest>,
    /// Whether pre-releases are accepted too.
    pub pre: bool,
    /// Whether to take the stable releases of the versions in staging instead of the newest releases.
    pub exact: bool,
    /// Whether to take the tags from the checkouts that dev uses. The remotes must have these tags too.
    pub from_local: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Whether to create a git commit of the promotion.
    pub commit: bool,
    /// The branch to commit to, instead of changing the files; with an empty name, one of the profile's own.
    pub branch: Option<String>,
}

/// A package named in a request: `PKG` or `PKG=TAG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRequest {
    /// The package.
    pub name: Name,
    /// The tag to use instead of the newest one that fits.
    pub tag: Option<String>,
}

impl PromoteRequest {
    /// Returns a request for the newest releases of `packages` that fit.
    pub(super) fn newest(profile: Profile, packages: Vec<PackageRequest>) -> Self {
        Self {
            profile,
            packages,
            pre: false,
            exact: false,
            from_local: false,
            dry_run: true,
            commit: false,
            branch: None,
        }
    }
}

impl FromStr for PackageRequest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, tag) = match text.split_once('=') {
            Some((name, tag)) => (name, Some(tag)),
            None => (text, None),
        };
        let name = Name::parse(name).ok_or_else(|| format!("`{name}` is not a valid name"))?;
        match tag {
            Some("") => Err(format!("no tag follows `{text}`")),
            tag => Ok(Self { name, tag: tag.map(str::to_owned) }),
        }
    }
}

/// A promotion that is ready to be executed.
#[derive(Debug)]
pub struct PromotePlan<'a> {
    monorepo: &'a Monorepo,
    paths: &'a ProfilePaths,
    request: PromoteRequest,
    /// The outcome for each package.
    packages: Vec<PromotedPackage>,
    /// The chosen tags, with the commits that they point to.
    taken: BTreeMap<Name, RemoteTag>,
    /// The tags of the pins that stay.
    kept: BTreeMap<Name, RemoteTag>,
    /// The current manifest, and the text of the new one.
    before: Manifest,
    after: String,
    git: Git,
    start: Instant,
}

impl<'a> PromotePlan<'a> {
    /// Plans a promotion: queries the remotes and inspects the commits that it would use.
    pub fn new(monorepo: &'a Monorepo, session: &Session, request: &PromoteRequest) -> crate::Result<Self> {
        Self::in_repository(monorepo, session, request, None)
    }

    /// Like [`new`](Self::new), but assumes that all packages without a pin are in the repository `common`, in the same
    /// directories as in this monorepo.
    pub(super) fn in_repository(
        monorepo: &'a Monorepo,
        session: &Session,
        request: &PromoteRequest,
        common: Option<&str>,
    ) -> crate::Result<Self> {
        let start = Instant::now();
        meaningful(request, session)?;
        let paths = monorepo.profile(request.profile)?;
        recover(paths, &session.settings.variables, session.settings.observer())?;
        let git = Git::find(&session.settings.variables)?.within(&monorepo.root);
        if request.commit || request.branch.is_some() {
            can_be_committed(monorepo, &git, paths)?;
        }
        if request.commit && !git.is_index_clean(&paths.directory)? {
            return Err(PromoteError::DirtyIndex.into());
        }
        let mut request = request.clone();
        if let Some(name) = &mut request.branch {
            if name.is_empty() {
                *name = branch::default_name(request.profile);
            }
            if !git.is_branch_name(&monorepo.root, name) {
                let problem = format!("`{name}` cannot be the name of a branch");
                return Err(PromoteError::meaningless(problem, "name it like `bots/prod`").into());
            }
            git.head(&monorepo.root)?;
        }
        let before = monorepo.context(request.profile)?.manifest.into_owned();
        let facts = Facts::read(monorepo, &session.settings.variables);
        let mut plan = Self {
            monorepo,
            paths,
            request,
            packages: Vec::new(),
            taken: BTreeMap::new(),
            kept: BTreeMap::new(),
            after: before.file.text.to_string(),
            before,
            git,
            start,
        };
        let Some(profile) = facts.profile(plan.request.profile) else { return Ok(plan) };
        let candidates = candidates(&facts, profile, &plan.request.packages, &plan.git, common)?;
        plan.choose(session, &facts, &candidates)?;
        Ok(plan)
    }

    /// Returns the path of the manifest and its new text.
    pub(super) fn manifest(&self) -> (camino::Utf8PathBuf, &str) {
        (self.paths.manifest(), &self.after)
    }

    /// Returns the outcome for each package.
    pub(super) fn packages(&self) -> &[PromotedPackage] {
        &self.packages
    }

    fn choose(&mut self, session: &Session, facts: &Facts<'_>, candidates: &[PromotionCandidate]) -> crate::Result<()> {
        let sources = TagSources::ask(self.monorepo, &self.git, session, candidates, &self.request)?;
        let mut chosen = Vec::new();
        for candidate in candidates {
            let Some(repository) = &candidate.repository else {
                chosen.push((candidate, None));
                continue;
            };
            let wanted = self.wanted(facts, candidate);
            let tags = sources.tags(candidate, repository)?;
            let tag_choice = match &wanted {
                Some(wanted) => choose(&candidate.package, candidate.pinned(), tags, wanted),
                None => TagChoice::None,
            };
            chosen.push((candidate, Some((repository, tag_choice, wanted, tags))));
        }
        let taken = chosen.iter().filter_map(|(candidate, chosen)| match chosen {
            Some((repository, TagChoice::Take(tag) | TagChoice::Downgrade(tag), ..)) => {
                Some((*candidate, *repository, tag))
            }
            _ => None,
        });
        let mut commits = sources.fetch(&taken.collect::<Vec<_>>());
        let mut editor = ManifestEditor::new(&self.before.file)?;
        for (candidate, chosen) in chosen {
            let Some((repository, tag_choice, wanted, tags)) = chosen else {
                self.without_repository(candidate)?;
                continue;
            };
            if let TagChoice::Take(tag) | TagChoice::Downgrade(tag) = &tag_choice {
                sources.verify(candidate, repository, tag)?;
                for edit in candidate.edits(repository, &tag.name) {
                    editor.apply(&edit)?;
                }
                self.taken.insert(candidate.package.clone(), tag.clone());
            } else if let Some(tag) = tags.iter().find(|tag| Some(tag.name.as_str()) == candidate.pinned()) {
                self.kept.insert(candidate.package.clone(), tag.clone());
            }
            let package = self.outcome(candidate, repository, &tag_choice, wanted.as_ref(), tags)?;
            let commits = commits.remove(&candidate.package);
            self.packages.push(PromotedPackage { commits, ..package });
        }
        self.after = editor.text();
        Ok(())
    }

    /// Returns the release to look for, or `None` if the package must follow staging and staging has no release of it.
    fn wanted(&self, facts: &Facts<'_>, candidate: &PromotionCandidate) -> Option<ReleaseRequest> {
        let named = self.request.packages.iter().find(|request| request.name == candidate.package);
        if let Some(tag) = named.and_then(|request| request.tag.clone()) {
            return Some(ReleaseRequest::Tag(tag));
        }
        if self.request.exact {
            let release = candidate::of_staging(facts, &candidate.package)?;
            return Some(ReleaseRequest::Exactly(tag_choice::stable(&release.version)));
        }
        Some(ReleaseRequest::Newest { profile: self.request.profile, pre: self.request.pre })
    }

    /// Turns the choice into an outcome. It is an error if there is no release of a package that was named or that must
    /// follow staging.
    fn outcome(
        &self,
        candidate: &PromotionCandidate,
        repository: &Repository,
        chosen: &TagChoice,
        wanted: Option<&ReleaseRequest>,
        tags: &[RemoteTag],
    ) -> crate::Result<PromotedPackage> {
        let (outcome, to, newest) = match chosen {
            TagChoice::Take(tag) if candidate.is_new() => (PromotionOutcome::Added, Some(tag), None),
            TagChoice::Take(tag) => (PromotionOutcome::Updated, Some(tag), None),
            TagChoice::Downgrade(tag) => (PromotionOutcome::Downgraded, Some(tag), None),
            TagChoice::UpToDate(_) => (PromotionOutcome::Unchanged, None, None),
            TagChoice::Newer(tag) => (PromotionOutcome::Newer, None, Some(tag.name.clone())),
            TagChoice::None if candidate.is_named || self.request.exact => {
                return Err(no_release(candidate, repository, wanted, tags).into());
            }
            TagChoice::None => (PromotionOutcome::NoRelease, None, None),
        };
        Ok(PromotedPackage {
            name: candidate.package.clone(),
            url: Some(shown(&repository.url)),
            outcome,
            from: candidate.current.clone(),
            to: to.map(pinned).or_else(|| candidate.current.clone()),
            newest,
            commits: None,
        })
    }

    fn without_repository(&mut self, candidate: &PromotionCandidate) -> crate::Result<()> {
        let package = candidate.package.clone();
        if candidate.is_named {
            let manifest = self.monorepo.relative(&self.paths.manifest()).to_owned();
            return Err(PromoteError::NoRepository { package, manifest }.into());
        }
        self.packages.push(PromotedPackage {
            name: package,
            url: None,
            outcome: PromotionOutcome::NoRepository,
            from: None,
            to: None,
            newest: None,
            commits: None,
        });
        Ok(())
    }

    /// Returns the report of a dry run.
    pub fn dry_run(&self) -> PromoteReport {
        self.report()
    }

    /// Locks and checks the new manifest in a separate directory, and then replaces the profile's manifest with it.
    pub fn execute(&self, session: &Session) -> crate::Result<PromoteReport> {
        let mut report = self.report();
        if self.taken.is_empty() {
            self.kept_what_is_tagged(self.monorepo.context(self.paths.profile)?.lockfile()?)?;
            return Ok(report);
        }
        self.outside_of_workspace()?;
        let staged =
            StagedProfile::new(self.paths, &self.after, &session.settings.variables, session.settings.observer())?;
        let before = Lockfile::read(&self.paths.lockfile())?;
        let after = self.lock(session, &staged)?;
        self.kept_what_is_tagged(Some(&after))?;
        report.locked = LockedChange::between(before.as_ref(), Some(&after));
        report.findings = self.check(session, after)?;
        Interrupted::check(session.settings.observer())?;
        if let Some(name) = &self.request.branch {
            report.branch = Some(self.commit_to_branch(session, &staged, &report, name)?);
            report.elapsed_ms = milliseconds(self.start.elapsed());
            return Ok(report);
        }
        let installed = staged.install()?;
        if self.request.commit {
            let paths = [self.paths.manifest(), self.paths.lockfile()];
            match self.git.commit(&self.paths.directory, &paths, &message(&report)) {
                Ok(commit) => report.commit = Some(commit),
                Err(error) => {
                    installed.undo()?;
                    return Err(error.into());
                }
            }
        }
        report.elapsed_ms = milliseconds(self.start.elapsed());
        Ok(report)
    }

    /// Fails if the candidate would be a member of the workspace above it, because uv would then lock that workspace
    /// instead of the candidate.
    fn outside_of_workspace(&self) -> crate::Result<()> {
        let directory = beside(self.paths);
        if !self.monorepo.has_member_at(&directory) || self.monorepo.has_member_at(&self.paths.directory) {
            return Ok(());
        }
        let dev = &self.monorepo.dev;
        let patterns = dev.uv.workspace.iter().flat_map(|workspace| &workspace.members);
        Err(PromoteError::InWorkspace {
            manifest: self.monorepo.relative(dev.path()).to_owned(),
            directory: self.monorepo.relative(&directory).to_owned(),
            place: patterns.map(|pattern| dev.place(pattern.span.clone())).next(),
        }
        .into())
    }

    /// Locks the candidate, starting from the profile's lockfile.
    fn lock(&self, session: &Session, staged: &StagedProfile) -> crate::Result<Lockfile> {
        let uv = session.uv()?;
        let command = LockCommand { project: staged.paths().directory, ..LockCommand::default() };
        let invocation = command.invocation(uv, &session.settings.appearance);
        let stderr = session.settings.stderr(&[&self.after]);
        let streamed = session.stream(&invocation, stderr)?;
        if !streamed.status.success() {
            let manifest = self.manifest_after()?;
            let old = Lockfile::read(&self.paths.lockfile())?;
            super::lock_failure::explain(session, &manifest, &freshness(old.as_ref(), &manifest, []))?;
            return Err(uv_failed(&invocation, &streamed, stderr).into());
        }
        let path = staged.paths().lockfile();
        let text = std::fs::read_to_string(&path).map_err(NotWritable::at(&staged.paths().directory))?;
        // Messages must refer to the final path of the lockfile.
        let lockfile = Lockfile::from_file(&toml::File { path: self.paths.lockfile(), text: text.into() })?;
        self.locked_what_was_proven(&lockfile)?;
        Ok(lockfile)
    }

    /// Checks that uv locked the commits that were verified. uv queries the remotes again a moment later, and builds
    /// packages that have no static version.
    fn locked_what_was_proven(&self, lockfile: &Lockfile) -> crate::Result<()> {
        for (package, tag) in &self.taken {
            let Some(locked) = lockfile.git_pin(package).and_then(|pin| pin.commit.as_deref()) else { continue };
            if locked != tag.commit {
                return Err(self.moved(package, tag, locked).into());
            }
            let versions = lockfile.packages_named(package).filter_map(|package| package.version.as_deref());
            for version in versions {
                evidence::same_version(package, &tag.name, version)?;
            }
        }
        Ok(())
    }

    /// Checks that the pins that stay are locked as the remotes have their tags now. Nobody looks at a branch as closely as at
    /// one's own promotion, and a tag that was moved would get into it unseen.
    fn kept_what_is_tagged(&self, lockfile: Option<&Lockfile>) -> crate::Result<()> {
        let (Some(lockfile), Some(_)) = (lockfile, &self.request.branch) else { return Ok(()) };
        for (package, tag) in &self.kept {
            let Some(locked) = lockfile.git_pin(package).and_then(|pin| pin.commit.as_deref()) else { continue };
            if locked != tag.commit {
                return Err(self.moved(package, tag, locked).into());
            }
        }
        Ok(())
    }

    /// The lockfile has another commit for a tag than the remote.
    fn moved(&self, package: &Name, tag: &RemoteTag, locked: &str) -> PromoteError {
        let row = self.packages.iter().find(|row| row.name == *package);
        let url = row.and_then(|row| row.url.as_deref()).unwrap_or_default();
        PromoteError::MovedTag {
            at: Box::new(TagRef::new(package, &tag.name, url)),
            there: tag.commit.clone(),
            here: locked.to_owned(),
            by: self.monorepo.relative(&self.paths.lockfile()).to_owned(),
        }
    }

    fn manifest_after(&self) -> crate::Result<Manifest> {
        let file = toml::File { path: self.paths.manifest(), text: self.after.as_str().into() };
        Manifest::from_file(file)
    }

    /// Checks the profile with the candidate's files. Errors that existed before are ignored; a new error counts
    /// wherever it is found.
    fn check(&self, session: &Session, lockfile: Lockfile) -> crate::Result<Vec<FindingReport>> {
        let levels = Levels::new(&self.monorepo.config, &[])?;
        let found = |facts: &Facts<'_>| -> Vec<Finding> {
            check::offline(facts).into_iter().filter_map(|finding| levels.apply(finding)).collect()
        };
        let before = found(&Facts::read(self.monorepo, &session.settings.variables));
        let mut facts = Facts::read(self.monorepo, &session.settings.variables);
        facts.put(self.monorepo.context_of(self.paths, self.manifest_after()?).with_lockfile(Some(lockfile)));
        let after = found(&facts);
        let was_there = |finding: &Finding| {
            let same = |other: &Finding| {
                (other.code, other.profile, &other.package) == (finding.code, finding.profile, &finding.package)
            };
            before.iter().any(same)
        };
        let new: Vec<_> =
            after.iter().filter(|finding| finding.severity == Severity::Error && !was_there(finding)).collect();
        if new.is_empty() {
            let is_about = |finding: &&Finding| finding.profile.is_none_or(|profile| profile == self.paths.profile);
            return Ok(after.iter().filter(is_about).map(FindingReport::new).collect());
        }
        let problems = new.iter().map(|finding| format!("{} [{}]", finding.message, finding.code)).collect();
        let place = new.iter().find_map(|finding| finding.place.clone());
        Err(PromoteError::CheckFailed { profile: self.paths.profile, problems, place }.into())
    }

    fn report(&self) -> PromoteReport {
        let file = self.paths.manifest();
        let is_changed = *self.before.file.text != *self.after;
        let changes = is_changed.then(|| FileChange {
            diff: super::check::diff(&self.monorepo.root, &file, &self.before.file.text, &self.after),
            file: file.clone(),
        });
        PromoteReport {
            profile: self.paths.profile,
            manifest: file,
            lockfile: self.paths.lockfile(),
            dry_run: self.request.dry_run,
            changed: is_changed,
            packages: self.packages.clone(),
            locked: Vec::new(),
            changes: changes.into_iter().collect(),
            findings: Vec::new(),
            commit: None,
            branch: None,
            elapsed_ms: milliseconds(self.start.elapsed()),
        }
    }
}

/// Fails if the manifest or the lockfile cannot be in a commit, or the commit would also contain other changes to them.
fn can_be_committed(monorepo: &Monorepo, git: &Git, paths: &ProfilePaths) -> crate::Result<()> {
    let rejected = |problem: String, help: &str| Err(PromoteError::meaningless(problem, help).into());
    if git.top_level(&monorepo.root).is_none() {
        let problem = format!("`{}` is not in a git repository, so that nothing can be committed", monorepo.root);
        return rejected(problem, "leave out `--commit` and `--branch`, or make it one with `git init`");
    }
    for path in [paths.manifest(), paths.lockfile()] {
        let file = monorepo.relative(&path).to_owned();
        if path.is_symlink() {
            return rejected(
                format!("`{file}` is a symbolic link, which git would commit as one"),
                "replace it by a file",
            );
        }
        if git.is_ignored(&path) {
            return rejected(format!("git ignores `{file}`"), "remove it from `.gitignore` and commit it");
        }
        if git.is_changed(&path)? {
            return Err(PromoteError::Uncommitted { file }.into());
        }
    }
    Ok(())
}

fn meaningful(request: &PromoteRequest, session: &Session) -> crate::Result<()> {
    if request.profile == Profile::Dev {
        let problem = "dev uses internal packages from the workspace, not releases";
        return Err(PromoteError::meaningless(problem, "promote to `staging` or `prod`").into());
    }
    if request.exact && request.profile != Profile::Prod {
        let problem = "`--exact` uses the stable releases of the versions in staging, so it works only for prod";
        return Err(PromoteError::meaningless(problem, "promote to `prod`, or remove `--exact`").into());
    }
    if session.settings.offline {
        let problem = "promotions require the git remotes, but network access is disabled";
        return Err(PromoteError::meaningless(problem, "remove `--offline`").into());
    }
    let mut named: Vec<_> = request.packages.iter().map(|package| &package.name).collect();
    named.sort();
    match named.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            Err(PromoteError::meaningless(format!("`{}` is named twice", pair[0]), "list each package only once")
                .into())
        }
        None => Ok(()),
    }
}

fn pinned(tag: &RemoteTag) -> PinnedRelease {
    PinnedRelease {
        reference: tag.name.clone(),
        version: Release::parse(&tag.name).map(|release| release.version.to_string()),
        commit: Some(tag.commit.clone()),
    }
}

fn no_release(
    candidate: &PromotionCandidate,
    repository: &Repository,
    wanted: Option<&ReleaseRequest>,
    tags: &[RemoteTag],
) -> PromoteError {
    let (package, url) = (candidate.package.clone(), shown(&repository.url));
    let tags: Vec<_> = tags.iter().take(SHOWN).map(|tag| tag.name.clone()).collect();
    let wanted = match wanted {
        Some(ReleaseRequest::Tag(tag)) => {
            let at = Box::new(TagRef::new(&package, tag, &url));
            return PromoteError::MissingTag { at, checkout: None, tags };
        }
        Some(ReleaseRequest::Exactly(version)) => format!("tag of release {version}"),
        Some(ReleaseRequest::Newest { profile: Profile::Staging, .. }) => "tag of a dev release".to_owned(),
        Some(ReleaseRequest::Newest { .. }) => "tag of a stable release".to_owned(),
        None => "release in staging to match".to_owned(),
    };
    PromoteError::NoRelease { package, wanted, url, tags }
}

/// The maximum number of tags in a message.
const SHOWN: usize = 5;

/// Returns the commit message: what was promoted, one package per line.
fn message(report: &PromoteReport) -> String {
    let changed = report.packages.iter().filter(|package| package.is_changed());
    let line = |package: &PromotedPackage| {
        let from = package.from.as_ref().map_or("new", |from| from.reference.as_str());
        format!("{}: {from} -> {}", package.name, to(package))
    };
    let lines: Vec<_> = changed.map(line).collect();
    format!("{}\n\n{}\n", title(report), lines.join("\n"))
}

fn title(report: &PromoteReport) -> String {
    let changed: Vec<_> = report.packages.iter().filter(|package| package.is_changed()).collect();
    match changed.as_slice() {
        [package] => format!("Promote {} {} to {}", package.name, to(package), report.profile),
        packages => format!("Promote {} packages to {}", packages.len(), report.profile),
    }
}

fn to(package: &PromotedPackage) -> &str {
    package.to.as_ref().map_or("", |to| to.reference.as_str())
}
