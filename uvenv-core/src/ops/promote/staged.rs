//! The new manifest and lockfile of a profile, in a directory next to the profile's own until they have been verified.
//!
//! The directory is a sibling of the profile's directory, so that relative paths, settings of parent directories and
//! everything else that uv reads are the same for both. All other entries of the profile's directory are linked into
//! it. The profile itself is not changed before [`StagedProfile::install`], which replaces two files. Their previous
//! contents are kept in the candidate's directory meanwhile, so that [`recover`] can restore them if the replacement is
//! interrupted.

use std::{fs, io};

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};

use crate::{
    fs::{
        atomic,
        cache::{self, FileLock},
        digest::digest,
    },
    lockfile, manifest,
    model::{Observer, Variables},
    monorepo::ProfilePaths,
    ops::not_writable::NotWritable,
};

/// The files that are created; all other entries of the profile are links.
const OWN: [&str; 3] = [manifest::FILE_NAME, lockfile::FILE_NAME, ".gitignore"];

/// The files that are replaced.
const REPLACED: [&str; 2] = [manifest::FILE_NAME, lockfile::FILE_NAME];

/// The directory with the previous files. It exists from before the first file is replaced until both are.
const BEFORE: &str = "before";

/// The directory. Dropping this value removes it.
#[derive(Debug)]
pub(super) struct StagedProfile {
    profile: ProfilePaths,
    directory: Utf8PathBuf,
    _lock: FileLock,
}

/// The previous contents of both files, after they were replaced.
#[derive(Debug)]
pub(super) struct Installed {
    profile: ProfilePaths,
    before: Vec<(&'static str, Option<String>)>,
}

impl StagedProfile {
    /// Creates the directory, with `manifest` and the profile's lockfile.
    pub(super) fn new(
        profile: &ProfilePaths,
        manifest: &str,
        variables: &Variables,
        observer: &dyn Observer,
    ) -> crate::Result<Self> {
        let lock = only_one(profile, variables, observer)?;
        let directory = beside(profile).with_file_name(format!("{}{}", prefix(profile), std::process::id()));
        // This is dropped on any error, which removes the directory.
        let staged = Self { profile: profile.clone(), directory, _lock: lock };
        staged.fill(manifest).map_err(NotWritable::at(&staged.directory))?;
        Ok(staged)
    }

    fn fill(&self, manifest: &str) -> io::Result<()> {
        fs::create_dir(&self.directory)?;
        fs::write(self.directory.join(".gitignore"), "*\n")?;
        fs::write(self.directory.join(manifest::FILE_NAME), manifest)?;
        if let Some(locked) = read(&self.profile.lockfile())? {
            fs::write(self.directory.join(lockfile::FILE_NAME), locked)?;
        }
        for entry in self.profile.directory.read_dir_utf8()? {
            let name = entry?.file_name().to_owned();
            if !OWN.contains(&name.as_str()) {
                link(&self.profile.directory, &name, &self.directory)?;
            }
        }
        Ok(())
    }

    /// Returns the paths of the directory, as if it were the profile.
    pub(super) fn paths(&self) -> ProfilePaths {
        ProfilePaths { profile: self.profile.profile, directory: self.directory.clone() }
    }

    /// Replaces the profile's manifest and lockfile with those of this directory.
    pub(super) fn install(self) -> crate::Result<Installed> {
        let installed = self.replace().map_err(NotWritable::at(&self.profile.directory));
        if installed.is_err() {
            // The previous files are restored, so that no error leaves one new file next to an old one.
            recover_one(&self.profile, &self.directory).map_err(NotWritable::at(&self.profile.directory))?;
        }
        Ok(installed?)
    }

    fn replace(&self) -> io::Result<Installed> {
        let before = self.keep_before()?;
        for name in REPLACED {
            self.replace_one(name)?;
        }
        Ok(Installed { profile: self.profile.clone(), before })
    }

    /// Keeps copies of the files: all of them or, if this is interrupted, none.
    fn keep_before(&self) -> io::Result<Vec<(&'static str, Option<String>)>> {
        let making = self.directory.join("keeping");
        fs::create_dir(&making)?;
        let mut before = Vec::new();
        for name in REPLACED {
            let text = read(&self.profile.directory.join(name))?;
            if let Some(text) = &text {
                fs::write(making.join(name), text)?;
            }
            before.push((name, text));
        }
        fs::rename(&making, self.directory.join(BEFORE))?;
        Ok(before)
    }

