//! What uv exports for a selection, and what interpreters install of it.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Session, Settings, uv_failed};
use crate::{
    monorepo::ProfileContext,
    process::{Invocation, Stderr},
    uv::{ExportPylockCommand, Uv},
    vendor::{Pylock, Selected, Target, VendorContext, VendorError, select},
};

/// A lock that uv has exported.
pub(super) struct ExportedLock {
    /// Where it was. Paths in it are relative to that.
    pub(super) path: Utf8PathBuf,
    pub(super) pylock: Pylock,
    /// What each target selects.
    pub(super) selected: Vec<Selected>,
}

impl ExportedLock {
    /// Exports what the lockfile has for `flags`, to `directory` for a moment: its URLs can have credentials.
    pub(super) fn of(
        context: &ProfileContext<'_>,
        session: &Session,
        vendor: &VendorContext<'_>,
        flags: Vec<String>,
        (targets, directory): (&[Target], &Utf8Path),
    ) -> crate::Result<Self> {
        let output = directory.join("pylock.toml");
        let export = ExportPylockCommand {
            project: context.paths.directory.clone(),
            selection: flags,
            output: output.clone(),
            offline: vendor.offline,
        };
        let invocation = export.invocation(vendor.uv);
        let streamed = session.stream(&invocation, Stderr::Capture)?;
        if !streamed.status.success() {
            return Err(uv_failed(&invocation, &streamed, Stderr::Capture).into());
        }
        let text = std::fs::read_to_string(&output).map_err(VendorError::io(&output))?;
        let selected: crate::Result<_> = targets.iter().map(|target| select(vendor, target, &output)).collect();
        let _ = std::fs::remove_file(&output);
        let pylock = Pylock::parse(&text).map_err(VendorError::io(&output))?;
        Ok(Self { path: output, pylock, selected: selected? })
    }
}

/// Returns what the steps of a vendoring need, and others that use its tools.
pub(super) fn vendor_context<'a>(
    context: &'a ProfileContext<'_>,
    settings: &'a Settings,
    uv: &'a Uv,
    child: &'a (dyn Fn(Invocation) -> Invocation + Sync),
) -> VendorContext<'a> {
    VendorContext {
        uv,
        project: &context.paths.directory,
        root: &context.monorepo.root,
        variables: &settings.variables,
        observer: settings.observer(),
        offline: settings.offline,
        child,
    }
}
