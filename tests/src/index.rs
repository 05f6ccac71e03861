//! Package indexes on the loopback interface: one for each CUDA version, with a stand-in for torch, and one of a
//! distribution that takes long to install.

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

use crate::programs::{made_once, run, scratch};

/// Makes the wheels. A change to it changes the directory and so the URLs, so that uv's cache does not have them.
const WHEELS: &str = include_str!("wheels.py");

static STARTED: OnceLock<Index> = OnceLock::new();

/// The index of this test process.
#[derive(Debug)]
pub struct Index {
    url: String,
}

impl Index {
    /// The URL of the simple index `cu124` or `cu128`, which have torch, of `large`, which has `large`, or of `small` and
    /// `other`, which have small ones.
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
                // A client that disconnects early is not an error of the index.
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
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
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
    let links: Vec<String> = names
        .filter(|name| name.split('-').next() == Some(&project.replace('-', "_")))
        .map(|name| format!("<a href=\"../../files/{}\">{name}</a>\n", name.replace('+', "%2B")))
        .collect();
    let links = links.concat();
    (!links.is_empty()).then(|| format!("<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n").into_bytes())
}
