//! Followers of a running program.

/// Follows a running program.
pub(crate) trait Follower {
    /// Called with a permanent line of the program, without secrets.
    fn line(&mut self, line: &str);

    /// Called with the rows of the screen below the permanent lines, without secrets: a complete frame, or the current
    /// state.
    #[cfg(all(unix, feature = "full"))]
    fn frame(&mut self, rows: &[String], is_whole: bool);

    /// Whether the program would have removed this row if it had finished successfully.
    #[cfg(all(unix, feature = "full"))]
    fn is_transient(&self, row: &str) -> bool;

    /// Whether the program must stop.
    fn wants_stop(&self) -> bool;
}
