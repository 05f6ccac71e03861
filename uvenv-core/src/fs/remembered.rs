//! What programs have answered, in uvenv's cache: a program that has not changed is not asked again.

use std::{
    fs,
    io::{self, Read as _},
    time::SystemTime,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    atomic, cache,
    digest::digest,
    stamp::{Stat, is_settled, stat_of},
};
use crate::model::Variables;

/// The answer of a program, and the metadata of the files that decide it.
#[derive(Debug, Serialize, Deserialize)]
struct Answer<T> {
    stats: Vec<Option<Stat>>,
    answer: T,
}

/// A question to a program.
pub(crate) struct Remembered {
    /// Where the answer is kept, and what the files are now; `None` if the answer can be different the next time.
    place: Option<(Utf8PathBuf, Vec<Option<Stat>>)>,
}

impl Remembered {
    /// Asks `program` a question of a kind, which is the name of a directory. `others` are the files that decide the answer
    /// besides the program. A script may start another program the next time.
    pub(crate) fn new(
        (kind, question): (&str, &str),
        program: &Utf8Path,
        others: &[&str],
        variables: &Variables,
    ) -> Self {
        let now = SystemTime::now();
        let place = || {
            let stat = stat_of(program).filter(|stat| is_settled(stat, now))?;
            (!is_script(program).unwrap_or(true)).then_some(())?;
            let others = others.iter().map(|path| stat_of(Utf8Path::new(path)));
            let name = format!("{}.json", digest(question.as_bytes()));
            let path = cache::directory(variables).ok()?.join(kind).join(name);
            Some((path, [Some(stat)].into_iter().chain(others).collect()))
        };
        Self { place: place() }
    }

    /// Always asks.
    pub(crate) fn never() -> Self {
        Self { place: None }
    }

    /// Returns the answer, if nothing has changed since.
    pub(crate) fn known<T: DeserializeOwned>(&self) -> Option<T> {
        let (path, stats) = self.place.as_ref()?;
        let known: Answer<T> = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (known.stats == *stats).then_some(known.answer)
    }

    /// Keeps the answer. A failure to do so is harmless.
    pub(crate) fn keep<T: Serialize>(&self, answer: T) {
        let Some((path, stats)) = &self.place else { return };
        let Ok(text) = serde_json::to_string(&Answer { stats: stats.clone(), answer }) else { return };
        // Only commands that need a cache create it, not those that only read.
        let _ = path.parent().map(fs::create_dir);
        let _ = atomic::replace_cached(path, text);
    }
}

/// Whether a program is a script, which may start others.
pub(crate) fn is_script(path: &Utf8Path) -> io::Result<bool> {
    let mut start = [0; 2];
    fs::File::open(path)?.read_exact(&mut start)?;
    Ok(start == *b"#!")
}

#[cfg(all(test, unix))]
mod tests {
    use std::{thread, time::Duration};

    use super::*;
    use crate::fs::TestTree;

    #[test]
    fn forgets_the_answer_of_a_program_that_has_changed() {
        let tree = TestTree::new();
        let variables: Variables = [("UVENV_CACHE_DIR", tree.join("cache").as_str())].into_iter().collect();
        fs::create_dir(tree.join("cache")).unwrap();
        let (program, script) = (tree.write("program", "\x7fELF"), tree.write("script", "#!/bin/sh"));
        let other = tree.write("other", "1");
        let ask = |question, program| Remembered::new(("answers", question), program, &[other.as_str()], &variables);
        let known = |question, program| ask(question, program).known::<String>();
        // A file that has just changed may change again with the same metadata.
        ask("one", &program).keep("early");
        assert_eq!(known("one", &program), None);
        thread::sleep(Duration::from_millis(2100));
        ask("one", &program).keep("answer");
        ask("script", &script).keep("answer");
        assert_eq!(known("one", &program).as_deref(), Some("answer"));
        assert_eq!((known("two", &program), known("script", &script)), (None, None));
        tree.write("other", "22");
        assert_eq!(known("one", &program), None);
    }
}
