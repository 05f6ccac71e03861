//! `check`: reports what in the monorepo is inconsistent, differs between profiles or cannot be installed, and fixes
//! it.

mod fix_plan;

use std::{collections::BTreeMap, panic::resume_unwind, thread};

use self::fix_plan::FixPlan;
pub(super) use self::fix_plan::diff;
use super::{Session, status::is_known_fresh};
use crate::{
    check::{self, CheckError, Facts, Finding, LevelOverride, Levels, Remote},
    fs::cache,
    git::Git,
    model::Profile,
    monorepo::{Monorepo, ProfileContext},
    report::{CheckReport, FindingReport},
    uv::{Fetch, LockVerdict},
};

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
        let verdicts = self.verdicts(&facts, session);
        facts.add_verdicts(verdicts);
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

    /// Asks uv about all lockfiles at once: without the network first and, with `--remote`, again with the network where uv
    /// cannot tell. A lockfile with which an environment is in sync is known to be fresh.
    fn verdicts(&self, facts: &Facts<'_>, session: &Session) -> BTreeMap<Profile, LockVerdict> {
        let asked: Vec<_> = facts
            .profiles
            .iter()
            .filter(|context| self.is_about(Some(context.profile)) && context.readable_lockfile().is_some())
            .collect();
        // The threads share what is found.
        let _ = session.uv_with(Fetch::Never);
        let verdict = |session: &Session, context: &ProfileContext<'_>| match session.uv_with(Fetch::Never) {
            _ if is_known_fresh(session, context) => LockVerdict::Fresh,
            Ok(uv) => match session.lock_verdict(uv, &context.paths.directory, true) {
                LockVerdict::Unknown(_) if self.remote => session.lock_verdict(uv, &context.paths.directory, false),
                verdict => verdict,
            },
            Err(error) => LockVerdict::Unknown(error.to_string()),
        };
        thread::scope(|scope| {
            let threads: Vec<_> = asked
                .iter()
                .map(|context| {
                    let session = session.for_thread();
                    scope.spawn(move || (context.profile, verdict(&session, context)))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
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

fn reports(findings: &[Finding]) -> Vec<FindingReport> {
    findings.iter().map(FindingReport::new).collect()
}
