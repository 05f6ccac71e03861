//! The distributions that are installed in an environment, read as uv reads them: from the names of the `*.dist-info`
//! directories and their `direct_url.json`.

use std::{
    collections::BTreeSet,
    fs::{self, Metadata},
    io, mem,
    time::{Duration, SystemTime},
};

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::Environment;
use crate::{
    fs::parallel,
    model::{Name, redact},
};

/// A distribution that is installed in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Distribution {
    /// Its normalized name.
    pub name: Name,
    /// Its version.
    pub version: String,
    /// The source that it was installed from.
    pub source: Source,
    /// When its `dist-info` directory was made or last changed. A new installation makes a new one.
    #[serde(skip)]
    changed: Option<SystemTime>,
    /// Its `dist-info` directory.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    folder: Utf8PathBuf,
}

/// The source of an installed distribution, as its `direct_url.json` records it. URLs contain no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// A package index or a directory of wheels: there is no `direct_url.json`.
    Registry,
    /// A git repository.
    Git {
        /// The repository.
        url: String,
        /// The installed commit.
        commit: String,
        /// The requested tag, branch or commit.
        #[serde(skip_serializing_if = "Option::is_none")]
        requested: Option<String>,
        /// The package's directory in the repository.
        #[serde(skip_serializing_if = "Option::is_none")]
        subdirectory: Option<String>,
    },
    /// A directory that Python imports from.
    Editable {
        /// The directory.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        path: Utf8PathBuf,
    },
    /// A directory that the package was copied from.
    Directory {
        /// The directory.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        path: Utf8PathBuf,
    },
    /// An archive.
    Archive {
        /// Its URL; a `file:` URL for an archive on this machine.
        url: String,
    },
    /// There is a `direct_url.json`, but it cannot be understood.
    Unknown,
}

/// The changes that a sync made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Changes {
    /// Distributions that are new or were installed again. After an upgrade, the new version is here and the old one in
    /// `removed`.
    pub installed: Vec<Distribution>,
    /// Distributions that are no longer installed.
    pub removed: Vec<Distribution>,
}

/// All distributions of an environment at one moment, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Distributions(Vec<Distribution>);

/// Distributions that an interrupted sync may have damaged, although uv considers them installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspects {
    /// Packages to install again (`--reinstall-package`).
    pub(crate) reinstall: Vec<Name>,
    /// What uv cannot uninstall, even to install the package again, so that it must be removed before uv starts:
    /// `dist-info` directories without a RECORD, which uv then sees to be missing, and in others the files that a killed
    /// uv has not yet added to the RECORD.
    pub(crate) remains: Vec<Utf8PathBuf>,
}

/// The number of entries of a `site-packages` directory for which a further thread is worth its cost.
const MIN_LEN: usize = 100;

/// File system clocks are coarse (some by two seconds) and may lag behind the clock that we read.
const CLOCK_SLACK: Duration = Duration::from_secs(2);

impl Distributions {
    /// Reads the distributions of `environment`; there are none if it does not exist.
    pub(crate) fn read(environment: &Environment) -> crate::Result<Self> {
        let mut folders = folders(environment)?;
        let parts = parallel::par_chunks(&mut folders, MIN_LEN, |folders| {
            let folders = folders.iter_mut().map(mem::take);
            folders.filter_map(Distribution::read).collect::<Vec<_>>()
        });
        Ok(Self::sorted(parts.concat()))
    }

