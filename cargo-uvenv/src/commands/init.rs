//! `init` and `add-package`.

use uvenv_core::{ops, report::Message};

use super::{Context, utf8};
use crate::{
    Failure,
    cli::{AddPackage, Init},
    failure,
    output::Output,
};

impl Context<'_> {
    pub(super) fn init(&self, args: &Init, output: &mut Output) -> Result<(), Failure> {
        let report = ops::init(&self.monorepo()?, &self.session, args.common.git.as_deref()).map_err(failure)?;
        output.message(&Message::InitFinished(report));
        Ok(())
    }

    pub(super) fn add_package(&self, args: &AddPackage, output: &mut Output) -> Result<(), Failure> {
        let path = self.session.settings.directory.join(utf8(&args.path)?);
        let monorepo = self.monorepo()?;
        let report = ops::add_package(&monorepo, &self.session, &path, args.common.git.as_deref()).map_err(failure)?;
        output.message(&Message::PackageAdded(report));
        Ok(())
    }
}
