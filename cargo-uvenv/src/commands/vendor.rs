//! `vendor`.

use std::io::{IsTerminal as _, stderr};

use uvenv_core::{ops::VendorRequest, report::Message};

use super::Context;
use crate::{cli::Vendor, output::Output};

impl Context<'_> {
    pub(super) fn vendor(&self, args: Vendor, output: &mut Output) -> uvenv_core::Result<()> {
        let (monorepo, profile) = self.profile(&args.profile)?;
        let request = VendorRequest {
            backends: args.backend,
            pythons: args.python,
            platforms: args.platform,
            with_uv: args.with_uv,
            with_build_requirements: args.with_build_requirements,
            output: self.path(&args.output)?,
        };
        // uv draws nothing here: most of the time passes with pip and with builds.
        let report = if stderr().is_terminal() && !output.is_json() {
            let board = output.board("Vendoring");
            let row = board.row(profile);
            let report = request.vendor(&monorepo, &self.session.beside(row.clone()), profile);
            board.end(&row, report.is_err(), || ());
            report
        } else {
            request.vendor(&monorepo, &self.session, profile)
        };
        self.warn_of_session(output);
        output.message(&Message::VendorFinished(report?));
        Ok(())
    }
}
