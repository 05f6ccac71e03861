//! Package indexes on the loopback interface: one for each CUDA version, with a stand-in for torch, and one of a
//! distribution that takes long to install. They give the hashes of their files, and parts of them; `private` asks for a
//! password.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::OnceLock,
    thread,
};

use camino::Utf8Path;
use sha2::{Digest as _, Sha256};

use crate::programs::{made_once, run, scratch};

/// Makes the wheels; a change of it makes another directory, and so other URLs, than uv's cache knows.
const WHEELS: &str = include_str!("wheels.py");

static STARTED: OnceLock<Index> = OnceLock::new();

/// The index of this test process.
#[derive(Debug)]
pub struct Index {
    url: String,
}

impl Index {
    /// The URL of the simple index `cu124` or `cu128`, which have torch, of `large`, which has `large`, of `small`, which
    /// has small ones, of `native`, which has wheels for certain platforms and a source distribution, or of `private`,
    /// which has `alpha-lib` for who says `reader` and `secret`.
    pub fn url(index: &str) -> String {
        format!("{}/{index}/simple", STARTED.get_or_init(Self::start).url)
    }

    pub(crate) fn url_if_started() -> String {
        STARTED.get().map(|index| index.url.clone()).unwrap_or_default()
    }

    fn start() -> Self {
        let mut hasher = DefaultHasher::new();
        WHEELS.hash(&mut hasher);
        let edition = format!("{:016x}", hasher.finish());
        let wheels = scratch().join("wheels").join(&edition);
        made_once(&wheels, |unfinished| {
            run(Command::new("python3").args(["-c", WHEELS, unfinished.as_str()]));
        });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/{edition}", listener.local_addr().expect("it is bound"));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let wheels = wheels.clone();
                // A client that hangs up early is no failure of the index.
                thread::spawn(move || drop(serve(stream, &wheels)));
            }
        });
        Self { url }
    }
}

/// Answers one request: `/EDITION/INDEX/simple/PROJECT/` or `/EDITION/INDEX/files/WHEEL`.
fn serve(mut stream: TcpStream, wheels: &Utf8Path) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let (mut from, mut may_read) = (0, false);
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        let (name, value) = header.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "range" => from = value.trim().trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap_or(0),
            // `reader:secret`
            "authorization" => may_read = value.trim() == "Basic cmVhZGVyOnNlY3JldA==",
            _ => {}
        }
        header.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let found = match parts[..] {
        [_, index, "simple", project] => listing(&wheels.join(index), project).map(|page| ("text/html", page)),
        [_, index, "files", wheel] => {
            fs::read(wheels.join(index).join(wheel.replace("%2B", "+"))).ok().map(|bytes| ("application/zip", bytes))
        }
        _ => None,
    };
    let (status, kind, body) = match found {
        _ if parts.get(1) == Some(&"private") && !may_read => ("401 Unauthorized", "text/plain", Vec::new()),
        Some((kind, body)) if from > 0 => ("206 Partial Content", kind, body.get(from..).unwrap_or_default().to_vec()),
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", b"not found".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    if !request.starts_with("HEAD ") {
        stream.write_all(&body)?;
    }
    Ok(())
}

fn listing(wheels: &Utf8Path, project: &str) -> Option<Vec<u8>> {
    let names = wheels.read_dir_utf8().ok()?.flatten().map(|entry| entry.file_name().to_owned());
    let names = names.filter(|name| name.split('-').next() == Some(&project.replace('-', "_")));
    let links = names.filter_map(|name| {
        let hash: String = format!("{:x}", Sha256::digest(fs::read(wheels.join(&name)).ok()?));
        Some(format!("<a href=\"../../files/{}#sha256={hash}\">{name}</a>\n", name.replace('+', "%2B")))
    });
    let links: Vec<String> = links.collect();
    let links = links.concat();
    (!links.is_empty()).then(|| format!("<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n").into_bytes())
}