    fn sorted(mut distributions: Vec<Distribution>) -> Self {
        distributions.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Self(distributions)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Distribution> {
        self.0.iter()
    }

    /// Reads the distributions and, on all cores, lets `update` change the files of each, which it reads again where anything
    /// was changed.
    #[cfg(feature = "vendored")]
    pub(crate) fn read_updated(
        environment: &Environment,
        update: impl Fn(&Distribution) -> io::Result<bool> + Sync,
    ) -> crate::Result<Self> {
        let one = |(): &mut (), folder: &Utf8PathBuf| {
            let Some(distribution) = Distribution::read(folder.clone()) else { return Ok(None) };
            let changed = update(&distribution).map_err(environment.not_writable(folder))?;
            Ok(if changed { Distribution::read(distribution.folder) } else { Some(distribution) })
        };
        let read: crate::Result<Vec<_>> = parallel::par_queue(&folders(environment)?, || (), one).into_iter().collect();
        Ok(Self::sorted(read?.into_iter().flatten().collect()))
    }

    /// Whether all distributions have all files of their lists.
    pub(crate) fn are_whole(&self) -> bool {
        self.0.iter().all(|one| {
            one.is_listed() && fs::read_to_string(one.record_file()).is_ok_and(|record| one.has_all(&record))
        })
    }

    /// Returns what may be damaged by a sync that began at `since` and did not end well: what changed since then, and
    /// what lacks files of its RECORD. An interrupted removal deletes files without touching the `dist-info` directory.
    pub(crate) fn suspects(&self, since: SystemTime) -> Suspects {
        let since = since_with_slack(since);
        let mut suspects = Suspects::default();
        for distribution in &self.0 {
            let changed = distribution.changed.is_none_or(|changed| changed >= since);
            let record = fs::read_to_string(distribution.folder.join("RECORD"));
            match record {
                Err(error) if changed && error.kind() == io::ErrorKind::NotFound => {
                    suspects.remains.push(distribution.folder.clone());
                }
                Ok(record) if !changed && distribution.has_all(&record) => {}
                record => {
                    suspects.reinstall.push(distribution.name.clone());
                    suspects.remains.extend(distribution.unlisted(&record.unwrap_or_default(), since));
                }
            }
        }
        suspects.reinstall.dedup();
        suspects
    }
}

/// Returns what is in the directory of packages: there is none if the environment does not exist.
fn folders(environment: &Environment) -> crate::Result<Vec<Utf8PathBuf>> {
    let Some(directory) = environment.site_packages() else { return Ok(Vec::new()) };
    let entries = directory.read_dir_utf8().map_err(environment.unreadable(&directory))?;
    // A name that is not Unicode cannot be `NAME-VERSION.dist-info`.
    Ok(entries.filter_map(|entry| Some(entry.ok()?.into_path())).collect())
}

impl Changes {
    /// Returns the changes between two readings of one environment.
    pub(crate) fn between(before: &Distributions, after: &Distributions) -> Self {
        let same = |a: &Distribution, b: &Distribution| a.name == b.name && a.version == b.version;
        // Both lists are sorted by name, but a name can occur twice; the lists are short.
        let only_in = |these: &Distributions, others: &Distributions, is: fn(&Distribution, &Distribution) -> bool| {
            these
                .iter()
                .filter(|this| {
                    let start = others.0.partition_point(|other| other.name < this.name);
                    !others.0[start..]
                        .iter()
                        .take_while(|other| other.name == this.name)
                        .any(|other| same(this, other) && is(this, other))
                })
                .cloned()
                .collect()
        };
        Self {
            installed: only_in(after, before, |after, before| {
                after.source == before.source && after.changed <= before.changed
            }),
            removed: only_in(before, after, |_, _| true),
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.installed.is_empty() && self.removed.is_empty()
    }
}

impl Distribution {
    /// Returns the distribution whose `dist-info` directory is `folder`; `None` if it is something else. uv ignores a
    /// directory that is a link, so this function ignores it too.
    fn read(folder: Utf8PathBuf) -> Option<Self> {
        let (name, version) = folder.file_name()?.strip_suffix(".dist-info")?.split_once('-')?;
        let (name, version) = (Name::parse(name)?, version.to_owned());
        let metadata = fs::symlink_metadata(&folder).ok().filter(Metadata::is_dir)?;
        let source = Source::read(&folder.join("direct_url.json"));
        Some(Self { name, version, source, changed: changed(&metadata), folder })
    }

    /// Returns its `dist-info` directory.
    pub(crate) fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Returns what was added to its `dist-info` directory since `since` and is not in `record`, its list of files.
    fn unlisted(&self, record: &str, since: SystemTime) -> Vec<Utf8PathBuf> {
        let listed = listed(record).map(|path| self.site_packages().join(path));
        let listed: BTreeSet<_> = listed.chain([self.record_file()]).collect();
        let is_new = |entry: &Utf8DirEntry| {
            let metadata = fs::symlink_metadata(entry.path());
            metadata.is_ok_and(|metadata| may_have_changed(&metadata, since))
        };
        let entries = self.folder.read_dir_utf8().into_iter().flatten().flatten();
        let unlisted = entries.filter(|entry| !listed.contains(entry.path()) && is_new(entry));
        unlisted.map(Utf8DirEntry::into_path).collect()
    }

