//! Who follows a program while it runs.

/// Who follows a program.
pub(crate) trait Follower {
    /// A line that the program has written and that stays, without secrets.
    fn line(&mut self, line: &str);

    /// What is on the program's screen below the lines that are known to stay, without secrets: whole, or as it is just
    /// now.
    #[cfg(all(unix, feature = "full"))]
    fn frame(&mut self, rows: &[String], is_whole: bool);

    /// Whether a row is one that the program would have taken away, had it ended well.
    #[cfg(all(unix, feature = "full"))]
    fn is_transient(&self, row: &str) -> bool;

    /// Whether the program is to end.
    fn wants_stop(&self) -> bool;
}
