//! The output of a program that shows progress on a terminal: permanent lines, and frames that the program erases
//! again.
//!
//! Before a program writes the next frame, it moves up to the first row of the current one and erases it. So the rows
//! above an erased row are permanent. So is everything above an empty row with the cursor, because a frame ends within
//! a row.

use std::mem;

use unicode_width::UnicodeWidthChar;
use vte::{Params, Parser, Perform};

use crate::model::redact;

/// Follows a running program.
pub(crate) trait Follower {
    /// Called with a permanent line of the program, without secrets.
    fn line(&mut self, line: &str);

    /// Called with the rows of the screen below the permanent lines, without secrets: a complete frame, or the current
    /// state.
    fn frame(&mut self, rows: &[String], is_whole: bool);

    /// Whether the program would have removed this row if it had finished successfully.
    fn is_transient(&self, row: &str) -> bool;

    /// Whether the program must stop.
    fn wants_stop(&self) -> bool;
}

/// The distance between tab stops.
const TAB: usize = 8;

/// A number of rows that no frame reaches.
const MOST_ROWS: usize = 1000;

/// The part of a screen that can still change, and the text of everything above it.
pub(crate) struct Screen {
    parser: Parser,
    grid: Grid,
    text: String,
}

/// The rows that can still change.
struct Grid {
    columns: usize,
    rows: Vec<ScreenRow>,
    row: usize,
    column: usize,
    /// Whether anything was written since a row was last erased.
    is_fresh: bool,
    /// Whether anything was written since the rows were last examined.
    is_new: bool,
    /// The output that can no longer change: permanent lines and complete frames.
    certain: Vec<FinishedOutput>,
}

/// A row of cells. A wide character is followed by an empty cell.
#[derive(Default)]
struct ScreenRow {
    cells: Vec<Cell>,
    /// Whether the previous row was full and continues in this one.
    continues: bool,
}

#[derive(Clone, Default)]
struct Cell {
    character: Option<char>,
    /// Zero-width characters that follow the character.
    #[expect(clippy::box_collection, reason = "hardly any cell has some, and there are many cells")]
    marks: Option<Box<String>>,
}

enum FinishedOutput {
    Lines(Vec<ScreenRow>),
    /// The rows of the frame, and whether it is complete.
    Frame(Vec<String>, bool),
}

impl Screen {
    pub(crate) fn new(columns: usize) -> Self {
        let grid = Grid {
            columns,
            rows: vec![ScreenRow::default()],
            row: 0,
            column: 0,
            is_fresh: false,
            is_new: false,
            certain: Vec::new(),
        };
        Self { parser: Parser::new(), grid, text: String::new() }
    }

    /// Processes output of the program.
    pub(crate) fn advance(&mut self, bytes: &[u8], follower: &mut dyn Follower) {
        self.parser.advance(&mut self.grid, bytes);
        // No frame has this many rows.
        if self.grid.rows.len() > MOST_ROWS && self.grid.is_after_lines() {
            self.grid.keep(self.grid.row);
        }
        self.notify(follower);
    }

    /// Called when the program has not written anything for a while.
    pub(crate) fn rest(&mut self, follower: &mut dyn Follower) {
        if mem::take(&mut self.grid.is_new) {
            self.grid.settle();
            self.notify(follower);
        }
    }

    /// Returns all permanent lines, without secrets.
    pub(crate) fn finish(mut self, follower: &mut dyn Follower) -> String {
        let mut rows = mem::take(&mut self.grid.rows);
        while rows.len() > self.grid.row && rows.last().is_some_and(ScreenRow::is_empty) {
            rows.pop();
        }
        // The row with the cursor has no line ending.
        let is_cut = rows.len() > self.grid.row && rows.last().is_some_and(|row| !follower.is_transient(&row.text()));
        self.grid.certain.push(FinishedOutput::Lines(rows));
        self.notify(follower);
        if is_cut {
            self.text.pop();
        }
        self.text
    }

