//! `promote` and `diff`.

use uvenv_core::{
    ops::{self, DiffSide, PromotePlan},
    report::Message,
};

use super::Context;
use crate::{
    Failure,
    cli::{Diff, Promote},
    failure,
    output::Output,
};

impl Context<'_> {
    pub(super) fn promote(&self, args: &Promote, output: &mut Output) -> Result<(), Failure> {
        let monorepo = self.monorepo()?;
        let request = args.request();
        let plan = PromotePlan::new(&monorepo, &self.session, &request).map_err(failure)?;
        let report = if request.dry_run { plan.dry_run() } else { plan.execute(&self.session).map_err(failure)? };
        output.message(&Message::PromoteFinished(report));
        Ok(())
    }

    pub(super) fn diff(&self, args: &Diff, output: &mut Output) -> Result<(), Failure> {
        let (from, to) = DiffSide::pair(&args.from, args.to.as_deref()).map_err(failure)?;
        let monorepo = self.monorepo()?;
        let report = ops::diff(&monorepo, &self.session, &from, &to).map_err(failure)?;
        output.message(&Message::DiffFinished(report));
        Ok(())
    }
}
