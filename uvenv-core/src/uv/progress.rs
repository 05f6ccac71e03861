//! Determines what uv is doing from its output for people: the bars and spinners on a terminal, or the lines that it
//! writes instead if there is no terminal. Supports the output of uv 0.7 to 0.13 and ignores anything unknown.

mod frame;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    mem::discriminant,
    time::{Duration, Instant},
};

use crate::{
    model::{Observer, Progress},
    process::{Follower, Invocation, Streamed},
};

/// How often progress within a step is reported.
const PERIOD: Duration = Duration::from_millis(100);

/// Runs uv and reports to `observer` what it does and, if `is_shown` is set, what it prints.
pub(crate) fn follow(invocation: &Invocation, observer: &dyn Observer, is_shown: bool) -> io::Result<Streamed> {
    // uv draws no bars without colours, and hardly any in a notebook.
    let invocation = invocation.clone().env("TERM", "xterm-256color").env_remove("NO_COLOR");
    let invocation = invocation.env_remove("JPY_SESSION_NAME");
    invocation.follow(&mut Reader::new(observer, is_shown, PERIOD))
}

/// Reports new output of uv to an observer.
struct Reader<'a> {
    observer: &'a dyn Observer,
    is_shown: bool,
    period: Duration,
    /// What was last reported for each phase, and when.
    reported: BTreeMap<Phase, (Progress, Instant)>,
    /// The files that are being downloaded.
    downloads: BTreeSet<String>,
}

/// The subject of a step. Steps with the same subject follow each other.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Resolution,
    Preparation,
    Installation,
    Download(String),
    Repository(String),
    Build(String),
}

impl Follower for Reader<'_> {
    fn line(&mut self, line: &str) {
        if let Some(progress) = line_step(line).or_else(|| step(line)) {
            let ends_phase = matches!(
                progress,
                Progress::Resolved { .. } | Progress::Preparing { .. } | Progress::Installing { .. }
            );
            if ends_phase {
                self.finish_downloads(|_| false);
            }
            self.report(progress);
        }
        if self.is_shown {
            self.observer.say(line);
        }
    }

    fn frame(&mut self, rows: &[String], is_whole: bool) {
        let mut there = BTreeSet::new();
        for progress in rows.iter().filter_map(|row| frame::step(row).or_else(|| step(row))) {
            if let Progress::Downloading { name, .. } = &progress {
                there.insert(name.clone());
            }
            // uv shows a total of zero until it knows the actual one.
            if !matches!(progress, Progress::Preparing { total: 0, .. } | Progress::Installing { total: 0, .. }) {
                self.report(progress);
            }
        }
        if is_whole {
            self.finish_downloads(|name| there.contains(name));
        }
    }

    fn is_transient(&self, row: &str) -> bool {
        frame::is_transient(row)
    }

    fn wants_stop(&self) -> bool {
        self.observer.wants_stop()
    }
}

impl<'a> Reader<'a> {
    fn new(observer: &'a dyn Observer, is_shown: bool, period: Duration) -> Self {
        Self { observer, is_shown, period, reported: BTreeMap::new(), downloads: BTreeSet::new() }
    }

    /// Reports to the observer, unless it already knows this or progress within the same step was reported just now.
    fn report(&mut self, progress: Progress) {
        let now = Instant::now();
        let phase = Phase::of(&progress);
        if let Some((last, when)) = self.reported.get(&phase) {
            let is_more = discriminant(last) == discriminant(&progress) && goes_on(&progress);
            if *last == progress || is_more && now.duration_since(*when) < self.period {
                return;
            }
        }
        match &progress {
            Progress::Downloading { name, .. } => self.downloads.insert(name.clone()),
            Progress::Downloaded { name } => self.downloads.remove(name),
            _ => false,
        };
        self.observer.progress(&progress);
        self.reported.insert(phase, (progress, now));
    }

    fn finish_downloads(&mut self, goes_on: impl Fn(&str) -> bool) {
        let done: Vec<_> = self.downloads.iter().filter(|name| !goes_on(name)).cloned().collect();
        for name in done {
            self.report(Progress::Downloaded { name });
        }
    }
}

impl Phase {
    fn of(progress: &Progress) -> Self {
        match progress {
            Progress::Resolving { .. } | Progress::Resolved { .. } => Self::Resolution,
            Progress::Preparing { .. } => Self::Preparation,
            Progress::Installing { .. } => Self::Installation,
            Progress::Downloading { name, .. } | Progress::Downloaded { name } => Self::Download(name.clone()),
            Progress::Fetching { url } | Progress::Fetched { url } => Self::Repository(url.clone()),
            Progress::Building { name } | Progress::Built { name } => Self::Build(name.clone()),
        }
    }
}

