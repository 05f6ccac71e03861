//! `lock`: creates, updates or checks the lockfile of a profile.

use std::time::Instant;

use super::{OperationError, Session, milliseconds, uv_failed};
use crate::{
    lockfile::{Lockfile, LockfileError},
    model::Profile,
    monorepo::{Monorepo, ProfileContext},
    process::{Invocation, Stderr},
    report::{LockReport, LockedChange},
    uv::{
        LockCommand, LockVerdict, Uv,
        variables::{is_frozen, is_locked},
    },
};

/// What to lock, and how.
#[derive(Clone, Debug, Default)]
pub struct LockRequest {
    /// Whether to only check that the lockfile satisfies the manifest.
    pub locked: bool,
    /// Whether to upgrade all packages to their newest versions.
    pub upgrade: bool,
    /// The packages to upgrade to their newest versions, with or without a specifier.
    pub upgrade_packages: Vec<String>,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// A lock that is ready to be executed.
#[derive(Debug)]
pub struct LockPlan<'m> {
    context: ProfileContext<'m>,
    request: LockRequest,
    uv: Uv,
    invocation: Invocation,
}

impl<'m> LockPlan<'m> {
    /// Plans to lock `profile`.
    pub fn new(
        monorepo: &'m Monorepo,
        session: &Session,
        profile: Profile,
        request: &LockRequest,
    ) -> crate::Result<Self> {
        #[cfg(feature = "full")]
        super::promote::recover(monorepo.profile(profile)?, &session.settings.variables, session.settings.observer())?;
        let variables = &session.settings.variables;
        let request = LockRequest { locked: request.locked || is_locked(variables), ..request.clone() };
        if is_frozen(variables) && !request.locked {
            let purpose = "uses the lockfile without updating or checking it";
            return Err(OperationError::UnsupportedVariable { name: "UV_FROZEN", purpose, command: "lock" }.into());
        }
        let context = monorepo.context(profile)?;
        // If the lockfile cannot be read, uv would ignore it and lock from scratch, and the locked versions would be
        // lost.
        if context.lockfile()?.is_none() && request.locked {
            return Err(OperationError::no_lockfile(&context).into());
        }
        let uv = session.uv()?.clone();
        let command = LockCommand {
            project: context.paths.directory.clone(),
            check: request.locked,
            upgrade: request.upgrade,
            upgrade_packages: request.upgrade_packages.clone(),
            dry_run: request.dry_run,
            offline: session.settings.offline,
        };
        let invocation = command.invocation(&uv, &session.settings.appearance);
        Ok(Self { context, request, uv, invocation })
    }

    /// Executes the plan.
    pub fn execute(&self, session: &Session) -> crate::Result<LockReport> {
        let start = Instant::now();
        let (context, request) = (&self.context, &self.request);
        // A check has a single line of output, which uvenv prints itself.
        let stderr =
            if request.locked { Stderr::Capture } else { session.settings.stderr(&[&context.manifest.file.text]) };
        let streamed = session.stream(&self.invocation, stderr)?;
        if !streamed.status.success() {
            // uv decides; the files show the reasons.
            let verdict = match LockVerdict::of(&streamed, session.settings.offline) {
                verdict @ LockVerdict::Stale(_) => verdict,
                _ if request.locked => {
                    session.lock_verdict(&self.uv, &context.paths.directory, session.settings.offline)
                }
                verdict => verdict,
            };
            match verdict {
                LockVerdict::Damaged(why) => return Err(LockfileError::damaged(&context.paths.lockfile(), why).into()),
                LockVerdict::Stale(_) if request.locked => {
                    return Err(OperationError::stale(context, session, &self.uv)?.into());
                }
                _ => {}
            }
            #[cfg(feature = "full")]
            super::lock_failure::explain(session, &context.manifest, context.freshness()?)?;
            return Err(uv_failed(&self.invocation, &streamed, stderr).into());
        }
        let path = context.paths.lockfile();
        let (before, after) = (context.lockfile()?, Lockfile::read(&path)?);
        let text = |lockfile: Option<&Lockfile>| lockfile.map(|lockfile| lockfile.file.text.clone());
        Ok(LockReport {
            profile: context.profile,
            changed: text(before) != text(after.as_ref()),
            dry_run: request.dry_run,
            packages: LockedChange::between(before, after.as_ref()),
            lockfile: path,
            uv: (&self.uv).into(),
            elapsed_ms: milliseconds(start.elapsed()),
        })
    }
}
