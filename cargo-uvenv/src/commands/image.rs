//! `image`.

use uvenv_core::{
    ops::{BackendRequest, ImageOptions, ImageRequest},
    report::Message,
};

use super::{Context, utf8};
use crate::{cli::Image, output::Output};

impl Context<'_> {
    pub(super) fn image(&self, args: Image, output: &mut Output) -> uvenv_core::Result<()> {
        let request = ImageRequest {
            backend: BackendRequest { choice: args.environment.backend, ..BackendRequest::default() },
            vendored: args.environment.vendored.as_deref().map(|path| self.path(path)).transpose()?,
            base: args.base,
            python: args.python,
            options: ImageOptions { workdir: utf8(&args.workdir)?, user: args.user, entrypoint: args.entrypoint },
            compression: args.compression,
            name: args.tag,
            output: args.output.as_deref().map(|path| self.path(path)).transpose()?,
            push: args.push,
        };
        let report = request.make(&self.session, &self.target(&args.environment.profile)?);
        self.warn_of_session(output);
        output.message(&Message::ImageFinished(report?));
        Ok(())
    }
}