/// Whether more progress of the same step follows. The end of a step is always reported.
fn goes_on(progress: &Progress) -> bool {
    match progress {
        Progress::Resolving { .. } => true,
        Progress::Preparing { done, total } | Progress::Installing { done, total } => done < total,
        Progress::Downloading { bytes, total, .. } => total.is_none_or(|total| *bytes < total),
        _ => false,
    }
}

/// Parses what rows and lines have in common: `   Building docopt==0.6.2`,
/// `    Updated https://host/repository (v1.0)`.
fn step(text: &str) -> Option<Progress> {
    let (word, rest) = text.trim_start().split_once(' ')?;
    let name = || package(rest);
    // A line of uv starts with spaces that align the words; output of other programs rarely does.
    let url = || Some(rest.rsplit_once(" (")?.0.to_owned());
    match (text.len() - text.trim_start().len(), word) {
        (3, "Building") => Some(Progress::Building { name: name() }),
        (6, "Built") => Some(Progress::Built { name: name() }),
        (3, "Updating") => Some(Progress::Fetching { url: url()? }),
        (4, "Updated") => Some(Progress::Fetched { url: url()? }),
        _ => None,
    }
}

/// Parses what only lines have: `Resolved 8 packages in 6ms`, `Downloading numpy (15.6MiB)`.
fn line_step(line: &str) -> Option<Progress> {
    let (word, rest) = line.trim_start().split_once(' ')?;
    let count = || rest.split_once(" package")?.0.parse().ok();
    match (line.starts_with(' '), word) {
        (false, "Resolved") => Some(Progress::Resolved { packages: count()? }),
        (false, "Prepared") => count().map(|total| Progress::Preparing { done: total, total }),
        (false, "Installed") => count().map(|total| Progress::Installing { done: total, total }),
        (false, "Downloading") => {
            let sized = rest.rsplit_once(" (").and_then(|(name, size)| Some((name, bytes(size.strip_suffix(')')?)?)));
            let (name, total) = sized.map_or((rest, None), |(name, total)| (name, Some(total)));
            Some(Progress::Downloading { name: name.to_owned(), bytes: 0, total })
        }
        // uv 0.7 prints the same at the end as at the start, except for the space.
        (true, "Downloaded" | "Downloading") => Some(Progress::Downloaded { name: rest.to_owned() }),
        _ => None,
    }
}

/// Returns the name in `numpy==2.1.0` or `numpy @ URL`; for a package without a name, returns the URL.
fn package(text: &str) -> String {
    let end = text.find(" @ ").or_else(|| text.find("==")).unwrap_or(text.len());
    text[..end].to_owned()
}

