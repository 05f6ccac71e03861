//! `check`: what in the monorepo contradicts itself, drifts apart or will not install, and mending it.

mod fix_plan;

use self::fix_plan::FixPlan;
pub(super) use self::fix_plan::diff;
use super::Session;
use crate::{
    check::{self, CheckError, Facts, Finding, LevelOverride, Levels, Remote},
    git::Git,
    model::Profile,
    monorepo::Monorepo,
    report::{CheckReport, FindingReport},
};

/// What a check is asked to do.
#[derive(Clone, Debug, Default)]
pub struct CheckRequest {
    /// The profiles to look at; all where there is none.
    pub profiles: Vec<Profile>,
    /// Whether git remotes are asked.
    pub remote: bool,
    /// Levels of findings; stronger than the configuration's.
    pub levels: Vec<LevelOverride>,
    /// What becomes of findings that have one right answer.
    pub fix_mode: FixMode,
}

/// What becomes of findings that have one right answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FixMode {
    /// They are told.
    #[default]
    No,
    /// It is shown how they would be mended.
    DryRun,
    /// They are mended.
    Write,
}

impl CheckRequest {
    /// Looks at the profiles, and mends what is to be mended.
    pub fn check(&self, monorepo: &Monorepo, session: &Session) -> crate::Result<CheckReport> {
        for profile in &self.profiles {
            monorepo.profile(*profile)?;
        }
        let levels = Levels::new(&monorepo.config, &self.levels)?;
        if self.remote && session.offline {
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
        let facts = Facts::read(monorepo, &session.variables);
        let mut found = check::offline(&facts);
        if self.remote {
            let cache = crate::fs::cache::directory(&session.variables)?;
            let remote = Remote::ask(&facts, &Git::find(&session.variables)?, &cache, session.observer())?;
            found.extend(check::remote(&facts, &remote));
        }
        let found = found.into_iter().filter(|finding| self.is_about(finding.profile));
        Ok(found.filter_map(|finding| levels.apply(finding)).collect())
    }

    /// Whether `profile` was asked for. What is about no one profile always was.
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
