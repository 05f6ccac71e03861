//! Git remotes: bare repositories with one commit and one annotated tag for each version of a package.

use std::{io::Write as _, process::Stdio};

use camino::Utf8Path;

use crate::programs::{git, run};

/// The files of a package at one version: path in the repository and text.
pub(crate) type Tree = Vec<(String, String)>;

/// Makes the bare repository `remote` whose history is `versions`, each with the tag `v` and its version.
pub(crate) fn make(remote: &Utf8Path, versions: &[(&str, Tree)]) {
    run(git().args(["init", "--quiet", "--bare", "--initial-branch=main", remote.as_str()]));
    let mut import = git()
        .args(["-C", remote.as_str(), "fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git starts");
    let stream = history(versions);
    import.stdin.take().expect("piped").write_all(stream.as_bytes()).expect("git reads its input");
    assert!(import.wait().expect("git ends").success(), "git takes the history\n{stream}");
}

/// The input of `git fast-import`.
fn history(versions: &[(&str, Tree)]) -> String {
    let mut stream = Vec::new();
    for (number, (version, tree)) in versions.iter().enumerate() {
        let mark = number + 1;
        let when = format!("Fixture <fixture@example.com> {} +0000", 1_735_689_600 + 3600 * number);
        stream.push(format!("commit refs/heads/main\nmark :{mark}\ncommitter {when}\n{}", data(version)));
        if number > 0 {
            stream.push(format!("from :{number}\n"));
        }
        stream.extend(tree.iter().map(|(path, text)| format!("M 100644 inline {path}\n{}", data(text))));
        stream.push(format!("tag v{version}\nfrom :{mark}\ntagger {when}\n{}", data(version)));
    }
    stream.concat()
}

fn data(text: &str) -> String {
    format!("data {}\n{text}\n", text.len())
}
