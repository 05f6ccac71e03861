//! `promote`.

use clap::Args;
use uvenv_core::{
    Profile,
    ops::{PackageRequest, PromoteRequest},
};

/// Pin newer releases of internal packages in staging or prod
///
/// Takes the newest tag of each package that fits the profile, dev-releases for staging and stable releases for prod,
/// locks the profile with these and checks it. If any of that fails, the manifest and the lockfile are as before.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv promote --to staging --dry-run             what there is
  cargo uvenv promote --to staging bench-utils
  cargo uvenv promote --to prod --exact --commit         what staging has, as stable releases
  cargo uvenv promote --to prod bench-utils=v0.1.2       one tag, be it an older one")]
pub(crate) struct Promote {
    /// The profile: staging or prod
    #[arg(long, value_name = "PROFILE", value_parser = super::profiles())]
    to: Profile,
    /// A package, with the newest tag that fits or with this one; can be given several times; else all
    #[arg(value_name = "PKG[=TAG]")]
    packages: Vec<PackageRequest>,
    /// Take pre-releases too
    #[arg(long, conflicts_with = "exact")]
    pre: bool,
    /// Take the stable releases of what staging has, in place of the newest
    #[arg(long)]
    exact: bool,
    /// Take the tags of the checkouts that dev uses; the remotes must have them too
    #[arg(long)]
    from_local: bool,
    /// Show what would be pinned, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Commit the manifest and the lockfile to git; nothing else may be staged
    #[arg(long, conflicts_with = "dry_run")]
    commit: bool,
}

impl Promote {
    pub(crate) fn request(&self) -> PromoteRequest {
        PromoteRequest {
            profile: self.to,
            packages: self.packages.clone(),
            pre: self.pre,
            exact: self.exact,
            from_local: self.from_local,
            dry_run: self.dry_run,
            commit: self.commit,
        }
    }
}
