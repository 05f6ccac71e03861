//! Base images for the tests, and what reads images besides uvenv: umoci, skopeo and a registry.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;

use crate::programs::{all_on_path, answer, made_once, run, scratch};

/// Debian's packages of the programs that the tests of images need.
const PACKAGES: [&str; 4] = ["mmdebstrap", "umoci", "skopeo", "docker-registry"];

/// What makes the base, the same each time.
pub const DEBIAN_BASE: [&str; 5] = [
    "SOURCE_DATE_EPOCH=1700000000",
    "mmdebstrap",
    "--variant=essential",
    "--include=python3.11-minimal,libpython3.11-stdlib",
    "bookworm",
];

/// How long a registry may take to start.
const START: Duration = Duration::from_secs(20);

/// A small Debian with Python 3.11: `rootfs.tar`, and the same as the image `debian` in `layout`.
pub fn debian_base() -> &'static Utf8Path {
    static BASE: OnceLock<Utf8PathBuf> = OnceLock::new();
    BASE.get_or_init(|| {
        let home = scratch().join("debian-python3.11");
        made_once(&home, |unfinished| {
            let tar = unfinished.join("rootfs.tar");
            let [time, name, arguments @ ..] = DEBIAN_BASE;
            let (variable, value) = time.split_once('=').expect("a variable");
            run(program(name).env(variable, value).args(arguments).arg(&tar));
            let layout = unfinished.join("layout");
            let image = format!("{layout}:debian");
            run(program("umoci").args(["init", "--layout", layout.as_str()]));
            run(program("umoci").args(["new", "--image", &image]));
            run(program("umoci").args(["raw", "add-layer", "--image", &image, tar.as_str()]));
            // Other users make images of it too.
            run(Command::new("chmod").args(["-R", "a+rX", unfinished.as_str()]));
        });
        home
    })
}

/// Starts a program of Debian, which is installed if it is missing and this is root.
pub fn program(name: &str) -> Command {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    if all_on_path(name).next().is_none() && is_root() {
        INSTALLED.get_or_init(|| {
            run(Command::new("apt-get").args(["update", "-qq"]));
            let install = ["install", "-qq", "--yes", "--no-install-recommends"];
            run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(install).args(PACKAGES));
        });
    }
    let found = all_on_path(name).next();
    Command::new(found.unwrap_or_else(|| panic!("install {}: the tests need {name}", PACKAGES.join(", "))))
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    answer(Command::new("id").arg("-u")).trim() == "0"
}

/// What skopeo says of an image, such as `oci:LAYOUT:TAG`.
pub fn inspected(image: &str, options: &[&str]) -> Value {
    let said = answer(program("skopeo").arg("inspect").args(options).arg(image));
    serde_json::from_str(&said).expect("skopeo prints JSON")
}

/// An image that umoci has unpacked, to run programs in it.
pub struct Container {
    _directory: TempDir,
    root: Utf8PathBuf,
    process: Value,
}

impl Container {
    /// Unpacks an image of a layout.
    pub fn of(layout: &Utf8Path, tag: &str) -> Self {
        let directory = TempDir::with_prefix("uvenv-container-").expect("a temporary directory");
        let bundle = Utf8Path::from_path(directory.path()).expect("UTF-8").join("bundle");
        let rootless = (!is_root()).then_some("--rootless");
        let image = format!("{layout}:{tag}");
        run(program("umoci").arg("unpack").args(rootless).args(["--image", &image, bundle.as_str()]));
        let config = fs::read_to_string(bundle.join("config.json")).expect("umoci writes it");
        let config: Value = serde_json::from_str(&config).expect("JSON");
        Self { _directory: directory, root: bundle.join("rootfs"), process: config["process"].clone() }
    }

    /// The root directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The command that the image says.
    pub fn entrypoint(&self) -> Vec<String> {
        strings(&self.process["args"])
    }

    /// The variables that the image sets.
    pub fn variables(&self) -> Vec<String> {
        strings(&self.process["env"])
    }

    /// A program in the container, as the image says: its variables, its directory, its user.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(if is_root() { "chroot" } else { "unshare" });
        if !is_root() {
            command.args(["--map-root-user", "chroot"]);
        }
        let user = &self.process["user"];
        let (uid, gid) = (user["uid"].as_u64().unwrap_or_default(), user["gid"].as_u64().unwrap_or_default());
        let directory = self.process["cwd"].as_str().expect("a directory");
        command
            .arg(format!("--userspec={uid}:{gid}"))
            .args([self.root.as_str(), "/usr/bin/env", "-i"])
            .args(self.variables())
            .args(["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", directory])
            .args(arguments);
        command
    }

    /// What a program prints, which must succeed.
    pub fn answer(&self, arguments: &[&str]) -> String {
        answer(&mut self.program(arguments))
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// A registry on the loopback interface, without TLS.
pub struct Registry {
    process: Child,
    port: u16,
    _directory: TempDir,
}

impl Registry {
    /// Starts one.
    pub fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = port.expect("a free port").port();
        let directory = TempDir::with_prefix("uvenv-registry-").expect("a temporary directory");
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            directory.path().join("storage").display()
        );
        let file = directory.path().join("config.yml");
        fs::write(&file, configuration).expect("it can be written");
        let process =
            program("docker-registry").arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let registry = Self { process: process.expect("the registry starts"), port, _directory: directory };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < START, "the registry answers");
            thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// The name of an image in it.
    pub fn image(&self, name: &str) -> String {
        format!("127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
