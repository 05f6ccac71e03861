//! `bundle`, and what is done in one.

use std::{ffi::OsString, path::Path};

use uvenv_core::{
    ops::{BackendRequest, BundleRequest, open_bundle},
    report::Message,
};

use super::Context;
use crate::{
    cli::{Bundle, OpenBundle},
    output::Output,
};

impl Context<'_> {
    pub(super) fn bundle(&self, args: Bundle, output: &mut Output) -> uvenv_core::Result<()> {
        let own = self.program.launcher.first().map_or(Path::new("cargo-uvenv"), Path::new);
        let launcher = args.launcher.as_deref().unwrap_or(own);
        let request = BundleRequest {
            backend: BackendRequest { choice: args.environment.backend, ..BackendRequest::default() },
            vendored: args.environment.vendored.as_deref().map(|path| self.path(path)).transpose()?,
            launcher: self.path(launcher)?,
            output: self.path(&args.output)?,
        };
        let report = request.make(&self.session, &self.target(&args.environment.profile)?)?;
        output.message(&Message::BundleFinished(report));
        Ok(())
    }

    /// Unpacks a bundle, and returns the command line that does in it what was asked.
    pub(crate) fn open_bundle(&self, args: &OpenBundle) -> uvenv_core::Result<Vec<OsString>> {
        open_bundle(&self.session, &self.path(&args.bundle)?, &args.words)
    }
}
