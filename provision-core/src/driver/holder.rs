//! Who we are to other runs, and whether the process of another run is dead.
//!
//! # Guarantees
//! "Dead" is said only of a process that ran under this very kernel since its last boot, in our PID namespace, and of
//! which the kernel says that it is no more, or that its id now belongs to a process with another start time.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use thiserror::Error;

use super::clock;
use crate::machine::HolderState;
use crate::stream::event::Holder;

/// The kernel does not say who we are.
#[derive(Debug, Error)]
#[error("cannot read {path}, by which other runs would recognise this process")]
pub struct HolderError {
    path: &'static str,
    #[source]
    source: io::Error,
}

/// This process, as other runs see it.
///
/// # Errors
/// `/proc` cannot be read.
pub fn our_holder() -> Result<Holder, HolderError> {
    let read = |path: &'static str| fs::read_to_string(path).map_err(|source| HolderError { path, source });
    let stat_path = "/proc/self/stat";
    let unreadable =
        || HolderError { path: stat_path, source: io::Error::new(io::ErrorKind::InvalidData, "unknown form") };
    let stat = Stat::parse(&read(stat_path)?).ok_or_else(unreadable)?;
    let path = "/proc/self/ns/pid";
    let namespace = fs::read_link(path).map_err(|source| HolderError { path, source })?;
    Ok(Holder {
        name: our_name(),
        boot_id: read("/proc/sys/kernel/random/boot_id")?.trim().to_owned(),
        pid_namespace: namespace.to_string_lossy().into_owned(),
        pid: std::process::id(),
        start_time: stat.start_time,
        since: clock::shown_time(clock::now().wall_ms),
    })
}

/// `user@host`.
pub fn our_name() -> String {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let user = user.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{user}@{host}").chars().filter(|c| !c.is_control()).take(120).collect()
}

/// Whether a holder's process is known to be dead, as seen by the process `me`.
pub fn is_dead(holder: &Holder, me: &Holder) -> bool {
    probe(holder, me) == HolderState::Dead
}

/// What is known about a holder's process, as seen by the process `me`.
pub fn probe(holder: &Holder, me: &Holder) -> HolderState {
    let here = !me.boot_id.is_empty()
        && !me.pid_namespace.is_empty()
        && holder.boot_id == me.boot_id
        && holder.pid_namespace == me.pid_namespace;
    let pid = i32::try_from(holder.pid).ok().and_then(Pid::from_raw);
    let (true, Some(pid)) = (here, pid) else { return HolderState::Unknown };
    // `/proc` may hide the processes of other users; the kernel's answer to a signal does not.
    match test_kill_process(pid) {
        Err(Errno::SRCH) => return HolderState::Dead,
        Ok(()) | Err(Errno::PERM) => {}
        Err(_) => return HolderState::Unknown,
    }
    let Some(stat) = fs::read_to_string(format!("/proc/{}/stat", holder.pid)).ok().and_then(|text| Stat::parse(&text))
    else {
        return HolderState::Unknown;
    };
    // A process that was killed and not yet reaped makes no more calls, unless only its first thread has ended.
    let threads = || fs::read_dir(format!("/proc/{}/task", holder.pid)).map(Iterator::count);
    let over = matches!(stat.state, 'Z' | 'X') && threads().is_ok_and(|threads| threads <= 1);
    if over || stat.start_time != holder.start_time { HolderState::Dead } else { HolderState::Alive }
}

struct Stat {
    state: char,
    start_time: u64,
}

impl Stat {
    /// The second field is the command in parentheses, which may hold anything: count from its end.
    fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?.chars().next()?;
        Some(Self { state, start_time: fields.nth(18)?.parse().ok()? })
    }
}
