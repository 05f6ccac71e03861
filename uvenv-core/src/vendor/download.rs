//! Getting the archives that a lockfile names, from where it says that they are.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use camino::{Utf8Path, Utf8PathBuf};
use percent_encoding::percent_decode_str;
use sha2::{Sha256, Sha384, Sha512};
use ureq::{
    Agent,
    config::RedirectAuthHeaders,
    http::{Response, StatusCode},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{Archive, Location, VendorError};
use crate::{
    checksum, git_url,
    manifest::Index,
    observer::{Interrupted, Observer, Progress},
    variables::Variables,
};

/// So often a server that breaks off without having sent anything more is asked again.
const ATTEMPTS: u32 = 3;

/// Gets archives.
pub(crate) struct Client {
    agent: Agent,
    /// Of a host: what it is told of who asks.
    credentials: Vec<(String, String)>,
    is_offline: bool,
}

/// How far the work is. It is counted by all threads, and told to the observer by one.
#[derive(Default)]
pub(crate) struct Tally {
    /// Of all downloads, in bytes; what has no known size counts as it comes.
    pub(crate) total: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) files: AtomicUsize,
    pub(crate) stop: AtomicBool,
    building: Mutex<Vec<Progress>>,
}

impl Tally {
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.stop.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }

    /// To be told to the observer.
    pub(crate) fn note(&self, progress: Progress) {
        self.building.lock().unwrap_or_else(PoisonError::into_inner).push(progress);
    }

    /// Tells the observer how far all is, of so many downloads.
    pub(crate) fn tell(&self, observer: &dyn Observer, files: usize) {
        for progress in self.building.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            observer.progress(&progress);
        }
        let (done, bytes) = (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        let total = self.total.load(Ordering::Relaxed).max(bytes);
        if files > 0 && bytes > 0 {
            observer.progress(&Progress::Downloading {
                name: format!("{done}/{files} files"),
                bytes,
                total: Some(total),
            });
        }
        if observer.wants_stop() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Client {
    /// With the certificates of `SSL_CERT_FILE`, the proxies of the variables that name them, and what `UV_INDEX_*` and the
    /// URLs of `indexes` say of who asks.
    pub(crate) fn new(
        indexes: &[Index],
        variables: &Variables,
        limit: Duration,
        is_offline: bool,
    ) -> Result<Self, VendorError> {
        let tls = TlsConfig::builder().root_certs(root_certificates(variables)?).build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .timeout_connect(Some(limit))
            .timeout_recv_response(Some(limit))
            .timeout_per_read(Some(limit))
            .tls_config(tls)
            .user_agent(concat!("uvenv/", env!("CARGO_PKG_VERSION")));
        let credentials = indexes.iter().filter_map(|index| credentials(index, variables)).collect();
        Ok(Self { agent: config.build().into(), credentials, is_offline })
    }

    /// Gets `archive` into `directory`, where it has its own name once all of it is there and is what was locked. What
    /// an interrupted run has left in `partial` is gone on with.
    pub(crate) fn fetch(
        &self,
        archive: &Archive,
        directory: &Utf8Path,
        partial: &Utf8Path,
        tally: &Tally,
    ) -> Result<(), VendorError> {
        let part = partial.join(format!("{}.part", archive.file));
        let shown = archive.location.text();
        match &archive.location {
            Location::Path(_, path) => copy(path, &part, tally)?,
            Location::Url(url) => match file_path(url) {
                Some(path) => copy(&path, &part, tally)?,
                None if self.is_offline => {
                    return Err(VendorError::offline(url));
                }
                None => self.download(url, &part, tally)?,
            },
        }
        if let Err(error) = archive.check(&part, shown) {
            // Otherwise it would be gone on with.
            fs::remove_file(&part).map_err(VendorError::unusable(&part))?;
            return Err(error);
        }
        let target = directory.join(&archive.file);
        fs::rename(&part, &target).map_err(VendorError::unusable(&target))?;
        tally.files.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn download(&self, url: &str, part: &Utf8Path, tally: &Tally) -> Result<(), VendorError> {
        let mut fruitless = 0;
        let mut here = length(part);
        tally.bytes.fetch_add(here, Ordering::Relaxed);
        loop {
            let problem = match self.go_on(url, part, tally) {
                Ok(()) => return Ok(()),
                Err(Failed::Finally(error)) => return Err(error),
                Err(Failed::Now(problem)) => problem,
            };
            let now = length(part);
            fruitless = if now > here { 0 } else { fruitless + 1 };
            here = now;
            if fruitless >= ATTEMPTS {
                return Err(VendorError::download(url, &problem));
            }
        }
    }

    /// Downloads what is not in `part` yet.
    fn go_on(&self, url: &str, part: &Utf8Path, tally: &Tally) -> Result<(), Failed> {
        let here = length(part);
        let mut request = self.agent.get(git_url::plain(url));
        if let Some((_, told)) = self.credentials.iter().find(|(host, _)| host_of(url) == Some(host)) {
            request = request.header("Authorization", told);
        }
        if here > 0 {
            request = request.header("Range", format!("bytes={here}-"));
        }
        let response = request.call().map_err(|error| Failed::Now(error.to_string()))?;
        let is_continued = response.status() == StatusCode::PARTIAL_CONTENT;
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
            // All of it is here, which its hash will show.
            StatusCode::RANGE_NOT_SATISFIABLE => return Ok(()),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(Failed::Now(format!("the server answers {status}")));
            }
            status => return Err(Failed::Finally(VendorError::download(url, &format!("the server answers {status}")))),
        }
        let unusable = |error| Failed::Finally(VendorError::unusable(part)(error));
        if !is_continued {
            tally.bytes.fetch_sub(here, Ordering::Relaxed);
        }
        let options =
            OpenOptions::new().create(true).write(true).append(is_continued).truncate(!is_continued).to_owned();
        write(response, options.open(part).map_err(unusable)?, tally).map_err(|error| match error {
            Broken::Interrupted(interrupted) => Failed::Finally(interrupted.into()),
            Broken::Read(error) => Failed::Now(error.to_string()),
            Broken::Write(error) => unusable(error),
        })
    }
}

