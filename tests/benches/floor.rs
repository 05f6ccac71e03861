//! What it takes at least to see that nothing is to be done in a monorepo: a look at each manifest and at each installed
//! distribution or, with `all`, at each file that uv goes by. Compiled and timed by `commands.py`.

use std::{env, fs, path::Path};

fn main() {
    let root = env::args().nth(1).expect("the root of a monorepo");
    let (member, distribution): (&[&str], &[&str]) = match env::args().nth(2) {
        None => (&["pyproject.toml"], &[""]),
        Some(_) => (&["", "pyproject.toml"], &["", "WHEEL", "direct_url.json", "uv_build.json", "uv_cache.json"]),
    };
    let root = Path::new(&root);
    let mut looks = looks(&root.join("packages"), member);
    for library in fs::read_dir(root.join(".venv/lib")).expect("an environment").flatten() {
        looks += self::looks(&library.path().join("site-packages"), distribution);
    }
    assert!(looks > 0);
}

/// Looks at the files `names` in each directory in `directory`.
fn looks(directory: &Path, names: &[&str]) -> usize {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let paths = entries.flat_map(|entry| names.iter().map(move |name| entry.path().join(name)));
    paths.filter(|path| fs::metadata(path).is_ok()).count()
}
