//! `lock` and `sync`, for one profile, which uses the terminal, or for several profiles at the same time.

use std::{borrow::Cow, collections::BTreeSet, sync::mpsc, thread};

use uvenv_core::{
    Error, Monorepo, Profile,
    error::Diagnostic,
    ops::{self, LockPlan, LockRequest, ProfileRequest, Session, SyncPlan, SyncRequest},
    report::Message,
};

use super::Context;
use crate::{
    cli::{self, SomeProfiles},
    exit_code,
    output::Output,
    status_of,
    usage::UsageError,
};

/// A profile that was named, or several profiles of a monorepo.
enum Chosen {
    One(ProfileRequest),
    Several(Box<Monorepo>, Vec<Profile>),
}

type Warning = Box<dyn Diagnostic + Send>;

/// Receives the warnings before and after an operation.
type Warned<'a> = dyn FnMut(Warning) + 'a;

/// The operation for a profile.
type Work<'a> = dyn Fn(&Session, &Task<'_>, &mut Warned<'_>) -> Result<Message, Error> + Sync + 'a;

/// The profile to process, and its monorepo if that has already been read.
struct Task<'a> {
    target: ProfileRequest,
    monorepo: Option<&'a Monorepo>,
}

impl Task<'_> {
    fn find(&self, session: &Session) -> Result<(Cow<'_, Monorepo>, Profile), Error> {
        if let (Some(monorepo), Some(profile)) = (self.monorepo, self.target.profile) {
            return Ok((Cow::Borrowed(monorepo), profile));
        }
        let (monorepo, profile) = self.target.find(session)?;
        Ok((Cow::Owned(monorepo), profile))
    }
}

