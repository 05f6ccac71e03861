//! `verify`.

use uvenv_core::{
    ops::{BackendRequest, VerifyRequest},
    report::Message,
};

use super::Context;
use crate::{DONE, FOUND, Failure, cli::Verify, failure, output::Output};

impl Context<'_> {
    pub(super) fn verify(&self, args: Verify, output: &mut Output) -> Result<u8, Failure> {
        let (monorepo, profile) = self.profile(&args.profile)?;
        let backend = BackendRequest { choice: args.backend, keep: true, ..BackendRequest::default() };
        let vendored = args.vendored.as_deref().map(|directory| self.path(directory)).transpose()?;
        let report = VerifyRequest { backend, vendored }.verify(&monorepo, &self.session, profile).map_err(failure)?;
        let status = if report.findings.is_empty() { DONE } else { FOUND };
        output.message(&Message::VerifyFinished(report));
        Ok(status)
    }
}
