use std::{fs, process::Command};

use super::*;

fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(directory.path().canonicalize().unwrap()).unwrap();
    (directory, path)
}

fn starter(path: &Utf8Path) -> Request {
    Request { path: path.to_owned(), packages: Packages::Starter, local_remotes: false }
}

fn with_remotes(path: &Utf8Path) -> Request {
    Request { local_remotes: true, ..starter(path) }
}

fn make(request: &Request) -> uvenv_core::Result<NewReport> {
    lay_out(request, &Variables::from_process())
}

fn said(error: &uvenv_core::Error) -> String {
    format!("error[{}]: {error}", error.code())
}

/// Returns all paths below `directory`, except for `.git` and its contents.
fn tree(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for entry in directory.read_dir_utf8().unwrap().map(Result::unwrap) {
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            found.extend(tree(entry.path()));
        }
        found.push(entry.path().to_owned());
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "an oracle that shares no code with what it checks")]
fn git(repository: &Utf8Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(repository).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn starter_never_mentions_the_model_package() {
    let (_guard, directory) = temporary();
    let path = directory.join("mine");
    let report = make(&starter(&path)).unwrap();
    assert_eq!(report.packages, ["bench-utils", "model-interface", "print-utils"]);
    let files = tree(&path);
    assert!(files.len() > 40, "{files:?}");
    for file in files {
        let content = if file.is_file() { fs::read_to_string(&file).unwrap() } else { String::new() };
        let text = format!("{}{content}", file.strip_prefix(&directory).unwrap()).to_lowercase();
        assert!(!text.contains("qwen"), "{file}");
    }
}

#[test]
fn creates_a_git_repository_unless_already_inside_one() {
    let (_guard, directory) = temporary();
    let first = directory.join("first");
    assert!(make(&starter(&first)).unwrap().repository);
    assert_eq!(git(&first, &["rev-parse", "--show-toplevel"]), first);
    let second = first.join("second/third");
    assert!(!make(&starter(&second)).unwrap().repository);
    assert!(second.join("Cargo.toml").is_file() && !second.join(".git").exists());
}

#[test]
fn names_the_project_after_its_directory() {
    let (_guard, directory) = temporary();
    let path = directory.join("My \"new\" bench's $(id)");
    let report = make(&with_remotes(&path)).unwrap();
    assert_eq!(report.project.as_str(), "my-new-bench-s-id");
    for manifest in ["pyproject.toml", "staging/pyproject.toml", "prod/pyproject.toml"] {
        let text = fs::read_to_string(path.join(manifest)).unwrap();
        assert!(text.contains("\nname = \"my-new-bench-s-id\"\n"), "{text}");
    }
    let remote = &report.remotes[0];
    assert!(remote.url.ends_with("/My%20%22new%22%20bench%27s%20%24%28id%29-remotes/bench-utils.git"));
    assert_eq!(git(&directory, &["ls-remote", &remote.url, "HEAD"]).split('\t').next(), Some(&*remote.tags[1].commit));
}

#[test]
fn rejects_invalid_project_names() {
    let (_guard, directory) = temporary();
    for (name, problem) in [
        ("日本", "its last component has no ASCII letter or digit"),
        ("Bench_Utils", "`bench-utils` is a package that the project depends on"),
    ] {
        let path = directory.join(name);
        let error = make(&with_remotes(&path)).unwrap_err();
        assert_eq!(said(&error), format!("error[invalid-project-name]: `{path}` cannot name a project: {problem}"));
    }
    assert_eq!(tree(&directory), [""; 0]);
}

#[test]
fn remotes_have_the_tags_that_staging_and_prod_pin() {
    let (_guard, directory) = temporary();
    let path = directory.join("mine");
    let report = make(&Request { packages: Packages::All, ..with_remotes(&path) }).unwrap();
    assert_eq!(report.remotes.len(), 4);
    for remote in &report.remotes {
        assert_eq!(remote.path, directory.join(format!("mine-remotes/{}.git", remote.package)));
        assert_eq!(git(&remote.path, &["tag", "--list"]), "v0.1.2\nv0.1.2.dev0");
        for (tag, profile) in remote.tags.iter().zip(["staging", "prod"]) {
            let version = tag.name.strip_prefix('v').unwrap();
            let shown = git(&remote.path, &["show", &format!("{}:pyproject.toml", tag.name)]);
            assert!(shown.contains(&format!("\nversion = \"{version}\"\n")), "{shown}");
            assert_eq!(git(&remote.path, &["rev-parse", &format!("{}^{{commit}}", tag.name)]), tag.commit);

            let manifest = fs::read_to_string(path.join(profile).join("pyproject.toml")).unwrap();
            let pin = format!("\n{} = {{ git = \"{}\", tag = \"{}\" }}\n", remote.package, remote.url, tag.name);
            assert!(manifest.contains(&pin), "{pin} in {manifest}");
        }
        let package = path.join("packages").join(&remote.package);
        let in_git = git(&remote.path, &["ls-tree", "-r", "--name-only", "v0.1.2"]).lines().count();
        assert_eq!(in_git, tree(&package).iter().filter(|path| path.is_file()).count());
    }
    let left = tree(&directory).into_iter().filter(|path| path.as_str().contains(".uvenv-new"));
    assert_eq!(left.count(), 0);
}

#[test]
fn rejects_an_existing_destination_and_keeps_it() {
    let (_guard, directory) = temporary();
    let refused = |name: &str, message: &str| {
        let before = tree(&directory);
        let error = make(&with_remotes(&directory.join(name))).unwrap_err();
        assert_eq!(said(&error), format!("error[destination-exists]: `{directory}/{message}"));
        assert_eq!(tree(&directory), before);
    };
    fs::create_dir(directory.join("full")).unwrap();
    fs::write(directory.join("full/notes.txt"), "mine").unwrap();
    refused("full", "full` is a directory that is not empty");
    refused("full/notes.txt", "full/notes.txt` exists and is no directory");
    fs::create_dir(directory.join("new-remotes")).unwrap();
    refused("new", "new-remotes` exists already");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", directory.join("link")).unwrap();
        refused("link", "link` exists already");
    }
}

#[test]
fn fills_an_empty_directory_without_replacing_it() {
    let (_guard, directory) = temporary();
    let path = directory.join("empty");
    fs::create_dir(&path).unwrap();
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
    assert!(make(&starter(&path)).unwrap().repository);
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap()), inode);
    assert!(path.join(".git/HEAD").is_file() && path.join("prod/pyproject.toml").is_file());
    assert!(!tree(&path).iter().any(|path| path.as_str().contains(".uvenv-new")));
}

#[test]
fn creates_a_monorepo_but_no_remotes_without_git() {
    let (_guard, directory) = temporary();
    let variables = Variables::from_iter([("PATH", "/no/such")]);
    let error = lay_out(&with_remotes(&directory.join("mine")), &variables).unwrap_err();
    assert_eq!(error.code(), "git-not-found");
    assert_eq!(tree(&directory), [""; 0]);
    let report = lay_out(&starter(&directory.join("mine")), &variables).unwrap();
    assert!(!report.repository && report.path.join("Cargo.toml").is_file());
}
