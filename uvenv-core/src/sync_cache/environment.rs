//! What uv reads in an environment: its interpreter, and the list of installed distributions.

use std::{fs, time::SystemTime};

use camino::Utf8Path;

use super::{
    fingerprint::{Fingerprint, FingerprintKind, UV_READS},
    fingerprints::{Fingerprints, MIN_LEN, PreviousFingerprints},
    watch_list::{Uncacheable, WatchList},
};
use crate::{
    environment::{Distribution, Distributions, Environment, Source},
    fs::parallel,
    lockfile::Package,
    manifest,
    uv::cache_keys,
};

/// Takes fingerprints of what uv reads in `environment`, which contains `installed`.
pub(super) fn fingerprints(
    environment: &Environment,
    installed: &Distributions,
    previous: &PreviousFingerprints<'_>,
) -> Result<Fingerprints, Uncacheable> {
    let mut watch_list = WatchList::default();
    let root = environment.root();
    watch_list.add(FingerprintKind::Link, root);
    watch_list.add(FingerprintKind::Identity, root);
    watch_list.content(root.join("pyvenv.cfg"));
    for name in ["python", "python3"] {
        let path = environment.scripts().join(name);
        watch_list.add(FingerprintKind::Link, &path);
        watch_list.stamp(path);
    }
    let site_packages = environment.site_packages().ok_or("the environment has no site-packages directory")?;
    check_names(&site_packages, installed)?;
    watch_list.add(FingerprintKind::Distributions, &site_packages);
    let now = SystemTime::now();
    let mut fingerprints = Fingerprints::at(watch_list, previous, now);
    let mut distributions: Vec<_> = installed.iter().collect();
    let parts = parallel::par_chunks(&mut distributions, MIN_LEN / 16, |distributions| {
        let mut fingerprints = Fingerprints::default();
        for distribution in distributions {
            of_distribution(&mut fingerprints, distribution, previous, now);
        }
        fingerprints
    });
    for part in &parts {
        fingerprints.extend(part);
    }
    Ok(fingerprints)
}

/// Takes fingerprints of the files of `distribution` that uv reads, and of its directory, where more of them may
/// appear.
fn of_distribution(
    fingerprints: &mut Fingerprints,
    distribution: &Distribution,
    previous: &PreviousFingerprints<'_>,
    now: SystemTime,
) {
    let folder = distribution.folder();
    // Not of their times: the files may be links to uv's cache, so their times change with each installation elsewhere.
    let fingerprint = |name: &str| previous.fingerprint(folder.join(name).into_string(), FingerprintKind::Content, now);
    // A distribution from an index has few of these files.
    if distribution.source != Source::Registry {
        let files = UV_READS.map(fingerprint);
        if files.iter().all(Fingerprint::exists) {
            return files.iter().for_each(|file| fingerprints.push(file));
        }
    }
    let known = previous.fingerprint(folder.as_str(), FingerprintKind::Read, now);
    fingerprints.push(&known);
    known.names().for_each(|name| fingerprints.push(&fingerprint(name)));
}

/// Refuses a distribution that was just installed from a directory and that uv would install again: its build changed
/// its own sources, or uv tracks more of it than its default cache keys.
pub(super) fn check_at_rest(distribution: &Distribution, locked: &[Package]) -> Result<(), Uncacheable> {
    if distribution.source != Source::Registry {
        check_wheel(distribution, locked)?;
    }
    let directory = match &distribution.source {
        Source::Registry | Source::Git { .. } => return Ok(()),
        Source::Editable { path } | Source::Directory { path } => path,
        _ => return Err(format!("`{}` comes from an archive", distribution.name)),
    };
    let manifest = fs::read_to_string(directory.join(manifest::FILE_NAME)).unwrap_or_default();
    let known = fs::read(distribution.folder().join("uv_cache.json")).ok();
    let known = known.and_then(|known| serde_json::from_slice::<serde_json::Value>(&known).ok());
    if manifest.contains(cache_keys::SETTING) || known != Some(cache_keys::default_as_recorded(directory)) {
        return Err(format!("`{}` was just built and may have to be rebuilt", distribution.name));
    }
    Ok(())
}

/// Refuses a distribution that was just built and that uv would build again: its version is not the locked one, or it may
/// not be for this Python.
fn check_wheel(distribution: &Distribution, locked: &[Package]) -> Result<(), Uncacheable> {
    let Distribution { name, version, .. } = distribution;
    let mut locked = locked.iter().filter(|package| package.name == *name);
    if locked.any(|package| package.version.as_ref().is_some_and(|locked| locked != version)) {
        return Err(format!("`{name}` was built with another version than the locked one"));
    }
    let wheel = fs::read_to_string(distribution.folder().join("WHEEL")).unwrap_or_default();
    let mut tags = wheel.lines().filter_map(|line| line.strip_prefix("Tag:"));
    if tags.any(|tag| tag.trim().ends_with("-none-any")) {
        Ok(())
    } else {
        Err(format!("`{name}` was built for one Python"))
    }
}

/// Refuses entries that uv considers installed or damaged, but uvenv does not.
fn check_names(site_packages: &Utf8Path, installed: &Distributions) -> Result<(), Uncacheable> {
    let entries = site_packages.read_dir_utf8().map_err(|error| error.to_string())?;
    let names = entries.flatten().map(|entry| entry.file_name().to_owned());
    let known = names.filter(|name| [".dist-info", ".egg-info", ".egg-link"].iter().any(|end| name.ends_with(end)));
    let count = known.count();
    let installed: Vec<_> = installed.iter().map(|distribution| &distribution.name).collect();
    match installed.windows(2).find(|names| names[0] == names[1]) {
        Some(names) => Err(format!("`{}` is installed twice", names[0])),
        None if count != installed.len() => {
            Err(format!("`{site_packages}` contains packages that are not plain distributions"))
        }
        None => Ok(()),
    }
}
