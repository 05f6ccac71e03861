//! `check` and `explain`.

use uvenv_core::{
    ops::{CheckRequest, ProfileRequest},
    report::Message,
};

use super::Context;
use crate::{
    cli::{Check, Explain},
    exit_code, explain,
    output::Output,
};

impl Context<'_> {
    pub(super) fn check(&self, args: &Check, output: &mut Output) -> uvenv_core::Result<u8> {
        let named = match args.profile.as_slice() {
            [profile] => Some(*profile),
            _ => None,
        };
        let monorepo = ProfileRequest { profile: named, ..self.anywhere() }.monorepo(&self.session)?;
        let request = CheckRequest {
            profiles: args.profile.clone(),
            remote: args.remote,
            levels: args.levels(),
            fix_mode: args.fix_mode(),
        };
        let report = request.check(&monorepo, &self.session)?;
        let status = if report.errors == 0 { exit_code::SUCCESS } else { exit_code::FAILURE };
        output.message(&Message::CheckFinished(report));
        Ok(status)
    }
}

pub(super) fn explain(args: &Explain, output: &mut Output) -> uvenv_core::Result<()> {
    match &args.code {
        Some(code) => {
            let explanation = explain::explanation(code)?;
            output.message(&Message::Explanation(explanation));
        }
        None => output.explanations(explain::all()),
    }
    Ok(())
}
