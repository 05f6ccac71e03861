//! `promote` and `diff`.

use uvenv_core::{
    ops::{self, DiffSide, PromotePlan},
    report::Message,
};

use super::Context;
use crate::{
    cli::{Diff, Promote},
    output::Output,
};

impl Context<'_> {
    pub(super) fn promote(&self, args: &Promote, output: &mut Output) -> uvenv_core::Result<()> {
        let monorepo = self.monorepo()?;
        let request = args.request();
        let plan = PromotePlan::new(&monorepo, &self.session, &request)?;
        let report = if request.dry_run { plan.dry_run() } else { plan.execute(&self.session)? };
        output.message(&Message::PromoteFinished(report));
        Ok(())
    }

    pub(super) fn diff(&self, args: &Diff, output: &mut Output) -> uvenv_core::Result<()> {
        let (from, to) = DiffSide::pair(&args.from, args.to.as_deref())?;
        let monorepo = self.monorepo()?;
        let report = ops::diff(&monorepo, &self.session, &from, &to)?;
        output.message(&Message::DiffFinished(report));
        Ok(())
    }
}
