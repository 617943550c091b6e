//! Running commands, and what they took.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use thiserror::Error;

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// A file can't be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// A command can't be started.
    #[error("{0} can't be started: {1}")]
    Start(String, io::Error),
    /// A command failed.
    #[error("{command} failed ({status}):\n{output}")]
    Command {
        /// Which.
        command: String,
        /// How.
        status: String,
        /// What it wrote.
        output: String,
    },
    /// Something is not as the measurement needs it.
    #[error("{0}")]
    Other(String),
    /// The machine lacks what is needed.
    #[error("skipped: {0}")]
    Skipped(String),
}

/// What a command took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Cost {
    /// On the wall.
    pub(crate) wall: Duration,
    /// Of the processors: the command with all that it waited for.
    pub(crate) cpu: Duration,
}

/// What several took one after the other.
impl std::ops::Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }
}

/// What a command that has ended took and wrote to standard output. Exit codes other than those given are failures.
pub(crate) fn run(command: &mut Command, fine: &[i32]) -> Result<(Cost, String), Failure> {
    let shown = format!("{command:?}");
    command.stdin(Stdio::null());
    let (cpu, began) = (cpu_of_children(), Instant::now());
    let output = command.output().map_err(|error| Failure::Start(shown.clone(), error))?;
    let cost = Cost { wall: began.elapsed(), cpu: cpu_of_children().saturating_sub(cpu) };
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.code().is_some_and(|code| fine.contains(&code)) {
        return Ok((cost, out));
    }
    let (status, err) = (output.status.to_string(), String::from_utf8_lossy(&output.stderr));
    Err(Failure::Command { command: shown, status, output: format!("{out}{err}") })
}

/// What the children that were waited for, and theirs, have used so far: fields 16 and 17 of `/proc/self/stat`, which count
/// hundredths of seconds (proc(5), time(7)). Nothing where there is no such file.
fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in parentheses, which may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The one in the middle; of an even number, the mean of the two in the middle.
pub(crate) fn median(mut costs: Vec<Duration>) -> Duration {
    costs.sort_unstable();
    let half = costs.len() / 2;
    match (costs.len() % 2, costs.get(half), half.checked_sub(1).and_then(|before| costs.get(before))) {
        (1, Some(middle), _) => *middle,
        (_, Some(after), Some(before)) => (*after + *before) / 2,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let median = |seconds: &[u64]| median(seconds.iter().map(|s| Duration::from_secs(*s)).collect()).as_secs_f64();
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[7]), 7.0);
        assert_eq!(median(&[9, 1]), 5.0);
        assert_eq!(median(&[9, 1, 2]), 2.0);
    }
}
