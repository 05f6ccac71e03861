//! `verify`.

use uvenv_core::{
    ops::{BackendRequest, VerifyRequest},
    report::Message,
};

use super::Context;
use crate::{cli::Verify, exit_code, output::Output};

impl Context<'_> {
    pub(super) fn verify(&self, args: Verify, output: &mut Output) -> uvenv_core::Result<u8> {
        let (monorepo, profile) = self.profile(&args.environment.profile)?;
        let backend = BackendRequest::keeping(args.environment.backend);
        let vendored = args.vendored.as_deref().map(|path| self.path(path)).transpose()?;
        let report = VerifyRequest { backend, fast: args.fast, vendored }.verify(&monorepo, &self.session, profile);
        self.warn_of_session(output);
        let report = report?;
        let status = if report.differences.is_empty() { exit_code::SUCCESS } else { exit_code::FAILURE };
        output.message(&Message::VerifyFinished(report));
        Ok(status)
    }
}
