//! Downloads files with pip, which has the user's index settings, proxies, certificates and credentials.

use std::{collections::BTreeSet, fs};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Target, VendorContext, VendorError, hash_file, version_in};
use crate::{fs::parallel, process::ending};

/// The number of files that one pip downloads: what it has downloaded is there only when it ends.
const FILES: usize = 8;

/// A file to download.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Download {
    pub(crate) name: String,
    /// What its URL calls it.
    pub(crate) file: String,
    /// What it is called where it goes: different files can have the same name.
    pub(crate) place: String,
    pub(crate) url: String,
    /// In hexadecimal; `None` if neither the index nor the lockfile has it.
    pub(crate) sha256: Option<String>,
    pub(crate) size: Option<u64>,
}

/// Downloads into a directory.
pub(crate) struct Downloads<'a> {
    pub(crate) context: &'a VendorContext<'a>,
    pub(crate) target: &'a Target,
    /// URLs of indexes, with the credentials that are to be used.
    pub(crate) indexes: &'a [String],
    /// Where the files go.
    pub(crate) directory: &'a Utf8Path,
}

impl Downloads<'_> {
    /// Downloads `files` with several pips at once. pip compares their hashes. `on_files` is told what is there.
    pub(crate) fn run(&self, files: &[Download], on_files: &(dyn Fn(&[Download]) + Sync)) -> crate::Result<()> {
        // pip requires hashes of all files, or of none.
        let (known, unknown) = files.iter().cloned().partition(|file: &Download| file.sha256.is_some());
        self.run_alike(known, on_files)?;
        self.run_alike(unknown, on_files)
    }

    fn run_alike(&self, mut files: Vec<Download>, on_files: &(dyn Fn(&[Download]) + Sync)) -> crate::Result<()> {
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        let count = files.len().div_ceil(FILES).max(parallel::cores().min(files.len()));
        let mut shares = vec![Vec::new(); count];
        // Each share has large files and small ones, and each name only once.
        for (index, file) in files.into_iter().enumerate() {
            let has_name = |share: &Vec<Download>| share.iter().any(|other| other.file == file.file);
            let first = (0..shares.len()).map(|step| (index + step) % count).find(|share| !has_name(&shares[*share]));
            match first {
                Some(share) => shares[share].push(file),
                None => shares.push(vec![file]),
            }
        }
        let shares: Vec<_> = shares.into_iter().enumerate().collect();
        let done = parallel::par_queue(
            &shares,
            || (),
            |(), (number, share)| {
                let done = self.share(*number, share);
                if done.is_ok() {
                    on_files(share);
                }
                done
            },
        );
        done.into_iter().collect()
    }

    fn share(&self, number: usize, files: &[Download]) -> crate::Result<()> {
        let work = self.directory.join(format!(".download-{number}"));
        fs::create_dir_all(&work).map_err(VendorError::io(&work))?;
        let missing: Vec<_> = files.iter().filter(|file| !self.take(&work, file)).collect();
        if missing.is_empty() {
            return remove(&work);
        }
        let lines = missing.iter().map(|file| {
            let hash = file.sha256.as_ref().map(|sha256| format!(" --hash=sha256:{sha256}"));
            format!("{} @ {}{}\n", file.name, file.url, hash.unwrap_or_default())
        });
        let requirements = work.join("requirements.txt");
        fs::write(&requirements, lines.collect::<String>()).map_err(VendorError::io(&requirements))?;
        let flags = ["download", "--quiet", "--no-deps", "--only-binary=:none:", "--dest"];
        let pip = self.target.tools.pip().args(flags).args([work.as_str(), "-r", requirements.as_str()]);
        let pip = if self.target.platform.is_some() { pip.args(self.foreign_flags(&missing)) } else { pip };
        let has_hashes = files.iter().all(|file| file.sha256.is_some());
        let pip = pip.args(has_hashes.then_some("--require-hashes"));
        // Where its progress can be seen.
        let pip = ["TMPDIR", "TEMP", "TMP"].into_iter().fold(pip, |pip, name| pip.env(name, work.as_str()));
        // It would also hold for what a source distribution needs to tell its metadata.
        let pip = pip.env_remove("PIP_NO_DEPS");
        // Where credentials are taken from; nothing is searched there.
        let pip = pip.env("PIP_EXTRA_INDEX_URL", self.indexes.join(" "));
        let pip = (self.context.child)(pip);
        let names = || missing.iter().map(|file| format!("`{}`", file.file)).collect();
        let failed = |problem: String| VendorError::Download { files: names(), problem };
        let answer = pip.capture();
        // Its URLs can have credentials.
        let _ = fs::remove_file(&requirements);
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        if !answer.status.success() {
            return Err(failed(format!("pip {}\n{}", ending(answer.status), answer.words())).into());
        }
        let lacking: Vec<_> = missing.iter().filter(|file| !self.take(&work, file)).collect();
        if let Some(file) = lacking.first() {
            return Err(failed(format!("pip did not write `{}`", file.file)).into());
        }
        remove(&work)
    }

    /// Returns the flags with which pip accepts wheels of another platform: the tags in their names, which fit the target.
    fn foreign_flags(&self, files: &[&Download]) -> Vec<String> {
        let (mut abis, mut platforms) = (BTreeSet::new(), BTreeSet::new());
        for file in files {
            // NAME-VERSION(-BUILD)-PYTHON-ABI-PLATFORM.whl, where each tag can be several, as `a.b`.
            let Some(stem) = file.file.strip_suffix(".whl") else { continue };
            let mut tags = stem.rsplit('-');
            platforms.extend(tags.next().into_iter().flat_map(|tags| tags.split('.')));
            abis.extend(tags.next().into_iter().flat_map(|tags| tags.split('.')));
        }
        let version = format!("--python-version={}", version_in(&self.target.tools.target));
        let abis = abis.into_iter().map(|abi| format!("--abi={abi}"));
        let platforms = platforms.into_iter().map(|platform| format!("--platform={platform}"));
        [version, "--implementation=cp".to_owned()].into_iter().chain(abis).chain(platforms).collect()
    }

    /// Moves a file that was downloaded into its place, if it is there and has the right hash.
    fn take(&self, work: &Utf8Path, file: &Download) -> bool {
        let (here, place) = (work.join(&file.file), self.directory.join(&file.place));
        let is_right = |(sha256, size)| {
            file.sha256.as_ref().is_none_or(|expected| *expected == sha256)
                && file.size.is_none_or(|expected| expected == size)
        };
        hash_file(&here).is_ok_and(is_right) && fs::rename(here, place).is_ok()
    }
}

fn remove(work: &Utf8PathBuf) -> crate::Result<()> {
    fs::remove_dir_all(work).map_err(VendorError::io(work))?;
    Ok(())
}
