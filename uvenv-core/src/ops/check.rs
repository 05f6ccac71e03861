//! `check`: reports what in the monorepo is inconsistent, differs between profiles or cannot be installed, and fixes
//! it.

mod fix_plan;

use std::{collections::BTreeMap, panic::resume_unwind, thread};

use self::fix_plan::FixPlan;
pub(super) use self::fix_plan::diff;
use super::{Session, status::is_known_fresh};
use crate::{
    check::{self, CheckError, Facts, Finding, LevelOverride, Levels, LockedBackends, Remote},
    fs::cache,
    git::Git,
    model::Profile,
    monorepo::{Monorepo, ProfileContext},
    report::{CheckReport, FindingReport},
    uv::{Fetch, LockVerdict},
};

type Verdicts = BTreeMap<Profile, LockVerdict>;

/// The options of a check.
#[derive(Clone, Debug, Default)]
pub struct CheckRequest {
    /// The profiles to check; all if this is empty.
    pub profiles: Vec<Profile>,
    /// Whether git remotes are queried.
    pub remote: bool,
    /// Levels of findings, which override those of the configuration.
    pub levels: Vec<LevelOverride>,
    /// What to do with findings that can be fixed.
    pub fix_mode: FixMode,
}

/// What to do with findings that can be fixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FixMode {
    /// Only report them.
    #[default]
    No,
    /// Show how they would be fixed.
    DryRun,
    /// Fix them.
    Write,
}

impl CheckRequest {
    /// Checks the profiles, and fixes the findings if requested.
    pub fn check(&self, monorepo: &Monorepo, session: &Session) -> crate::Result<CheckReport> {
        for profile in &self.profiles {
            monorepo.profile(*profile)?;
        }
        let levels = Levels::new(&monorepo.config, &self.levels)?;
        if self.remote && session.settings.offline {
            return Err(CheckError::Offline.into());
        }
        let findings = self.findings(monorepo, session, &levels)?;
        if self.fix_mode == FixMode::No {
            return Ok(self.report(monorepo, &findings));
        }
        let fix_plan = FixPlan::plan(&findings)?;
        let changes = fix_plan.changes(&monorepo.root);
        if self.fix_mode == FixMode::DryRun || changes.is_empty() {
            let dry_run = self.fix_mode == FixMode::DryRun;
            let report = self.report(monorepo, &findings);
            return Ok(CheckReport { fixed: reports(&fix_plan.fixed), changes, dry_run, ..report });
        }
        fix_plan.write()?;
        let monorepo = Monorepo::discover(&monorepo.root)?;
        let left = self.findings(&monorepo, session, &levels)?;
        let is_left = |fixed: &Finding| left.iter().any(|finding| finding.is_same_finding(fixed));
        let fixed: Vec<_> = fix_plan.fixed.iter().filter(|fixed| !is_left(fixed)).cloned().collect();
        Ok(CheckReport { fixed: reports(&fixed), changes, ..self.report(&monorepo, &left) })
    }

    fn findings(&self, monorepo: &Monorepo, session: &Session, levels: &Levels) -> crate::Result<Vec<Finding>> {
        let mut facts = Facts::read(monorepo, &session.settings.variables);
        let (verdicts, locked) = self.asked(&facts, session);
        facts.add_verdicts(verdicts);
        facts.locked = locked;
        let mut found = check::offline(&facts);
        if self.remote {
            let directory = cache::directory(&session.settings.variables)?;
            let remote = Remote::ask(
                &facts,
                &Git::find(&session.settings.variables)?.within(&monorepo.root),
                session.contents(&directory),
            )?;
            found.extend(check::remote(&facts, &remote));
        }
        let found = found.into_iter().filter(|finding| self.is_about(finding.profile));
        Ok(found.filter_map(|finding| levels.apply(finding)).collect())
    }

    /// Asks uv about all lockfiles at once: whether they are fresh, and what those that are have for each backend.
    fn asked(&self, facts: &Facts<'_>, session: &Session) -> (Verdicts, BTreeMap<Profile, LockedBackends>) {
        let asked = facts
            .profiles
            .iter()
            .filter(|context| self.is_about(Some(context.profile)) && context.readable_lockfile().is_some());
        // The threads share what is found.
        let _ = session.uv_with(Fetch::Never);
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = asked
                .map(|context| {
                    let session = session.for_thread();
                    scope.spawn(move || {
                        let verdict = self.verdict(context, &session);
                        let is_fresh = verdict == LockVerdict::Fresh;
                        (context.profile, verdict, if is_fresh { locked(context, &session) } else { None })
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let (mut verdicts, mut backends) = (BTreeMap::new(), BTreeMap::new());
        for (profile, verdict, locked) in answers {
            backends.extend(locked.map(|locked| (profile, locked)));
            verdicts.insert(profile, verdict);
        }
        (verdicts, backends)
    }

    /// Asks uv without the network first and, with `--remote`, again with the network if uv cannot tell. A lockfile with
    /// which an environment is in sync is known to be fresh.
    fn verdict(&self, context: &ProfileContext<'_>, session: &Session) -> LockVerdict {
        if is_known_fresh(session, context) {
            return LockVerdict::Fresh;
        }
        match (session.offline_verdict(context), session.uv_with(Fetch::Never)) {
            (LockVerdict::Unknown(_), Ok(uv)) if self.remote => {
                session.lock_verdict(uv, &context.paths.directory, false)
            }
            (verdict, _) => verdict,
        }
    }

    /// Whether `profile` is part of the request. Findings that are not about a single profile always are.
    fn is_about(&self, profile: Option<Profile>) -> bool {
        self.profiles.is_empty() || profile.is_none_or(|profile| self.profiles.contains(&profile))
    }

    fn report(&self, monorepo: &Monorepo, findings: &[Finding]) -> CheckReport {
        let all = monorepo.profiles.iter().map(|paths| paths.profile);
        let profiles = all.filter(|profile| self.is_about(Some(*profile))).collect();
        CheckReport::new(monorepo.root.clone(), profiles, self.remote, findings)
    }
}

/// Asks uv what the lockfile has for each backend; `None` if there are no backends, or if uv cannot tell.
fn locked(context: &ProfileContext<'_>, session: &Session) -> Option<LockedBackends> {
    let backends = context.backends().ok().filter(|backends| !backends.is_empty())?;
    let uv = session.uv_with(Fetch::Never).ok()?;
    let exported = |selector| session.exported(uv, &context.paths.directory, selector);
    let by_backend = backends.iter().map(|backend| Some((backend.clone(), exported(Some(&backend.selector))?)));
    Some(LockedBackends { by_backend: by_backend.collect::<Option<_>>()?, without: exported(None)? })
}

fn reports(findings: &[Finding]) -> Vec<FindingReport> {
    findings.iter().map(FindingReport::new).collect()
}
