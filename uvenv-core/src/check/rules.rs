//! The rules, one per module.

mod accelerator_without_backend;
mod backend_mismatch;
mod backend_without_cuda;
mod broken_submodule;
mod dev_tag_in_prod;
mod internal_package_from_index;
mod locked_backend_mismatch;
mod lockfile_from_working_tree;
mod missing_cache_keys;
mod missing_internal_package;
mod missing_lockfile;
mod missing_member;
mod missing_tag;
mod moved_tag;
mod profile_drift;
mod python_mismatch;
mod rejected_by_uv;
mod settings_from_parent;
mod source_not_a_member;
mod stable_tag_in_staging;
mod staging_behind_prod;
mod stale_lockfile;
mod stray_lockfile;
pub(super) mod tag_keeps_workspace_sources;
mod tag_not_a_version;
mod tag_prefix;
mod undefined_conflict;
pub(super) mod unmatched_member_pattern;
mod unpinned_internal_package;
mod unsigned_tag;
mod untrusted_signer;
mod unused_index;
pub(super) mod unused_source;
mod unverified_lockfile;
mod version_tag_mismatch;

use super::Rule;

/// All rules, in the order in which their findings are reported.
pub(super) const ALL: &[Rule] = &[
    unpinned_internal_package::RULE,
    stable_tag_in_staging::RULE,
    dev_tag_in_prod::RULE,
    tag_not_a_version::RULE,
    missing_internal_package::RULE,
    unused_source::RULE,
    stale_lockfile::RULE,
    unverified_lockfile::RULE,
    rejected_by_uv::RULE,
    missing_lockfile::RULE,
    internal_package_from_index::RULE,
    version_tag_mismatch::RULE,
    tag_prefix::RULE,
    lockfile_from_working_tree::RULE,
    staging_behind_prod::RULE,
    missing_member::RULE,
    source_not_a_member::RULE,
    broken_submodule::RULE,
    unmatched_member_pattern::RULE,
    backend_mismatch::RULE,
    locked_backend_mismatch::RULE,
    backend_without_cuda::RULE,
    accelerator_without_backend::RULE,
    python_mismatch::RULE,
    profile_drift::RULE,
    undefined_conflict::RULE,
    unused_index::RULE,
    settings_from_parent::RULE,
    stray_lockfile::RULE,
    missing_cache_keys::RULE,
    missing_tag::RULE,
    moved_tag::RULE,
    unsigned_tag::RULE,
    untrusted_signer::RULE,
    tag_keeps_workspace_sources::RULE,
];
