//! `vendor`.

use uvenv_core::{
    ops::{LockMode, SyncRequest, VendorRequest},
    report::Message,
};

use super::{Context, backend_request, warn};
use crate::{Failure, cli::Vendor, failure, output::Output};

impl Context<'_> {
    pub(super) fn vendor(&self, args: Vendor, output: &mut Output) -> Result<(), Failure> {
        let (monorepo, profile) = self.profile(&args.profile)?;
        warn(&monorepo, profile, output);
        let board = output.board("Vendoring");
        let row = board.row(profile);
        let session = self.session.beside(row.clone());
        let directory = args.output.as_deref().map(|directory| self.path(directory)).transpose()?;
        let request = VendorRequest {
            sync: SyncRequest {
                extras: args.extra,
                groups: args.group,
                no_default_groups: args.no_default_groups,
                lock: LockMode::new(args.frozen, args.locked, args.allow_stale, &self.session.variables),
                backend: backend_request(args.backend, false),
                ..SyncRequest::default()
            },
            pythons: args.python,
            platforms: args.platform,
            directory,
            with_uv: args.with_uv,
        };
        let plan = request.plan(&monorepo, &session, profile);
        let report = plan.and_then(|plan| plan.execute(&session)).map_err(failure);
        board.end(&row, report.is_err(), || ());
        output.message(&Message::VendorFinished(report?));
        Ok(())
    }
}
