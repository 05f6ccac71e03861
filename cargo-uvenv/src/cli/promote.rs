//! `promote`.

use clap::{Args, builder::NonEmptyStringValueParser};
use uvenv_core::{
    Profile,
    ops::{PackageRequest, PromoteRequest},
};

/// Pin newer releases of internal packages in staging or prod
///
/// Picks the newest matching tag of each package (dev-releases for staging, stable releases for prod), locks the
/// profile with these tags and checks it. If any step fails, the manifest and the lockfile are left as they were.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv promote --to staging --dry-run             show newer releases
  cargo uvenv promote --to staging bench-utils
  cargo uvenv promote --to prod --exact --commit         the stable releases of what staging has
  cargo uvenv promote --to prod --branch                 on a branch of its own, as for a pull request
  cargo uvenv promote --to prod bench-utils=v0.1.2       a given tag, even if it is older")]
pub(crate) struct Promote {
    /// The profile: staging or prod
    #[arg(long, value_name = "PROFILE", value_parser = super::profiles())]
    to: Profile,
    /// Packages to promote, to their newest matching tag or to TAG; defaults to all packages
    #[arg(value_name = "PKG[=TAG]")]
    packages: Vec<PackageRequest>,
    /// Allow pre-releases
    #[arg(long, conflicts_with = "exact")]
    pre: bool,
    /// Use the stable releases of what staging has, instead of the newest
    #[arg(long)]
    exact: bool,
    /// Use the tags of the checkouts that dev uses; the remotes must have them too
    #[arg(long)]
    from_local: bool,
    /// Show what would be pinned without writing anything
    #[arg(long)]
    dry_run: bool,
    /// Commit the manifest and the lockfile to git; nothing else may be staged
    #[arg(long, conflicts_with = "dry_run")]
    commit: bool,
    /// Commit to the branch NAME instead of changing the files; NAME is `uvenv/promote-to-PROFILE` if it is left out
    #[expect(clippy::option_option, reason = "not given, given, and given with a name")]
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        require_equals = true,
        value_parser = NonEmptyStringValueParser::new(),
        conflicts_with_all = ["commit", "dry_run"]
    )]
    branch: Option<Option<String>>,
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
            branch: self.branch.clone().map(Option::unwrap_or_default),
        }
    }
}
