//! Progress of several profiles that are processed at the same time: one line for each on a terminal, and when a
//! profile is finished, all its output in one piece.

use std::{
    fmt::Display,
    io::{self, Write as _},
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anstream::{AutoStream, ColorChoice};
use indicatif::{BinaryBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use uvenv_core::{
    Profile,
    observer::{Observer, Progress},
};

use super::text;

/// How often the display is updated.
const TICK: Duration = Duration::from_millis(100);

/// The display that contains all rows.
pub(crate) struct Board {
    rows: MultiProgress,
    verb: &'static str,
    is_quiet: bool,
}

/// The row of a profile.
pub(crate) struct ProfileRow {
    profile: Profile,
    bar: ProgressBar,
    lines: Mutex<Vec<String>>,
}

impl Board {
    pub(super) fn new(verb: &'static str, is_quiet: bool) -> Self {
        // Nothing is drawn if stderr is not a terminal.
        let target = if is_quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self { rows: MultiProgress::with_draw_target(target), verb, is_quiet }
    }

    pub(crate) fn row(&self, profile: Profile) -> Arc<ProfileRow> {
        let template = match AutoStream::choice(&io::stderr()) {
            ColorChoice::Never => "{prefix:>12} {wide_msg} {spinner}",
            _ => "{prefix:>12.cyan.bold} {wide_msg} {spinner}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = self.rows.add(ProgressBar::no_length().with_style(style).with_prefix(self.verb));
        bar.set_message(profile.as_str());
        bar.enable_steady_tick(TICK);
        Arc::new(ProfileRow { profile, bar, lines: Mutex::default() })
    }

    /// Prints all output of the profile, and lets `print` add its result.
    pub(crate) fn end(&self, row: &ProfileRow, has_failed: bool, print: impl FnOnce()) {
        row.bar.finish_and_clear();
        let lines = mem::take(&mut *row.lines.lock().unwrap_or_else(PoisonError::into_inner));
        self.rows.suspend(|| {
            if has_failed || !self.is_quiet && !lines.is_empty() {
                text::done(self.verb, row.profile);
                for line in lines {
                    let _ = writeln!(anstream::stderr(), "{line}");
                }
            }
            print();
        });
    }
}

impl ProfileRow {
    fn show(&self, what: impl Display) {
        self.bar.set_message(format!("{}: {what}", self.profile));
    }
}

impl Observer for ProfileRow {
    fn progress(&self, progress: &Progress) {
        match progress {
            Progress::Resolving { package: None } => self.show("resolving"),
            Progress::Resolving { package: Some(package) } => self.show(format_args!("resolving {package}")),
            Progress::Resolved { packages } => self.show(format_args!("resolved {packages} packages")),
            Progress::Preparing { done, total } => self.show(format_args!("preparing {done}/{total}")),
            Progress::Downloading { name, bytes, total: None } => {
                self.show(format_args!("downloading {name} {}", BinaryBytes(*bytes)));
            }
            Progress::Downloading { name, bytes, total: Some(total) } => {
                self.show(format_args!("downloading {name} {}/{}", BinaryBytes(*bytes), BinaryBytes(*total)));
            }
            Progress::Fetching { url } => self.show(format_args!("fetching {url}")),
            Progress::Building { name } => self.show(format_args!("building {name}")),
            Progress::Installing { done, total } => self.show(format_args!("installing {done}/{total}")),
            // A finished step is followed by another step or by the end.
            _ => {}
        }
    }

    fn say(&self, line: &str) {
        self.show(line.trim());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    }

    fn shows(&self) -> bool {
        true
    }

    fn wants_stop(&self) -> bool {
        false
    }
}
