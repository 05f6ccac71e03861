//! Programs with a time limit, such as git with a remote that does not respond.

use std::{
    io::{self, Read},
    process::{Child, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{Captured, Invocation};
use crate::model::redact;

impl Invocation {
    /// Like [`Self::capture`], but kills a program that is still running after `limit`: [`io::ErrorKind::TimedOut`].
    pub(crate) fn capture_with_timeout(&self, limit: Duration) -> io::Result<Captured> {
        let mut child = self.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let end = Instant::now() + limit;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if Instant::now() >= end {
                terminate_gracefully(&mut child)?;
                // Do not wait for the readers: a child of the child can keep the pipes open.
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_millis(5));
        };
        let text =
            |reader: JoinHandle<Vec<u8>>| String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned();
        Ok(Captured { status, stdout: text(stdout), stderr: redact(&text(stderr)).into_owned() })
    }
}

/// Stops a child process and the processes that it started. git stops its helpers too if it is terminated rather than
/// killed.
#[cfg(unix)]
fn terminate_gracefully(child: &mut Child) -> io::Result<()> {
    const TERMINATE_TIMEOUT: Duration = Duration::from_secs(1);
    if let Some(process) = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap_or(0)) {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
    let end = Instant::now() + TERMINATE_TIMEOUT;
    while child.try_wait()?.is_none() {
        if Instant::now() >= end {
            child.kill()?;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

#[cfg(not(unix))]
fn terminate_gracefully(child: &mut Child) -> io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}

/// Reads a pipe to the end on a separate thread, so that the child never blocks on a full pipe.
fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // Output that was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::process::exit_code;

    #[test]
    fn kills_a_program_that_exceeds_the_time_limit() {
        let limit = Duration::from_millis(200);
        let error = shell("exec sleep 60").capture_with_timeout(limit).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // More than fits into a pipe, on both streams.
        let script = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; exit 4";
        let captured = shell(script).capture_with_timeout(Duration::from_mins(1)).unwrap();
        assert_eq!(exit_code(captured.status), 4);
        assert_eq!((captured.stdout.len(), captured.stderr.len()), (300_000, 300_000));
    }

    fn shell(script: &str) -> Invocation {
        Invocation::new("/bin/sh").args(["-c", script])
    }
}