impl Context<'_> {
    pub(super) fn lock(&self, args: &cli::Lock, output: &mut Output) -> uvenv_core::Result<u8> {
        let request = LockRequest {
            locked: args.locked,
            upgrade: args.upgrade,
            upgrade_packages: args.upgrade_package.clone(),
            dry_run: args.dry_run,
        };
        let chosen = self.chosen(&args.profiles)?;
        let verb = if request.locked { "Checking" } else { "Locking" };
        self.work(chosen, verb, output, &|session, task, warned| lock(session, task, &request, warned))
    }

    pub(super) fn sync(&self, args: cli::Sync, output: &mut Output) -> uvenv_core::Result<u8> {
        let chosen = self.chosen(&args.profiles)?;
        if let Chosen::Several(monorepo, profiles) = &chosen {
            self.refuse_shared_environment(monorepo, profiles)?;
        }
        let request =
            SyncRequest { dry_run: args.dry_run, uv_args: args.uv_args, ..self.sync_request(args.selection, false)? };
        self.work(chosen, "Syncing", output, &|session, task, warned| sync(session, task, &request, warned))
    }

    fn chosen(&self, args: &SomeProfiles) -> uvenv_core::Result<Chosen> {
        let project = self.project(args.project.as_deref(), args.profile.first().copied())?;
        if let ([] | [_], false) = (args.profile.as_slice(), args.all_profiles) {
            return Ok(Chosen::One(ProfileRequest {
                project,
                profile: args.profile.first().copied(),
                ..self.anywhere()
            }));
        }
        let monorepo = self.monorepo()?;
        let all = monorepo.profiles.iter().map(|paths| paths.profile);
        let mut profiles = if args.all_profiles { all.collect() } else { args.profile.clone() };
        let mut seen = BTreeSet::new();
        profiles.retain(|profile| seen.insert(*profile));
        Ok(match profiles.as_slice() {
            [profile] => Chosen::One(ProfileRequest { profile: Some(*profile), ..self.anywhere() }),
            _ => Chosen::Several(Box::new(monorepo), profiles),
        })
    }

    /// Rejects profiles that share an environment, because each would undo what the other has done.
    fn refuse_shared_environment(&self, monorepo: &Monorepo, profiles: &[Profile]) -> uvenv_core::Result<()> {
        let environment = |profile| {
            let paths = monorepo.profile(profile).ok()?;
            let path = monorepo.environment(paths, None, &self.session.settings.variables);
            let parent = path.parent().and_then(|parent| parent.canonicalize_utf8().ok());
            Some((profile, parent.zip(path.file_name()).map_or(path.clone(), |(parent, name)| parent.join(name))))
        };
        let environments: Vec<_> = profiles.iter().copied().filter_map(environment).collect();
        for (index, (profile, path)) in environments.iter().enumerate() {
            if let Some((other, _)) = environments[index + 1..].iter().find(|(_, other)| other == path) {
                return Err(UsageError::shared_environment([*profile, *other], path).into());
            }
        }
        Ok(())
    }

    fn work(&self, chosen: Chosen, verb: &'static str, output: &mut Output, work: &Work<'_>) -> uvenv_core::Result<u8> {
        match chosen {
            Chosen::One(target) => {
                let task = Task { target, monorepo: None };
                let outcome = outcome(&self.session, &task, work, &mut |warning| output.warning(warning.as_ref()));
                output.message(&outcome?);
                Ok(exit_code::SUCCESS)
            }
            Chosen::Several(monorepo, profiles) => Ok(self.work_on_each(&monorepo, &profiles, verb, output, work)),
        }
    }

    /// Processes all profiles at the same time. If one fails, the others are still processed.
    fn work_on_each(
        &self,
        monorepo: &Monorepo,
        profiles: &[Profile],
        verb: &'static str,
        output: &mut Output,
        work: &Work<'_>,
    ) -> u8 {
        let board = output.board(verb);
        let (sender, ended) = mpsc::channel();
        thread::scope(|scope| {
            for profile in profiles {
                let row = board.row(*profile);
                let target = ProfileRequest { profile: Some(*profile), ..self.anywhere() };
                let task = Task { target, monorepo: Some(monorepo) };
                let session = self.session.beside(row.clone());
                let sender = sender.clone();
                scope.spawn(move || {
                    let mut warnings = Vec::new();
                    let outcome = outcome(&session, &task, work, &mut |warning| warnings.push(warning));
                    // The receiver lives until the end.
                    let _ = sender.send((row, warnings, outcome));
                });
            }
            drop(sender);
            let mut status = exit_code::SUCCESS;
            for (row, warnings, outcome) in ended {
                board.end(&row, outcome.is_err(), || {
                    for warning in warnings {
                        output.warning(warning.as_ref());
                    }
                    match &outcome {
                        Ok(message) => output.message(message),
                        Err(error) => output.error(&**error),
                    }
                });
                status = status.max(outcome.err().map_or(exit_code::SUCCESS, |error| status_of(&*error)));
            }
            status
        })
    }
}

fn outcome(session: &Session, task: &Task<'_>, work: &Work<'_>, warned: &mut Warned<'_>) -> Result<Message, Error> {
    let outcome = work(session, task, warned);
    // Print the warnings of the operation, even if it failed later.
    for warning in session.take_warnings() {
        warned(Box::<dyn Diagnostic + Send + Sync>::from(warning));
    }
    outcome
}

fn lock(session: &Session, task: &Task<'_>, request: &LockRequest, warned: &mut Warned<'_>) -> Result<Message, Error> {
    let (monorepo, profile) = task.find(session)?;
    warn(&monorepo, profile, warned);
    let plan = LockPlan::new(&monorepo, session, profile, request)?;
    plan.execute(session).map(Message::LockFinished)
}

fn sync(session: &Session, task: &Task<'_>, request: &SyncRequest, warned: &mut Warned<'_>) -> Result<Message, Error> {
    if !request.dry_run {
        let on_discovered = |monorepo: &Monorepo, profile| warn(monorepo, profile, warned);
        return request.sync(session, &task.target, on_discovered).map(Message::SyncFinished);
    }
    let (monorepo, profile) = task.find(session)?;
    warn(&monorepo, profile, warned);
    let plan = SyncPlan::new(&monorepo, session, profile, request)?;
    plan.dry_run(session).map(Message::SyncPlanned)
}

fn warn(monorepo: &Monorepo, profile: Profile, warned: &mut Warned<'_>) {
    for warning in ops::warnings(monorepo, profile) {
        warned(Box::new(warning));
    }
}