    /// Returns the path of the list of its files.
    pub(crate) fn record_file(&self) -> Utf8PathBuf {
        self.folder.join("RECORD")
    }

    /// Returns the `site-packages` directory that contains it.
    pub(crate) fn site_packages(&self) -> &Utf8Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    /// Whether it has a list of files, which a full disk may leave empty.
    pub(crate) fn is_listed(&self) -> bool {
        fs::metadata(self.record_file()).is_ok_and(|record| record.len() > 0)
    }

    /// Returns the platforms that it was built for, as its wheel says, such as `manylinux_2_28_x86_64`. If it fits several, any
    /// of them is enough.
    #[cfg(feature = "full")]
    pub(crate) fn platform_tags(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("WHEEL")).unwrap_or_default();
        let tags = text.lines().filter_map(|line| line.strip_prefix("Tag:")?.trim().rsplit('-').next());
        tags.flat_map(|platforms| platforms.split('.')).map(str::to_owned).collect()
    }

    /// Returns its files as the list has them, without Python's compiled files.
    pub(crate) fn files(&self) -> Vec<Utf8PathBuf> {
        let record = fs::read_to_string(self.record_file()).unwrap_or_default();
        listed(&record).map(|path| self.site_packages().join(path)).collect()
    }

    /// Whether all files that `record` lists exist. Compiled files are ignored.
    fn has_all(&self, record: &str) -> bool {
        let Some(site_packages) = self.folder.parent() else { return false };
        listed(record).all(|path| site_packages.join(path).symlink_metadata().is_ok())
    }
}

/// Returns the files that `record` lists, relative to `site-packages`, without Python's compiled files, which come and
/// go.
pub(super) fn listed(record: &str) -> impl Iterator<Item = String> {
    record.lines().map(first_field).filter(|path| !path.is_empty() && Utf8Path::new(path).extension() != Some("pyc"))
}

/// Returns the time from which on a file may have been changed by what began at `since`.
pub(super) fn since_with_slack(since: SystemTime) -> SystemTime {
    since.checked_sub(CLOCK_SLACK).unwrap_or(since)
}

/// Whether the file or directory may have changed since `since`.
pub(super) fn may_have_changed(metadata: &Metadata, since: SystemTime) -> bool {
    changed(metadata).is_none_or(|changed| changed >= since)
}

/// On Unix, returns the time of the last change of the file or directory itself, which no program can set. Where uv clones
/// files (macOS), a directory keeps the modification time that it has in uv's cache.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;

    let seconds = u64::try_from(metadata.ctime()).ok()?;
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))
}

#[cfg(not(unix))]
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    metadata.modified().ok()
}

/// Returns the first field of a line of CSV.
fn first_field(line: &str) -> String {
    let Some(quoted) = line.strip_prefix('"') else { return line.split(',').next().unwrap_or_default().to_owned() };
    let mut field = String::new();
    let mut characters = quoted.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '"' && characters.next_if_eq(&'"').is_none() {
            break;
        }
        field.push(character);
    }
    field
}

/// `direct_url.json`, as its specification defines it.
#[derive(Deserialize)]
struct DirectUrl {
    url: String,
    subdirectory: Option<String>,
    vcs_info: Option<VcsInfo>,
    dir_info: Option<DirInfo>,
    archive_info: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct VcsInfo {
    vcs: String,
    commit_id: String,
    requested_revision: Option<String>,
}

#[derive(Deserialize)]
struct DirInfo {
    editable: Option<bool>,
}

impl Source {
    fn read(file: &Utf8Path) -> Self {
        match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_or(Self::Unknown, Self::from_direct_url),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Registry,
            Err(_) => Self::Unknown,
        }
    }

    fn from_direct_url(direct: DirectUrl) -> Self {
        let url = redact(&direct.url).into_owned();
        match direct {
            DirectUrl { vcs_info: Some(vcs), .. } if vcs.vcs == "git" => Self::Git {
                url,
                commit: vcs.commit_id,
                requested: vcs.requested_revision,
                subdirectory: direct.subdirectory,
            },
            DirectUrl { dir_info: Some(directory), .. } => match file_path(&url) {
                Some(path) if directory.editable == Some(true) => Self::Editable { path },
                Some(path) => Self::Directory { path },
                None => Self::Unknown,
            },
            DirectUrl { archive_info: Some(_), .. } => Self::Archive { url },
            _ => Self::Unknown,
        }
    }
}

