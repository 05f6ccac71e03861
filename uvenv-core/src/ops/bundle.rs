//! `bundle`: a vendored profile in one file that installs itself.

use std::{collections::BTreeMap, ffi::OsString, fs, io, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::{
    BackendRequest, ProfileRequest, Session, milliseconds,
    vendored_lock::{VENDORED, named_or_default, selected_lock},
};
use crate::{
    bundle::{Bundle, BundleArchive, BundleError, BundledContent, BundledFile},
    fs::cache::{self, FileLock},
    manifest,
    model::{Name, Profile},
    monorepo::{Config, ProfileContext},
    report::BundleReport,
    vendor::{KnownHashes, Purpose, VendoredLock, VendoredSelection, WHEELS, check_wheel},
};

/// What is done in a bundle, and whether it installs.
const COMMANDS: [(&str, bool); 5] = [("run", true), ("sync", true), ("verify", false), ("sbom", false), ("env", false)];

/// A request for a bundle.
#[derive(Clone, Debug, Default)]
pub struct BundleRequest {
    /// The backend.
    pub backend: BackendRequest,
    /// The vendored directory; by default that of `UVENV_VENDORED`, or else the one that `vendor` writes by default.
    pub vendored: Option<Utf8PathBuf>,
    /// The program that opens the bundle: `cargo-uvenv` for the machines that it is for.
    pub launcher: Utf8PathBuf,
    /// The file to write.
    pub output: Utf8PathBuf,
}

impl BundleRequest {
    /// Makes the bundle of the profile that `target` names.
    pub fn make(&self, session: &Session, target: &ProfileRequest) -> crate::Result<BundleReport> {
        let start = Instant::now();
        let (monorepo, profile) = target.find(session)?;
        let context = monorepo.context(profile)?;
        let directory = named_or_default(self.vendored.as_deref(), session);
        let selection = selected_lock(&directory, &context, (session, &self.backend))?;
        selection.check_files(&KnownHashes::default())?;
        let uv: Vec<_> = selection.locks().filter(|lock| lock.facts.purpose == Purpose::Uv).collect();
        if uv.is_empty() {
            return Err(BundleError::NoUv { directory }.into());
        }
        uv.iter().flat_map(|lock| lock.wheels()).try_for_each(|wheel| check_wheel(&directory, wheel))?;
        let mut files = profile_files(&context)?;
        files.extend(vendored_files(&selection, &uv)?);
        let backend = selection.lock.facts.backend.clone();
        let bundle = Bundle { profile, backend: backend.as_ref(), launcher: &self.launcher, files };
        let (description, size) = bundle.write(&self.output)?;
        Ok(BundleReport {
            profile,
            file: self.output.clone(),
            size,
            digest: format!("sha256:{}", description.digest),
            wheels: selection.lock.wheels().count(),
            pythons: selection.lock.facts.pythons.clone(),
            backend,
            elapsed_ms: milliseconds(start.elapsed()),
        })
    }
}

/// Returns a monorepo that has this profile alone: its manifest and lockfile, and the configuration that matters to it.
fn profile_files(context: &ProfileContext<'_>) -> crate::Result<Vec<BundledFile>> {
    let text =
        |path: Utf8PathBuf, text: String| BundledFile { path: path.into_string(), content: BundledContent::Text(text) };
    let mut files = Vec::new();
    let mut directory = Utf8PathBuf::new();
    if context.profile != Profile::Dev {
        directory.push(context.profile.as_str());
        files.push(text(manifest::FILE_NAME.into(), root_manifest(context.profile, &context.monorepo.config)));
    }
    files.push(text(directory.join(manifest::FILE_NAME), context.manifest.file.text.to_string()));
    if let Some(lockfile) = context.lockfile()? {
        files.push(text(directory.join("uv.lock"), lockfile.file.text.to_string()));
    }
    Ok(files)
}

fn root_manifest(profile: Profile, config: &Config) -> String {
    let mut document = DocumentMut::new();
    document["project"]["name"] = value("bundle");
    document["project"]["version"] = value("0");
    let mut uvenv = Table::new();
    if let Some(backends) = &config.backends {
        uvenv["backends"] = value(backends.iter().map(Name::as_str).collect::<Array>());
    }
    let mut profiles = Table::new();
    profiles[profile.as_str()] = value(profile.as_str());
    uvenv["profiles"] = Item::Table(profiles);
    let mut tool = Table::new();
    tool.set_implicit(true);
    tool["uvenv"] = Item::Table(uvenv);
    document["tool"] = Item::Table(tool);
    document.to_string()
}

/// Returns the locks of the profile and of uv, and their wheels.
fn vendored_files(selection: &VendoredSelection, uv: &[&VendoredLock]) -> crate::Result<Vec<BundledFile>> {
    let mut files = BTreeMap::new();
    for lock in [&selection.lock].into_iter().chain(uv.iter().copied()) {
        let text = fs::read_to_string(&lock.path).map_err(BundleError::io(&lock.path))?;
        files.insert(lock.path.file_name().unwrap_or_default().to_owned(), BundledContent::Text(text));
        for wheel in lock.wheels() {
            let (path, sha256) = (selection.path_of(wheel), wheel.sha256.clone());
            files.insert(format!("{WHEELS}/{}", wheel.file), BundledContent::File { path, sha256 });
        }
    }
    Ok(files.into_iter().map(|(name, content)| BundledFile { path: format!("{VENDORED}/{name}"), content }).collect())
}

/// Unpacks the bundle `file`, once for all processes, and returns the arguments of `cargo-uvenv` that do in it what `words` say.
pub fn open_bundle(session: &Session, file: &Utf8Path, words: &[OsString]) -> crate::Result<Vec<OsString>> {
    let (command, rest) = words.split_first().map_or(("".into(), &[][..]), |(one, rest)| (one.to_string_lossy(), rest));
    let command = &*command;
    let Some((_, installs)) = COMMANDS.iter().find(|(name, _)| *name == command) else {
        let available = COMMANDS.map(|(name, _)| name.to_owned()).to_vec();
        return Err(BundleError::NoCommand { command: command.to_owned(), available }.into());
    };
    let mut archive = BundleArchive::open(file)?;
    let directory = unpacked(session, &mut archive)?;
    let description = &archive.description;
    let manifest = directory.join(manifest::FILE_NAME);
    let mut arguments = vec![command.to_owned(), format!("--manifest-path={manifest}")];
    arguments.push(format!("--profile={}", description.profile));
    arguments.push(format!("--backend={}", description.backend.as_ref().map_or("none", |name| name.as_str())));
    if *installs {
        arguments.push("--frozen".to_owned());
    }
    if command != "env" {
        arguments.push(format!("--vendored={}", directory.join(VENDORED)));
    }
    Ok(arguments.into_iter().map(OsString::from).chain(rest.iter().cloned()).collect())
}

/// Returns the directory where the files of the bundle are.
fn unpacked(session: &Session, archive: &mut BundleArchive) -> crate::Result<Utf8PathBuf> {
    let variables = &session.settings.variables;
    let bundles = cache::directory(variables)?.join("bundles");
    let directory = bundles.join(&archive.description.digest);
    if directory.is_dir() {
        return Ok(directory);
    }
    let busy = || "is unpacking the bundle".to_owned();
    let lock = directory.with_extension("lock");
    let _lock = FileLock::acquire(&lock, variables, session.settings.observer(), busy)?;
    // Another process has unpacked it meanwhile.
    if directory.is_dir() {
        return Ok(directory);
    }
    let work = directory.with_extension("unfinished");
    match fs::remove_dir_all(&work) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BundleError::io(&work)(error).into()),
        _ => archive.unpack(&work).inspect_err(|_| drop(fs::remove_dir_all(&work)))?,
    }
    fs::rename(&work, &directory).map_err(BundleError::io(&directory))?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundle_has_the_configuration_of_its_profile() {
        let config = Config { backends: Some(vec![Name::parse("cu124").unwrap()]), ..Config::default() };
        let text = root_manifest(Profile::Prod, &config);
        let read: DocumentMut = text.parse().unwrap();
        assert_eq!(read["project"]["name"].as_str(), Some("bundle"));
        assert_eq!(read["tool"]["uvenv"]["backends"][0].as_str(), Some("cu124"));
        assert_eq!(read["tool"]["uvenv"]["profiles"]["prod"].as_str(), Some("prod"));
        assert!(!root_manifest(Profile::Staging, &Config::default()).contains("backends"));
    }
}
