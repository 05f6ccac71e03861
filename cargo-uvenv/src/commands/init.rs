//! `init` and `add-package`.

use uvenv_core::{
    ops::{AddPackagePlan, InitPlan},
    report::Message,
};

use super::{Context, utf8};
use crate::{
    cli::{AddPackage, Init},
    output::Output,
};

impl Context<'_> {
    pub(super) fn init(&self, args: &Init, output: &mut Output) -> uvenv_core::Result<()> {
        let report =
            InitPlan::new(&self.monorepo()?, &self.session, args.common.git.as_deref())?.execute(&self.session)?;
        output.message(&Message::InitFinished(report));
        Ok(())
    }

    pub(super) fn add_package(&self, args: &AddPackage, output: &mut Output) -> uvenv_core::Result<()> {
        let path = self.session.settings.directory.join(utf8(&args.path)?);
        let monorepo = self.monorepo()?;
        let report = AddPackagePlan::new(&monorepo, &path, args.common.git.as_deref())?.execute(&self.session)?;
        output.message(&Message::PackageAdded(report));
        Ok(())
    }
}
