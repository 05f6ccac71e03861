//! `check` and `explain`.

use uvenv_core::{ops::CheckRequest, report::Message};

use super::Context;
use crate::{
    DONE, FOUND, Failure,
    cli::{Check, Explain},
    explain, failure,
    output::Output,
};

impl Context<'_> {
    pub(super) fn check(&self, args: &Check, output: &mut Output) -> Result<u8, Failure> {
        let monorepo = self.monorepo()?;
        let request = CheckRequest {
            profiles: args.profile.clone(),
            remote: args.remote,
            levels: args.levels(),
            fixing: args.fixing(),
        };
        let report = request.check(&monorepo, &self.session).map_err(failure)?;
        let status = if report.errors == 0 { DONE } else { FOUND };
        output.message(&Message::CheckFinished(report));
        Ok(status)
    }
}

pub(super) fn explain(args: &Explain, output: &mut Output) -> Result<(), Failure> {
    match &args.code {
        Some(code) => {
            let explanation = explain::explanation(code).map_err(|error| Box::new(error) as Failure)?;
            output.message(&Message::Explanation(explanation));
        }
        None => output.explanations(explain::all()),
    }
    Ok(())
}
