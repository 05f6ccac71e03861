//! Follows a program while it runs: reads its output as it is written, and can interrupt the program.

use std::{
    io::{self, Read},
    process::{Child, ExitStatus},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{
    Invocation, Streamed,
    screen::{Follower, Screen},
    signal,
    terminal::{interrupt, open_screen},
};
use crate::model::PERIOD;

/// How long a program may take to exit after it was interrupted.
const INTERRUPT_TIMEOUT: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(5) };

/// How long to wait for the output of a program that has exited. Programs that it started can keep the output open
/// forever.
const PIPE_DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

const SIGINT: i32 = 2;

/// A child process that is followed. It is killed if this process panics.
struct FollowedChild {
    child: Child,
    interrupted: Option<Interruption>,
    last_asked: Instant,
}

/// What was done to stop a child process.
struct Interruption {
    since: Instant,
    killed: bool,
}

impl Invocation {
    /// Runs the program with its stdout and stderr on a terminal of its own if possible, otherwise on a pipe.
    pub(crate) fn follow(&self, follower: &mut dyn Follower) -> io::Result<Streamed> {
        let (mut running, chunks, mut screen) = self.start()?;
        let mut ended: Option<Instant> = None;
        while ended.is_none_or(|ended| ended.elapsed() < PIPE_DRAIN_TIMEOUT) {
            match chunks.recv_timeout(PERIOD) {
                Ok(chunk) => screen.advance(&chunk, follower),
                Err(RecvTimeoutError::Timeout) => screen.rest(follower),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            running.ask(follower)?;
            if ended.is_none() && running.child.try_wait()?.is_some() {
                ended = Some(Instant::now());
            }
        }
        let status = running.wait(follower)?;
        let stderr = screen.finish(follower);
        // Ctrl-C reaches the program as soon as it reaches this process.
        let interrupted = running.interrupted.is_some() || signal(status) == Some(SIGINT) || follower.wants_stop();
        Ok(Streamed { status, stderr, interrupted })
    }

    fn start(&self) -> io::Result<(FollowedChild, mpsc::Receiver<Vec<u8>>, Screen)> {
        let (output, [stdout, stderr], screen) = open_screen()?;
        // The command holds our copies of the program's ends. They must be closed, or the output would never end.
        let child = self.command().stdin(self.stdin()).stdout(stdout).stderr(stderr).spawn()?;
        let running = FollowedChild { child, interrupted: None, last_asked: Instant::now() };
        let (sender, chunks) = mpsc::channel();
        thread::Builder::new().spawn(move || read(output, &sender))?;
        Ok((running, chunks, screen))
    }
}

impl FollowedChild {
    /// Asks the follower, if it is time to, and interrupts the child if the follower wants to stop.
    fn ask(&mut self, follower: &dyn Follower) -> io::Result<()> {
        if self.last_asked.elapsed() < PERIOD {
            return Ok(());
        }
        self.last_asked = Instant::now();
        match &mut self.interrupted {
            None if follower.wants_stop() => {
                self.interrupted = Some(Interruption { since: self.last_asked, killed: false });
                interrupt(&mut self.child)
            }
            Some(interruption) if !interruption.killed && interruption.since.elapsed() >= INTERRUPT_TIMEOUT => {
                interruption.killed = true;
                self.child.kill()
            }
            _ => Ok(()),
        }
    }

    fn wait(&mut self, follower: &dyn Follower) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(1));
            self.ask(follower)?;
        }
    }
}

impl Drop for FollowedChild {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Reads to the end. On Linux, reading a terminal ends with an error.
fn read(mut output: impl Read, sender: &mpsc::Sender<Vec<u8>>) {
    let mut buffer = [0; 1 << 14];
    loop {
        match output.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) if sender.send(buffer[..read].to_vec()).is_ok() => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::{Arc, atomic::AtomicBool};

    use super::*;
    use crate::process::{ending, exit_code};

    /// Receives lines, and wants to stop after the first one.
    #[derive(Default)]
    struct Listener {
        lines: Vec<String>,
        stops_at: Option<&'static str>,
    }

    impl Follower for Listener {
        fn line(&mut self, line: &str) {
            self.lines.push(line.to_owned());
        }

        fn frame(&mut self, _: &[String], _: bool) {}

        fn is_transient(&self, _: &str) -> bool {
            false
        }

        fn wants_stop(&self) -> bool {
            self.stops_at.is_some_and(|at| self.lines.iter().any(|line| line == at))
        }
    }

    fn follow(script: &str, stops_at: Option<&'static str>) -> (Streamed, Vec<String>) {
        // If the tests were started in the background, interrupts can be ignored in all child processes; a signal with
        // a handler is not ignored.
        let always = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, 130, always).unwrap();
        let mut listener = Listener { stops_at, ..Listener::default() };
        let streamed = Invocation::new("/bin/sh").args(["-c", script]).follow(&mut listener).unwrap();
        (streamed, listener.lines)
    }

