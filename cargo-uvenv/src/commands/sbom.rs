//! `sbom`.

use uvenv_core::{
    ops::{BackendRequest, SbomRequest},
    report::Message,
};

use super::Context;
use crate::{cli::Sbom, output::Output};

impl Context<'_> {
    pub(super) fn sbom(&self, args: Sbom, output: &mut Output) -> uvenv_core::Result<()> {
        let (monorepo, profile) = self.profile(&args.environment.profile)?;
        let backend = BackendRequest::keeping(args.environment.backend);
        let vendored = args.vendored.as_deref().map(|path| self.path(path)).transpose()?;
        let file = args.output.as_deref().map(|path| self.path(path)).transpose()?;
        let report = SbomRequest { backend, vendored, output: file }.describe(&monorepo, &self.session, profile);
        self.warn_of_session(output);
        output.message(&Message::SbomFinished(report?));
        Ok(())
    }
}