    fn notify(&mut self, follower: &mut dyn Follower) {
        for certain in mem::take(&mut self.grid.certain) {
            match certain {
                FinishedOutput::Frame(rows, is_whole) => follower.frame(&rows, is_whole),
                FinishedOutput::Lines(rows) => {
                    // If the program and a program that it started both write, a frame can be left in place.
                    for line in lines(&rows) {
                        if !follower.is_transient(&line) {
                            self.take(&line, follower);
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, line: &str, follower: &mut dyn Follower) {
        self.text.push_str(line);
        self.text.push('\n');
        if !line.is_empty() {
            follower.line(line);
        }
    }
}

impl Grid {
    /// Writes a character at the cursor.
    fn put(&mut self, character: char) {
        let width = character.width().unwrap_or(0);
        if width == 0 {
            self.mark(character);
            return;
        }
        if self.column + width > self.columns {
            self.go_down(1);
            self.column = 0;
            self.rows[self.row].continues = true;
        }
        let cells = &mut self.rows[self.row].cells;
        let end = self.column + width;
        if cells.len() < end {
            cells.resize(end, Cell::of(' '));
        }
        cells[self.column] = Cell::of(character);
        cells[self.column + 1..end].fill(Cell::default());
        self.column = end;
        (self.is_fresh, self.is_new) = (true, true);
    }

    /// Adds a zero-width character to the character before the cursor.
    fn mark(&mut self, character: char) {
        let before = self.rows[self.row].cells[..].get_mut(..self.column).and_then(<[Cell]>::last_mut);
        if let Some(cell) = before {
            cell.marks.get_or_insert_default().push(character);
        }
    }

    fn go_down(&mut self, rows: usize) {
        self.row += rows.min(MOST_ROWS);
        if self.rows.len() <= self.row {
            self.rows.resize_with(self.row + 1, ScreenRow::default);
        }
    }

    fn end_line(&mut self) {
        self.go_down(1);
        self.column = 0;
        self.is_new = true;
    }

    /// Erases the row with the cursor. The frame starts at the first row that a program erases.
    fn erase(&mut self) {
        if mem::take(&mut self.is_fresh) {
            self.keep(self.row);
            self.show(true);
        }
        self.rows[self.row] = ScreenRow::default();
    }

    /// Makes the first `count` rows permanent.
    fn keep(&mut self, count: usize) {
        if count > 0 {
            self.certain.push(FinishedOutput::Lines(self.rows.drain(..count).collect()));
            self.row -= count;
        }
    }

    fn show(&mut self, is_whole: bool) {
        let rows = self.rows.iter().map(|row| redact(&row.text()).into_owned()).collect();
        self.certain.push(FinishedOutput::Frame(rows, is_whole));
    }

    /// Treats the rows as final while the program writes nothing.
    fn settle(&mut self) {
        if self.is_after_lines() {
            self.keep(self.row);
        } else {
            self.show(false);
        }
    }

    fn is_after_lines(&self) -> bool {
        self.column == 0 && self.rows[self.row..].iter().all(ScreenRow::is_empty)
    }
}

impl Perform for Grid {
    fn print(&mut self, character: char) {
        self.put(character);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.end_line(),
            b'\r' => self.column = 0,
            b'\t' => {
                let end = (self.column / TAB + 1) * TAB;
                self.put(' ');
                // On the screen a tab is blank, but in the captured output it is a tab.
                if let Some(cell) = self.rows[self.row].cells.get_mut(self.column - 1) {
                    *cell = Cell::of('\t');
                }
                while self.column < end.min(self.columns) {
                    self.put(' ');
                    let column = self.column - 1;
                    self.rows[self.row].cells[column] = Cell::default();
                }
            }
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, _: &[u8], _: bool, action: char) {
        let given = params.iter().next().and_then(|param| param.first()).copied().unwrap_or_default();
        let count = usize::from(given.max(1));
        match action {
            'A' => self.row = self.row.saturating_sub(count),
            'B' => self.go_down(count),
            'C' => self.column = self.column.saturating_add(count).min(self.columns),
            'D' => self.column = self.column.saturating_sub(count),
            'G' => self.column = (count - 1).min(self.columns),
            'K' if given == 2 || self.column == 0 => self.erase(),
            'K' if given == 0 => self.rows[self.row].cells.truncate(self.column),
            'J' if given == 0 && self.column == 0 => {
                self.erase();
                self.rows.truncate(self.row + 1);
            }
            _ => {}
        }
    }
}

impl ScreenRow {
    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| matches!(cell.character, None | Some(' ')))
    }

    /// Returns the text with its trailing spaces.
    fn whole_text(&self) -> String {
        let mut text = String::with_capacity(self.cells.len());
        for cell in &self.cells {
            text.extend(cell.character);
            text.push_str(cell.marks.as_deref().map_or("", String::as_str));
        }
        text
    }

    fn text(&self) -> String {
        let mut text = self.whole_text();
        text.truncate(text.trim_end().len());
        text
    }
}

impl Cell {
    fn of(character: char) -> Self {
        Self { character: Some(character), marks: None }
    }
}

/// Returns the lines of `rows`, without secrets. A row that continues the previous one belongs to the same line, unless
/// that row is padded with spaces: instead of a line ending, programs write spaces up to the edge to get a row for
/// themselves.
fn lines(rows: &[ScreenRow]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for row in rows {
        match lines.last_mut() {
            Some(line) if row.continues && !line.ends_with("  ") => line.push_str(&row.whole_text()),
            _ => lines.push(row.whole_text()),
        }
    }
    lines.iter().map(|line| redact(line.trim_end()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy;

    use super::*;

    /// What the follower received.
    #[derive(Default)]
    struct Heard {
        lines: Vec<String>,
        frames: Vec<(Vec<String>, bool)>,
    }

    impl Follower for Heard {
        fn line(&mut self, line: &str) {
            self.lines.push(line.to_owned());
        }

        fn frame(&mut self, rows: &[String], is_whole: bool) {
            self.frames.push((rows.to_vec(), is_whole));
        }

        fn is_transient(&self, row: &str) -> bool {
            row.starts_with('~')
        }

        fn wants_stop(&self) -> bool {
            false
        }
    }

    /// Returns the text of a ten-column screen after all of `written`, and what the follower received.
    fn shown(written: &str) -> (String, Heard) {
        let mut heard = Heard::default();
        let mut screen = Screen::new(10);
        screen.advance(written.as_bytes(), &mut heard);
        (screen.finish(&mut heard), heard)
    }

    #[test]
    fn removes_progress_frames_and_keeps_text_above() {
        let (text, heard) = shown("one\r\n\r\n~ 1/2\r\n~ a\x1b[1A\r\x1b[2K\x1b[1B\r\x1b[2K\x1b[1Atwo\r\nend");
        assert_eq!(text, "one\n\ntwo\nend");
        assert_eq!(heard.lines, ["one", "two", "end"]);
        assert_eq!(heard.frames, [(vec!["~ 1/2".to_owned(), "~ a".to_owned()], true)]);
    }

    #[test]
    fn joins_or_splits_rows_that_fill_the_width() {
        // Spaces up to the edge act as a line ending. Without them it is one line, however long.
        assert_eq!(shown("~ 1       ~ 2       \x1b[1A\r\x1b[2K\x1b[1B\r\x1b[2K\x1b[1Aone\n").0, "one\n");
        assert_eq!(shown("one       two       \nthree\n").0, "one\ntwo\nthree\n");
        assert_eq!(shown("0123456789\n").0, "0123456789\n");
        assert_eq!(shown("0123456789abcdefghij0123456789 a\nb\n").0, "0123456789abcdefghij0123456789 a\nb\n");
    }

    #[test]
    fn keeps_plain_text_unchanged() {
        for text in ["a\tb\n", "\t\tx\n", "ü 用户 e\u{301} 👩‍🔬\n", "a\u{fffd}b", "    indented\n\n", "", "\n"]
        {
            assert_eq!(shown(text).0, text, "{text:?}");
        }
        assert_eq!(shown("12345678\u{7528}\u{6237}\n").0, "12345678\u{7528}\u{6237}\n");
        assert_eq!(shown("\x1b[1m\x1b[31mred\x1b[0m \x1b]8;;https://h\x1b\\link\x1b]8;;\x1b\\\n").0, "red link\n");
    }

    #[test]
    fn applies_carriage_returns_and_erasures() {
        assert_eq!(shown("10%\r20%\r100%\n").0, "100%\n");
        assert_eq!(shown("longer\rab\n").0, "abnger\n");
        assert_eq!(shown("longer\r\x1b[Kab\n").0, "ab\n");
        assert_eq!(shown("longer\x1b[3D\x1b[Kab\n").0, "lonab\n");
    }

    #[test]
    fn drops_the_last_frame_of_a_killed_program() {
        assert_eq!(shown("one\n~ 1/2\n~ a").0, "one\n");
        assert_eq!(shown("one\n~ 1/2\nerror").0, "one\nerror");
    }

    #[test]
    fn masks_secrets_split_between_reads() {
        let written = "~ https://u:p@h\r\x1b[2Khttps://user:password@host/x\n";
        for cut in 0..written.len() {
            let mut heard = Heard::default();
            let mut screen = Screen::new(20);
            screen.advance(&written.as_bytes()[..cut], &mut heard);
            screen.advance(&written.as_bytes()[cut..], &mut heard);
            assert_eq!(screen.finish(&mut heard), "https://****@host/x\n");
            assert_eq!(heard.frames, [(vec!["~ https://****@h".to_owned()], true)]);
        }
    }

    #[test]
    fn reports_lines_when_the_program_pauses() {
        let mut heard = Heard::default();
        let mut screen = Screen::new(10);
        screen.advance(b"one\r\ntwo", &mut heard);
        screen.rest(&mut heard);
        assert_eq!((heard.lines.len(), heard.frames.len()), (0, 1));
        screen.advance(b"\r\n", &mut heard);
        screen.rest(&mut heard);
        screen.rest(&mut heard);
        assert_eq!((heard.lines.join(" "), heard.frames.len()), ("one two".to_owned(), 1));
    }

    #[test]
    fn reports_long_output_without_a_pause() {
        let mut heard = Heard::default();
        let mut screen = Screen::new(10);
        for _ in 0..3 * MOST_ROWS {
            screen.advance(b"x\r\n", &mut heard);
        }
        assert!(heard.lines.len() >= MOST_ROWS);
        assert_eq!(screen.finish(&mut heard).len(), 3 * MOST_ROWS * 2);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_on_arbitrary_output(pieces in proptest::collection::vec(
            proptest::prop_oneof![
                "[a-z ~]{0,12}",
                "\\PC{0,3}",
                proptest::sample::select(&["\r", "\n", "\t", "\x1b[A", "\x1b[65535B", "\x1b[3C", "\x1b[9D", "\x1b[G", "\x1b[K", "\x1b[1K",
                    "\x1b[2K", "\x1b[J", "\x1b[", "\x1b", "\x07", "用"][..]).prop_map(str::to_owned),
            ], 0..40), columns in 1_usize..12) {
            let mut heard = Heard::default();
            let mut screen = Screen::new(columns);
            for piece in &pieces {
                screen.advance(piece.as_bytes(), &mut heard);
                screen.rest(&mut heard);
            }
            screen.finish(&mut heard);
        }
    }
}