    #[test]
    fn merges_both_streams_and_masks_secrets() {
        let script = "echo one https://u:p@h; printf '\\n a\\tb\\377c\\nlast' >&2; cat; exit 3";
        let (streamed, lines) = follow(script, None);
        assert_eq!(exit_code(streamed.status), 3);
        assert_eq!(streamed.stderr, "one https://****@h\n\n a\tb\u{fffd}c\nlast");
        assert_eq!(lines, ["one https://****@h", " a\tb\u{fffd}c", "last"]);
        assert!(!streamed.interrupted);
    }

    #[test]
    fn program_gets_a_wide_terminal() {
        let (streamed, _) = follow("test -t 1 && test -t 2 && ! test -t 0 && stty size <&2", None);
        assert_eq!((streamed.stderr.as_str(), exit_code(streamed.status)), ("1000 500\n", 0));
    }

    #[test]
    fn reads_large_output_and_long_lines() {
        let (streamed, lines) = follow("seq 20000; seq 20000 | tr '\\n' ,", None);
        let numbers: Vec<_> = (1..=20000).map(|number| number.to_string()).collect();
        assert_eq!(streamed.stderr, numbers.join("\n") + "\n" + &numbers.join(",") + ",");
        assert_eq!(lines.len(), 20001);
    }

    #[test]
    fn interrupts_the_program_on_request() {
        let (streamed, lines) = follow("echo ready; exec sleep 600", Some("ready"));
        assert!(streamed.interrupted);
        assert_eq!(lines, ["ready"]);
        assert_eq!(ending(streamed.status), "was killed by signal 2");
    }

    #[test]
    fn interrupts_child_processes_too() {
        let script = "trap 'exit 0' INT; /bin/sh -c 'echo $$; echo ready; exec sleep 600'; echo not reached";
        let (streamed, lines) = follow(script, Some("ready"));
        assert!(streamed.interrupted);
        // A shell handles the signal only after the program that it is waiting for has exited.
        assert_eq!((lines.len(), exit_code(streamed.status)), (2, 0));
        let there = Invocation::new("/bin/sh").args(["-c", &format!("kill -0 {}", lines[0])]).status().unwrap();
        assert!(!there.success());
    }

    #[test]
    fn kills_a_program_that_ignores_the_interrupt() {
        let (streamed, _) = follow("trap '' INT; echo ready; while :; do sleep 1; done", Some("ready"));
        assert!(streamed.interrupted);
        assert_eq!(ending(streamed.status), "was killed by signal 9");
    }

    #[test]
    fn recognises_an_interrupt_from_elsewhere() {
        assert!(follow("kill -INT $$", None).0.interrupted);
        assert!(!follow("kill -TERM $$", None).0.interrupted);
    }

    #[test]
    fn does_not_wait_for_background_processes() {
        let (streamed, lines) = follow("sleep 30 & echo $!", None);
        assert_eq!(exit_code(streamed.status), 0);
        let kill = Invocation::new("/bin/sh").args(["-c", &format!("kill {}", lines[0])]).status().unwrap();
        assert!(kill.success(), "it had ended, and so was waited for");
    }

    #[test]
    fn waits_for_a_program_that_closes_its_output() {
        let (streamed, lines) = follow("echo one; exec >&- 2>&-; sleep 0.3; exit 4", None);
        assert_eq!((exit_code(streamed.status), lines), (4, vec!["one".to_owned()]));
    }

    #[test]
    fn missing_program_is_an_error() {
        let error = Invocation::new("/no/such/program").follow(&mut Listener::default()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