/// Why a download has not got to its end.
enum Failed {
    /// For now: it is worth to try again.
    Now(String),
    Finally(VendorError),
}

enum Broken {
    Interrupted(Interrupted),
    Read(io::Error),
    Write(io::Error),
}

fn write(response: Response<ureq::Body>, mut file: File, tally: &Tally) -> Result<(), Broken> {
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        tally.check().map_err(Broken::Interrupted)?;
        let count = body.read(&mut buffer).map_err(Broken::Read)?;
        if count == 0 {
            return Ok(());
        }
        file.write_all(&buffer[..count]).map_err(Broken::Write)?;
        tally.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
}

fn copy(path: &Utf8Path, part: &Utf8Path, tally: &Tally) -> Result<(), VendorError> {
    let copied = fs::copy(path, part).map_err(VendorError::unusable(path))?;
    tally.bytes.fetch_add(copied, Ordering::Relaxed);
    Ok(())
}

fn length(path: &Utf8Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

impl Archive {
    /// Whether the file at `path` is what was locked, by the strongest hash that the lockfile has.
    pub(crate) fn check(&self, path: &Utf8Path, shown: &str) -> Result<(), VendorError> {
        let unusable = VendorError::unusable(path);
        for (algorithm, expected) in &self.hashes {
            let (algorithm, found) = match algorithm.as_str() {
                "sha512" => ("SHA-512", checksum::of::<Sha512>(path)),
                "sha384" => ("SHA-384", checksum::of::<Sha384>(path)),
                "sha256" => ("SHA-256", checksum::of::<Sha256>(path)),
                _ => continue,
            };
            let (url, found) = (shown.to_owned(), checksum::hexadecimal(&found.map_err(unusable)?));
            let expected = expected.to_ascii_lowercase();
            return if found == expected { Ok(()) } else { Err(VendorError::Hash { url, algorithm, expected, found }) };
        }
        // An index without hashes: uv, too, has nothing to compare.
        Ok(())
    }
}

/// The certificates of `SSL_CERT_FILE`, as for uv and curl; else those that Mozilla trusts.
fn root_certificates(variables: &Variables) -> Result<RootCerts, VendorError> {
    let Some(path) = variables.get("SSL_CERT_FILE").filter(|path| !path.is_empty()) else {
        return Ok(RootCerts::WebPki);
    };
    let path = Utf8Path::new(path);
    let text = fs::read(path).map_err(VendorError::unusable(path))?;
    let certificates = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    Ok(RootCerts::new_with_certs(&certificates.collect::<Vec<_>>()))
}

/// What the host of an index is told: `UV_INDEX_NAME_USERNAME` and `UV_INDEX_NAME_PASSWORD`, else what its URL says.
fn credentials(index: &Index, variables: &Variables) -> Option<(String, String)> {
    let url = index.url.as_str();
    let of_variables = || {
        let name: String = index
            .name
            .as_deref()?
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        let get = |what| variables.get(&format!("UV_INDEX_{name}_{what}")).map(str::to_owned);
        let (user, password) = (get("USERNAME"), get("PASSWORD"));
        (user.is_some() || password.is_some()).then(|| (user.unwrap_or_default(), password.unwrap_or_default()))
    };
    let of_url = || {
        let (user, _) = url.split_once("://")?.1.split('/').next()?.rsplit_once('@')?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        Some((decoded(user), decoded(password)))
    };
    let (user, password) = of_variables().or_else(of_url)?;
    Some((host_of(url)?.to_owned(), format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))))
}

/// The host of a URL, with its port.
fn host_of(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// The path of a `file:` URL.
fn file_path(url: &str) -> Option<Utf8PathBuf> {
    let path = url.strip_prefix("file://")?.split(['?', '#']).next()?;
    let path = percent_decode_str(path).decode_utf8().ok()?;
    // `file:///C:/wheels/a.whl`
    let path = if cfg!(windows) { path.trim_start_matches('/') } else { &path };
    Some(path.into())
}