/// Parses `15.58 MiB`, `15.6MiB` or `0 B` as bytes.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|character: char| character.is_ascii_alphabetic())?);
    let number: f64 = number.trim().parse().ok()?;
    let power = ["B", "KiB", "MiB", "GiB", "TiB"].iter().position(|known| *known == unit)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as exactly as uv shows it")]
    let bytes = (number * 1024_f64.powi(i32::try_from(power).ok()?)).round() as u64;
    Some(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::process::Screen;

    // What uv wrote in a sync that also locks, without frames that are the same as their neighbors; and the columns of the
    // terminal.
    const UV_0_7_16: &str = include_str!("progress/uv-0.7.16.ansi");
    const UV_0_13_9: &str = include_str!("progress/uv-0.13.9.ansi");
    const COLUMNS: usize = 80;

    /// What an observer received, one event per line.
    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Observer for Notes {
        fn progress(&self, progress: &Progress) {
            self.0.lock().unwrap().push(serde_json::to_string(progress).unwrap());
        }

        fn say(&self, line: &str) {
            self.0.lock().unwrap().push(format!("say {line}"));
        }

        fn wants_stop(&self) -> bool {
            false
        }
    }

    /// Replays uv's output on a screen in chunks of `size`. Returns what the observer received and what was captured.
    fn replay(text: &str, size: usize) -> (Vec<String>, String) {
        let notes = Notes::default();
        let mut reader = Reader::new(&notes, true, Duration::ZERO);
        let mut screen = Screen::new(COLUMNS);
        for chunk in text.as_bytes().chunks(size) {
            screen.advance(chunk, &mut reader);
        }
        let captured = screen.finish(&mut reader);
        (notes.0.into_inner().unwrap(), captured)
    }

    fn event(step: &str) -> String {
        format!("{{\"step\":{step}}}")
    }

    #[test]
    fn reads_the_lines_of_a_sync_on_a_terminal() {
        for (uv, elapsed) in [(UV_0_7_16, ["1.28s", "1.13s", "3ms"]), (UV_0_13_9, ["1.14s", "996ms", "2ms"])] {
            let (notes, captured) = replay(uv, uv.len());
            let repository = "file:///srv/team-git/gitrepo";
            let said: Vec<_> = notes.iter().filter_map(|note| note.strip_prefix("say ")).collect();
            let expected = [
                "Using CPython 3.11.7 interpreter at: /usr/bin/python3",
                "Creating virtual environment at: p3/.venv",
                // The terminal is narrower than these two.
                &format!("    Updated {repository} ("),
                &format!("Resolved 4 packages in {}", elapsed[0]),
                &format!("      Built gitdep @ git+{repository}@061f7e"),
                "      Built docopt==0.6.2",
                &format!("Prepared 3 packages in {}", elapsed[1]),
                &format!("Installed 3 packages in {}", elapsed[2]),
                " + docopt==0.6.2",
                &format!(" + gitdep==1 (from git+{repository}@061f7eaf6db5611e27bb1d9d1e948a4aa4ae64e9)"),
                " + mdurl==0.1.2",
            ];
            assert_eq!(said.len(), expected.len(), "{said:#?}");
            for (said, expected) in said.iter().zip(expected) {
                assert!(said.starts_with(expected), "{said} is not {expected}");
            }
            assert_eq!(captured.lines().collect::<Vec<_>>(), said);
        }
    }

    #[test]
    fn reads_the_events_of_a_sync_on_a_terminal() {
        let built = |name| format!(r#""built","name":"{name}""#);
        let prepared = |done| format!(r#""preparing","done":{done},"total":3"#);
        for (uv, builds) in [
            (UV_0_7_16, vec![built("docopt"), prepared(2), built("gitdep"), prepared(3)]),
            (UV_0_13_9, vec![built("gitdep"), built("docopt"), prepared(3)]),
        ] {
            let (notes, _) = replay(uv, uv.len());
            let events: Vec<_> = notes.iter().filter(|note| !note.starts_with("say ")).cloned().collect();
            let before = [
                r#""resolving","package":null"#,
                r#""fetching","url":"file:///srv/team-git/gitrepo""#,
                r#""fetched","url":"file:///srv/team-git/gitrepo""#,
                r#""resolved","packages":4"#,
                r#""preparing","done":0,"total":3"#,
                r#""downloading","name":"mdurl","bytes":0,"total":9984"#,
                r#""downloading","name":"mdurl","bytes":9984,"total":9984"#,
                r#""building","name":"gitdep""#,
                r#""downloaded","name":"mdurl""#,
                r#""building","name":"docopt""#,
                r#""preparing","done":1,"total":3"#,
            ];
            let after = [r#""installing","done":0,"total":3"#, r#""installing","done":3,"total":3"#];
            let builds = builds.iter().map(String::as_str);
            let expected = before.into_iter().chain(builds).chain(after).map(event);
            assert_eq!(events, expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn result_does_not_depend_on_chunk_sizes() {
        for uv in [UV_0_7_16, UV_0_13_9] {
            let whole = replay(uv, uv.len());
            for size in [1, 7, 100, 4096] {
                assert_eq!(replay(uv, size), whole);
            }
        }
    }

    /// Returns the events for lines that uv writes if there is no terminal.
    fn of_lines(lines: &[&str]) -> Vec<String> {
        let notes = Notes::default();
        let mut reader = Reader::new(&notes, false, Duration::ZERO);
        for line in lines {
            reader.line(line);
        }
        notes.0.into_inner().unwrap()
    }

    #[test]
    fn reads_a_sync_without_a_terminal() {
        for downloaded in [" Downloaded numpy", " Downloading numpy"] {
            let notes = of_lines(&[
                "   Updating https://host/team/a (v1)",
                "    Updated https://host/team/a (061f7eaf)",
                "Resolved 1 package in 6ms",
                "Downloading numpy (15.6MiB)",
                "Downloading cpython-3.12.1-linux-x86_64-gnu (download) (20.0MiB)",
                "Downloading unknown-size",
                "   Building docopt==0.6.2",
                "   Building https://host/a.tar.gz",
                downloaded,
                "      Built docopt==0.6.2",
                "Prepared 2 packages in 1.71s",
                "Installed 1 package in 47ms",
                " + docopt==0.6.2",
            ]);
            let expected = [
                r#""fetching","url":"https://host/team/a""#,
                r#""fetched","url":"https://host/team/a""#,
                r#""resolved","packages":1"#,
                r#""downloading","name":"numpy","bytes":0,"total":16357786"#,
                r#""downloading","name":"cpython-3.12.1-linux-x86_64-gnu (download)","bytes":0,"total":20971520"#,
                r#""downloading","name":"unknown-size","bytes":0,"total":null"#,
                r#""building","name":"docopt""#,
                r#""building","name":"https://host/a.tar.gz""#,
                r#""downloaded","name":"numpy""#,
                r#""built","name":"docopt""#,
                r#""downloaded","name":"cpython-3.12.1-linux-x86_64-gnu (download)""#,
                r#""downloaded","name":"unknown-size""#,
                r#""preparing","done":2,"total":2"#,
                r#""installing","done":1,"total":1"#,
            ];
            assert_eq!(notes, expected.map(event));
        }
    }

    #[test]
    fn ignores_unknown_lines() {
        for line in [
            "",
            " ",
            "⠙",
            "⠙ ",
            "⠙ Thinking hard...",
            "⠙ Preparing packages... (x/y)",
            "⠙no blank",
            "Resolved in 3ms",
            "Resolved some packages",
            "Building something",
            "  Built a",
            "a ------------------------------ 1 KiB",
            "a ------------------------------ x/y",
            "a ------------------------------ 1 furlong/2 furlongs",
            " ....",
            "████████████████████ [a/b] x",
            "██ [1/2] x",
            "it costs [1/2] of that",
            "error: Failed to build `a @ b`",
        ] {
            let notes = Notes::default();
            let mut reader = Reader::new(&notes, false, Duration::ZERO);
            reader.line(line);
            reader.frame(&[line.to_owned()], true);
            assert_eq!(notes.0.into_inner().unwrap(), [""; 0], "{line:?}");
        }
    }

    #[test]
    fn distinguishes_progress_rows_from_messages() {
        for row in
            ["⠙", "⠙ (3/3)", "⠙ Resolving dependencies...", "░░░░░░░░ 0/0", "a ....", "████████████████████ [1/2] a==1"]
        {
            assert!(frame::is_transient(row), "{row:?}");
        }
        for row in ["", "Resolved 4 packages in 1ms", "      Built a==1", " + a==1", "  ╰─▶ Call to `a` failed (1/3)"]
        {
            assert!(!frame::is_transient(row), "{row:?}");
        }
    }

    #[test]
    fn throttles_progress_and_reports_nothing_twice() {
        let notes = Notes::default();
        let mut reader = Reader::new(&notes, false, Duration::from_hours(1));
        let bar = |name: &str, bytes| format!("{name} ------------------------------ {bytes} MiB/2.00 MiB");
        for bytes in ["0.00", "0.50", "1.00", "1.00"] {
            reader.frame(&[bar("a", bytes), bar("b", bytes), "   Building c==1".to_owned()], true);
        }
        reader.frame(&[bar("a", "2.00")], false);
        reader.frame(&[bar("a", "2.00")], true);
        reader.frame(&[bar("a", "2.00"), bar("b", "0.00")], true);
        let expected = [
            r#""downloading","name":"a","bytes":0,"total":2097152"#,
            r#""downloading","name":"b","bytes":0,"total":2097152"#,
            r#""building","name":"c""#,
            // The last bytes are reported immediately.
            r#""downloading","name":"a","bytes":2097152,"total":2097152"#,
            r#""downloaded","name":"b""#,
            // The download started again.
            r#""downloading","name":"b","bytes":0,"total":2097152"#,
        ];
        assert_eq!(notes.0.into_inner().unwrap(), expected.map(event));
    }

    #[test]
    fn makes_uv_draw_progress() {
        let script = r#"test -t 2 && echo "$TERM ${NO_COLOR-unset} ${JPY_SESSION_NAME-unset}""#;
        let uv = Invocation::new("/bin/sh").args(["-c", script]);
        let uv = uv.env("NO_COLOR", "1").env("JPY_SESSION_NAME", "x.ipynb").env("TERM", "dumb");
        let notes = Notes::default();
        assert!(follow(&uv, &notes, true).unwrap().status.success());
        assert_eq!(notes.0.into_inner().unwrap(), ["say xterm-256color unset unset"]);
    }
}