/// Returns the path that a `file:` URL names. Bytes that are not Unicode are replaced, because the path is only
/// displayed.
fn file_path(url: &str) -> Option<Utf8PathBuf> {
    let path = url.strip_prefix("file://")?;
    let path = path.strip_prefix("localhost").unwrap_or(path);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| path_byte(tail)).flatten();
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    let path = String::from_utf8_lossy(&bytes).into_owned();
    // `file:///C:/a` means `C:/a`.
    let has_drive = matches!(path.as_bytes(), [b'/', drive, b':', ..] if drive.is_ascii_alphabetic());
    Some(if has_drive { path[1..].into() } else { path.into() })
}

fn path_byte(after_percent: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*after_percent.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TestTree;

    /// An environment whose path contains a space and a non-ASCII letter.
    struct Made {
        _guard: TestTree,
        environment: Environment,
        site_packages: Utf8PathBuf,
    }

    impl Made {
        fn new() -> Self {
            let guard = TestTree::new();
            let environment = Environment::new(guard.join(".venv"));
            let site_packages = environment.root().join(if cfg!(windows) {
                "Lib/site-packages"
            } else {
                "lib/python3.13t/site-packages"
            });
            fs::create_dir_all(&site_packages).unwrap();
            Self { _guard: guard, environment, site_packages }
        }

        fn install(&self, folder: &str, direct_url: Option<&str>) {
            let folder = self.site_packages.join(format!("{folder}.dist-info"));
            fs::create_dir_all(&folder).unwrap();
            if let Some(text) = direct_url {
                fs::write(folder.join("direct_url.json"), text).unwrap();
            }
        }

        fn read(&self) -> Distributions {
            Distributions::read(&self.environment).unwrap()
        }

        fn source(&self, direct_url: &str) -> Source {
            self.install("a-1", Some(direct_url));
            self.read().0.remove(0).source
        }
    }

    #[test]
    fn reads_dist_info_folders_like_uv() {
        let made = Made::new();
        made.install("torch-2.6.0+cu124", None);
        made.install("Model_Qwen2.5_VL-0.1.2.dev0", None);
        for other in ["~orch-2.6.0", "noversion", "-1.0", "a b-1"] {
            made.install(other, None);
        }
        fs::write(made.site_packages.join("file-1.0.dist-info"), "").unwrap();
        let names: Vec<_> = made.read().iter().map(|one| format!("{} {}", one.name, one.version)).collect();
        assert_eq!(names, ["model-qwen2-5-vl 0.1.2.dev0", "torch 2.6.0+cu124"]);
    }

    #[test]
    fn missing_environment_has_no_distributions() {
        let environment = Environment::new("/no/such/environment");
        assert_eq!(Distributions::read(&environment).unwrap(), Distributions::default());
    }

    #[test]
    fn reads_sources_from_direct_url_json() {
        let made = Made::new();
        let git = made.source(
            r#"{"url":"https://t@h/a.git","subdirectory":"python/a","vcs_info":{"vcs":"git","commit_id":"c0","requested_revision":"v0.1.2"}}"#,
        );
        assert_eq!(
            serde_json::to_string(&git).unwrap(),
            r#"{"kind":"git","url":"https://****@h/a.git","commit":"c0","requested":"v0.1.2","subdirectory":"python/a"}"#
        );
        let path = Utf8PathBuf::from("/a b/é");
        let url = "file:///a%20b/%C3%A9";
        assert_eq!(
            made.source(&format!(r#"{{"url":"{url}","dir_info":{{"editable":true}}}}"#)),
            Source::Editable { path: path.clone() }
        );
        assert_eq!(made.source(&format!(r#"{{"url":"{url}","dir_info":{{}}}}"#)), Source::Directory { path });
        assert_eq!(
            made.source(r#"{"url":"https://h/a-1.whl","archive_info":{"hashes":{}}}"#),
            Source::Archive { url: "https://h/a-1.whl".to_owned() }
        );
        for nonsense in ["", "{", "[]", r#"{"url":1}"#, r#"{"url":"x","dir_info":{}}"#, r#"{"url":"x"}"#] {
            assert_eq!(made.source(nonsense), Source::Unknown, "{nonsense}");
        }
    }

    #[test]
    fn converts_file_urls_to_paths() {
        let path = |url| file_path(url).map(Utf8PathBuf::into_string);
        assert_eq!(path("file:///C:/a%20b").as_deref(), Some("C:/a b"));
        assert_eq!(path("file://localhost/a").as_deref(), Some("/a"));
        assert_eq!(path("file:///a%2").as_deref(), Some("/a%2"));
        assert_eq!(path("file:///a%zz%41").as_deref(), Some("/a%zzA"));
        assert_eq!(path("file:///%FF%").as_deref(), Some("/\u{fffd}%"));
        assert_eq!(path("https://h/a"), None);
    }

    #[test]
    fn finds_changes_between_two_readings() {
        let made = Made::new();
        let commit = |commit| format!(r#"{{"url":"file:///r","vcs_info":{{"vcs":"git","commit_id":"{commit}"}}}}"#);
        made.install("same-1", None);
        made.install("gone-1", None);
        made.install("upgraded-1", None);
        made.install("moved-1", Some(&commit("c1")));
        made.install("again-1", None);
        let before = made.read();
        assert_eq!(Changes::between(&before, &made.read()), Changes::default());

        fs::remove_dir_all(made.site_packages.join("gone-1.dist-info")).unwrap();
        fs::remove_dir_all(made.site_packages.join("upgraded-1.dist-info")).unwrap();
        fs::remove_dir_all(made.site_packages.join("again-1.dist-info")).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        made.install("again-1", None);
        made.install("upgraded-2", None);
        made.install("moved-1", Some(&commit("c2")));
        let changes = Changes::between(&before, &made.read());
        let list = |distributions: &[Distribution]| -> Vec<_> {
            distributions.iter().map(|one| format!("{}-{}", one.name, one.version)).collect()
        };
        assert_eq!(list(&changes.installed), ["again-1", "moved-1", "upgraded-2"]);
        assert_eq!(list(&changes.removed), ["gone-1", "upgraded-1"]);
        assert_eq!(
            serde_json::to_string(&changes.removed[0]).unwrap(),
            r#"{"name":"gone","version":"1","source":{"kind":"registry"}}"#
        );
    }

    #[test]
    fn suspects_changed_and_incomplete_distributions() {
        let made = Made::new();
        let in_site_packages = |path: &str| made.site_packages.join(path);
        for name in ["whole", "lacking", "torn"] {
            made.install(&format!("{name}-1"), None);
            fs::write(in_site_packages(&format!("{name}.py")), "").unwrap();
            let record = format!(
                "{name}.py,sha256=x,0\n\"{name},with \"\"quotes\"\"\",,\n__pycache__/{name}.pyc,,\n../../../bin/x,,\n"
            );
            fs::write(in_site_packages(&format!("{name},with \"quotes\"")), "").unwrap();
            fs::write(in_site_packages(&format!("{name}-1.dist-info/RECORD")), record).unwrap();
        }
        fs::create_dir_all(made.environment.root().join("bin")).unwrap();
        fs::write(made.environment.root().join("bin/x"), "").unwrap();
        let later = SystemTime::now() + Duration::from_mins(1);
        assert_eq!(made.read().suspects(later), Suspects::default());

        fs::remove_file(in_site_packages("lacking,with \"quotes\"")).unwrap();
        fs::remove_file(in_site_packages("torn-1.dist-info/RECORD")).unwrap();
        let reinstall =
            |suspects: &Suspects| -> Vec<_> { suspects.reinstall.iter().map(ToString::to_string).collect() };
        let suspects = made.read().suspects(later);
        assert_eq!(reinstall(&suspects), ["lacking", "torn"]);
        assert_eq!(suspects.remains, Vec::<Utf8PathBuf>::new());

        let suspects = made.read().suspects(SystemTime::now());
        assert_eq!(reinstall(&suspects), ["lacking", "whole"]);
        assert_eq!(suspects.remains, [in_site_packages("torn-1.dist-info")]);
    }
}