    fn replace_one(&self, name: &str) -> io::Result<()> {
        let text = fs::read_to_string(self.directory.join(name))?;
        atomic::replace(&self.profile.directory.join(name), &text)
    }
}

impl Drop for StagedProfile {
    fn drop(&mut self) {
        // If the directory cannot be removed now, the next promotion removes it.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Installed {
    /// Restores both files.
    pub(super) fn undo(&self) -> crate::Result<()> {
        let restore =
            self.before.iter().try_for_each(|(name, text)| put(&self.profile.directory.join(name), text.as_deref()));
        Ok(restore.map_err(NotWritable::at(&self.profile.directory))?)
    }
}

/// Removes what killed promotions of `profile` have left behind. If one was killed after it had replaced only the first
/// of its two files, that file is restored.
pub(crate) fn recover(profile: &ProfilePaths, variables: &Variables, observer: &dyn Observer) -> crate::Result<()> {
    if leftovers(profile).is_empty() {
        return Ok(());
    }
    only_one(profile, variables, observer).map(drop)
}

/// Waits until no other process promotes `profile`, and cleans up after the promotions that were killed.
fn only_one(profile: &ProfilePaths, variables: &Variables, observer: &dyn Observer) -> crate::Result<FileLock> {
    let name = format!("{}.lock", digest(profile.directory.as_str().as_bytes()));
    let path = cache::directory(variables)?.join("promotions").join(name);
    let busy = || format!("is promoting to {}", profile.directory);
    let lock = FileLock::acquire(&path, variables, observer, busy)?;
    for directory in leftovers(profile) {
        recover_one(profile, &directory)
            .and_then(|()| fs::remove_dir_all(&directory))
            .map_err(NotWritable::at(&directory))?;
    }
    Ok(lock)
}

/// Returns the directories of promotions of `profile`.
fn leftovers(profile: &ProfilePaths) -> Vec<Utf8PathBuf> {
    let prefix = prefix(profile);
    let Some(Ok(entries)) = profile.directory.parent().map(Utf8Path::read_dir_utf8) else { return Vec::new() };
    let paths = entries.filter_map(Result::ok).map(Utf8DirEntry::into_path);
    paths.filter(|path| path.file_name().is_some_and(|name| name.starts_with(&prefix))).collect()
}

/// Restores the replaced file if only one of the two was replaced. If somebody has changed one of them since, both are
/// left as they are.
fn recover_one(profile: &ProfilePaths, staged: &Utf8Path) -> io::Result<()> {
    let before = staged.join(BEFORE);
    if !before.is_dir() {
        return Ok(());
    }
    let mut replaced = Vec::new();
    for name in REPLACED {
        let now = read(&profile.directory.join(name))?;
        let (old, new) = (read(&before.join(name))?, read(&staged.join(name))?);
        if now == new && now != old {
            replaced.push((name, old));
        } else if now != old {
            return Ok(());
        }
    }
    let changed = REPLACED.iter().filter(|name| {
        let of = |directory: &Utf8Path| read(&directory.join(name)).unwrap_or_default();
        of(&before) != of(staged)
    });
    if replaced.len() < changed.count() {
        for (name, old) in replaced {
            put(&profile.directory.join(name), old.as_deref())?;
        }
    }
    Ok(())
}

/// Returns the start of the candidate's directory name, such as `.prod-promotion-`.
fn prefix(profile: &ProfilePaths) -> String {
    format!(".{}-promotion-", profile.directory.file_name().unwrap_or_default())
}

/// Returns a path like that of a candidate, for checks that depend on its location but not on its exact name.
pub(super) fn beside(profile: &ProfilePaths) -> Utf8PathBuf {
    profile.directory.with_file_name(prefix(profile))
}

fn read(path: &Utf8Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn put(path: &Utf8Path, text: Option<&str>) -> io::Result<()> {
    match text {
        Some(text) => atomic::replace(path, text),
        None if path.exists() => fs::remove_file(path),
        None => Ok(()),
    }
}

/// Makes `name` of the directory `from` available in `to` too.
#[cfg(unix)]
fn link(from: &Utf8Path, name: &str, to: &Utf8Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from.join(name), to.join(name))
}

/// Like the version for Unix, but copies, because links require a privilege on Windows. Environments are left out: uv
/// uses them only to find an interpreter.
#[cfg(not(unix))]
fn link(from: &Utf8Path, name: &str, to: &Utf8Path) -> io::Result<()> {
    let (from, to) = (from.join(name), to.join(name));
    if !from.is_dir() {
        return fs::copy(&from, &to).map(drop);
    }
    if from.join("pyvenv.cfg").exists() {
        return Ok(());
    }
    fs::create_dir(&to)?;
    from.read_dir_utf8()?.try_for_each(|entry| link(&from, entry?.file_name(), &to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fs::TestTree, model::Profile, process::Terminal};

    const QUIET: Terminal = Terminal { quiet: true };

    /// A profile with a manifest and, unless it is left out, a lockfile; both contain `old`.
    struct Tree {
        root: TestTree,
        is_locked: bool,
    }

    impl Tree {
        fn new(is_locked: bool) -> Self {
            let tree = Self { root: TestTree::new(), is_locked };
            fs::create_dir_all(tree.profile().directory.join("vendor/a")).unwrap();
            fs::write(tree.profile().manifest(), "old").unwrap();
            fs::write(tree.profile().directory.join(".gitignore"), "theirs").unwrap();
            if is_locked {
                fs::write(tree.profile().lockfile(), "old").unwrap();
            }
            tree
        }

        fn profile(&self) -> ProfilePaths {
            ProfilePaths { profile: Profile::Prod, directory: self.root.join("prod") }
        }

        /// Returns variables with a separate cache for each name: a process that was killed holds no lock.
        fn variables(&self, cache: &str) -> Variables {
            [("UVENV_CACHE_DIR", self.root.join(cache).as_str())].into_iter().collect()
        }

        /// Returns a candidate in which uv has locked.
        fn staged(&self) -> StagedProfile {
            let staged = StagedProfile::new(&self.profile(), "new", &self.variables("one"), &QUIET).unwrap();
            fs::write(staged.paths().lockfile(), "new").unwrap();
            staged
        }

        fn recover(&self) {
            recover(&self.profile(), &self.variables("other"), &QUIET).unwrap();
        }

        fn files(&self) -> [String; 2] {
            [self.profile().manifest(), self.profile().lockfile()]
                .map(|path| fs::read_to_string(path).unwrap_or_else(|_| "none".to_owned()))
        }

        fn before(&self) -> [String; 2] {
            ["old", if self.is_locked { "old" } else { "none" }].map(str::to_owned)
        }

        /// Returns the names of the entries next to the profile.
        fn siblings(&self) -> Vec<String> {
            let entries = self.root.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned());
            let mut names: Vec<_> = entries.filter(|name| !["one", "other"].contains(&name.as_str())).collect();
            names.sort();
            names
        }
    }

    fn new() -> [String; 2] {
        ["new", "new"].map(str::to_owned)
    }

    /// Does the steps of a promotion up to the one at which it is killed.
    fn killed(staged: StagedProfile, steps: usize) {
        if steps > 0 {
            staged.keep_before().unwrap();
        }
        REPLACED.iter().take(steps.saturating_sub(1)).for_each(|name| staged.replace_one(name).unwrap());
        std::mem::forget(staged);
    }

    #[test]
    fn candidate_sees_all_files_of_the_profile() {
        let tree = Tree::new(true);
        let staged = tree.staged();
        let seen = staged.paths().directory;
        assert_eq!(seen.parent(), tree.profile().directory.parent());
        assert!(seen.join("vendor/a").is_dir());
        assert_eq!(fs::read_to_string(seen.join(".gitignore")).unwrap(), "*\n");
        assert_eq!((tree.files(), tree.siblings().len()), (tree.before(), 2));
        drop(staged);
        assert_eq!(tree.siblings(), ["prod"]);
        assert!(tree.profile().directory.join("vendor/a").is_dir());
        assert_eq!(fs::read_to_string(tree.profile().directory.join(".gitignore")).unwrap(), "theirs");
    }

    #[test]
    fn replaces_both_files_and_can_undo_it() {
        for is_locked in [true, false] {
            let tree = Tree::new(is_locked);
            let installed = tree.staged().install().unwrap();
            assert_eq!((tree.files(), tree.siblings()), (new(), vec!["prod".to_owned()]));
            installed.undo().unwrap();
            assert_eq!(tree.files(), tree.before());
        }
    }

    #[test]
    fn recovery_leaves_old_or_new_files_after_a_kill() {
        for is_locked in [true, false] {
            for steps in 0..=3 {
                let tree = Tree::new(is_locked);
                killed(tree.staged(), steps);
                assert_eq!(tree.siblings().len(), 2);
                tree.recover();
                let expected = if steps == 3 { new() } else { tree.before() };
                assert_eq!((tree.files(), tree.siblings()), (expected, vec!["prod".to_owned()]), "{steps}");
            }
        }
    }

    #[test]
    fn recovery_keeps_files_edited_since() {
        for file in REPLACED {
            let tree = Tree::new(true);
            killed(tree.staged(), 2);
            fs::write(tree.profile().directory.join(file), "mine").unwrap();
            let edited = tree.files();
            tree.recover();
            assert_eq!((tree.files(), tree.siblings()), (edited, vec!["prod".to_owned()]));
        }
    }

    #[test]
    fn recovery_accepts_a_file_that_does_not_change() {
        let tree = Tree::new(true);
        let staged = tree.staged();
        fs::write(staged.paths().lockfile(), "old").unwrap();
        killed(staged, 2);
        tree.recover();
        assert_eq!(tree.files(), ["new", "old"]);
    }

    #[cfg(unix)]
    #[test]
    fn failed_replacement_restores_the_other_file() {
        let tree = Tree::new(true);
        let staged = tree.staged();
        fs::remove_file(staged.paths().lockfile()).unwrap();
        let error = staged.install().unwrap_err();
        assert_eq!(error.code(), "not-writable");
        assert_eq!((tree.files(), tree.siblings()), (tree.before(), vec!["prod".to_owned()]));
    }
}
