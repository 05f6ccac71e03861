//! The cargo process that runs the build script. It sets no variables about itself, so the system is queried.

/// Whether the command line of cargo disables the network.
pub(super) fn is_offline() -> bool {
    flags().any(|argument| {
        let config = argument.strip_prefix("--config=").unwrap_or(&argument);
        let setting: String = config.chars().filter(|c| !c.is_whitespace()).collect();
        matches!(setting.as_str(), "--offline" | "--frozen" | "net.offline=true")
    })
}

/// Whether the command line of cargo forbids changes of lockfiles.
pub(super) fn is_locked() -> bool {
    flags().any(|argument| argument == "--locked" || argument == "--frozen")
}

/// Returns the arguments that cargo does not pass on to a program.
fn flags() -> impl Iterator<Item = String> {
    arguments().into_iter().take_while(|argument| argument != "--")
}

/// Returns what distinguishes that cargo process from any other process, including a later one with the same process
/// ID.
#[cfg(unix)]
pub(super) fn identity() -> Option<String> {
    let id = std::os::unix::process::parent_id();
    Some(format!("{id} {}", started(id)?))
}

/// Windows does not tell who started a process, so claims are not kept from one build script to the next.
#[cfg(not(unix))]
pub(super) fn identity() -> Option<String> {
    None
}

/// Whether the process with this identity is still running.
#[cfg(unix)]
pub(super) fn is_running(identity: &str) -> bool {
    let parts = identity.split_once(' ').and_then(|(id, start)| Some((id.parse().ok()?, start)));
    parts.is_some_and(|(id, start)| started(id).as_deref() == Some(start))
}

#[cfg(not(unix))]
pub(super) fn is_running(_: &str) -> bool {
    false
}

/// Returns the start time of the process, in the units of the kernel.
#[cfg(target_os = "linux")]
fn started(id: u32) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{id}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The second field is the name of the program in parentheses, which can contain any character.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let is_zombie = fields.next()? == "Z";
    fields.nth(18).filter(|_| !is_zombie).map(str::to_owned)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn started(id: u32) -> Option<String> {
    ps(id, "lstart=")
}

#[cfg(target_os = "linux")]
fn arguments() -> Vec<String> {
    let line = std::fs::read(format!("/proc/{}/cmdline", std::os::unix::process::parent_id())).unwrap_or_default();
    line.split(|byte| *byte == 0).map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
}

/// `ps` does not show where an argument ends. None of the arguments that matter contains a space.
#[cfg(all(unix, not(target_os = "linux")))]
fn arguments() -> Vec<String> {
    let line = ps(std::os::unix::process::parent_id(), "args=").unwrap_or_default();
    line.split_whitespace().map(str::to_owned).collect()
}

#[cfg(not(unix))]
fn arguments() -> Vec<String> {
    Vec::new()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn ps(id: u32, column: &str) -> Option<String> {
    let ps = crate::process::Invocation::new("/bin/ps").args(["-o", column, "-p", &id.to_string()]).env("LC_ALL", "C");
    let said = ps.capture().ok().filter(|captured| captured.status.success())?.stdout;
    Some(said.trim().to_owned()).filter(|said| !said.is_empty())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_processes_that_reuse_an_id() {
        let identity = identity().unwrap();
        assert!(is_running(&identity));
        let (id, _) = identity.split_once(' ').unwrap();
        for other in [format!("{id} 1"), id.to_owned(), String::new(), "x y".to_owned()] {
            assert!(!is_running(&other), "{other}");
        }
    }
}
