//! A git server over smart HTTP on loopback: git's own `http-backend`, with authentication, with a gate that only opens
//! when many are before it, and with repositories that never answer.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::Stdio,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use camino::Utf8PathBuf;

use crate::programs::git;

/// How long a request waits for others before it continues alone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of the bare repositories in a directory. It lives as long as the test process.
#[derive(Debug)]
pub struct GitServer {
    address: String,
    served: Arc<Served>,
}

#[derive(Debug)]
struct Served {
    root: Utf8PathBuf,
    /// `user:password` in base 64, where it is needed.
    authorization: Option<&'static str>,
    /// Whether the server lists commits but refuses to send them.
    is_secretive: bool,
    /// How many requests must arrive before any is answered.
    together: usize,
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    is_open: bool,
    /// Whether a request has timed out, so that all continue alone.
    has_given_up: bool,
    requests: Vec<String>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl GitServer {
    /// Serves the repositories in `root`.
    pub fn of(root: Utf8PathBuf) -> Self {
        Self::start(root, None, 0, false)
    }

    /// The same, but it lists tags and fails when their commits are fetched.
    pub fn without_commits(root: Utf8PathBuf) -> Self {
        Self::start(root, None, 0, true)
    }

    /// The same, but only for the user `fixture` with the password `secret`.
    pub fn with_password(root: Utf8PathBuf) -> Self {
        Self::start(root, Some("Zml4dHVyZTpzZWNyZXQ="), 0, false)
    }

    /// The same, but it answers only after `clients` have connected.
    pub fn for_many(root: Utf8PathBuf, clients: usize) -> Self {
        Self::start(root, None, clients, false)
    }

    fn start(root: Utf8PathBuf, authorization: Option<&'static str>, together: usize, is_secretive: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let state = Mutex::new(State { is_open: together == 0, ..State::default() });
        let served = Arc::new(Served { root, authorization, is_secretive, together, state, arrived: Condvar::new() });
        let this = Self { address, served: Arc::clone(&served) };
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let served = Arc::clone(&served);
                thread::spawn(move || served.answer(stream));
            }
        });
        this
    }

    /// The URL of a repository. A repository named `hangs` never answers.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}.git", self.address)
    }

    /// The requests since the last call: method and path.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.served.state.lock().expect("no test has panicked").requests)
    }

    /// Makes requests wait again until the same number has arrived.
    pub fn close(&self) {
        let mut state = self.served.state.lock().expect("no test has panicked");
        (state.waiting, state.is_open) = (0, false);
    }

    /// Whether all expected requests arrived together.
    pub fn has_served_all_together(&self) -> bool {
        let state = self.served.state.lock().expect("no test has panicked");
        state.is_open && !state.has_given_up
    }
}

impl Served {
    /// Answers one request. Ignores a client that has disconnected.
    fn answer(&self, stream: TcpStream) {
        let mut writer = stream.try_clone().expect("a socket can be shared");
        let Some(request) = Request::read(&mut BufReader::new(stream)) else { return };
        self.state.lock().expect("no test has panicked").requests.push(format!("{} {}", request.method, request.path));
        if request.path.starts_with("/hangs") {
            thread::park_timeout(Duration::from_mins(10));
            return;
        }
        let given = request.headers.get("authorization").and_then(|text| text.strip_prefix("Basic "));
        if self.authorization.is_some() && given != self.authorization {
            let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\n\
                           Connection: close\r\n\r\n";
            let _ = writer.write_all(refusal.as_bytes());
            return;
        }
        let is_fetch = request.body.windows(13).any(|bytes| bytes == b"command=fetch");
        if self.is_secretive && is_fetch {
            let _ = writer
                .write_all(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        self.wait_for_others();
        let _ = writer.write_all(&self.backend(&request));
    }

    fn wait_for_others(&self) {
        let mut state = self.state.lock().expect("no test has panicked");
        state.waiting += 1;
        state.is_open |= state.waiting >= self.together;
        self.arrived.notify_all();
        let waited = self.arrived.wait_timeout_while(state, PATIENCE, |state| !state.is_open && !state.has_given_up);
        let (mut state, waited) = waited.expect("no test has panicked");
        state.has_given_up |= waited.timed_out();
        self.arrived.notify_all();
    }

    /// Git's response. Git is a CGI program (RFC 3875), and its `Status` becomes the status line.
    fn backend(&self, request: &Request) -> Vec<u8> {
        let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
        let mut child = git()
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", &request.path)
            .env("QUERY_STRING", &request.query)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
            .env("GIT_PROTOCOL", header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("git starts");
        let mut stdin = child.stdin.take().expect("piped");
        let body = request.body.clone();
        let writing = thread::spawn(move || drop(stdin.write_all(&body)));
        let output = child.wait_with_output().expect("git ends").stdout;
        writing.join().expect("it does not panic");
        let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("git writes headers");
        let (headers, body) = (String::from_utf8_lossy(&output[..end]), &output[end + 4..]);
        let status = headers.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        let rest: Vec<_> = headers.lines().filter(|line| !line.starts_with("Status: ")).collect();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\n{}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
            rest.join("\r\n")
        );
        [head.as_bytes(), body].concat()
    }
}

impl Request {
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { path: path.to_owned(), query: query.to_owned(), method, headers, body })
    }
}
