//! Very many seeds, by several threads, with an interruption whenever one likes.

#![expect(clippy::disallowed_methods, reason = "it runs for hours of real time and keeps a real file")]

use std::collections::BTreeSet;
use std::fmt;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::random::Random;

/// Which seeds.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// The first one.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// The file that says how far it came.
    pub state: Option<PathBuf>,
    /// How many at a time.
    pub threads: usize,
}

/// How far a campaign came.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The first seed.
    pub from: u64,
    /// All from there to below this one were played and are good.
    pub next: u64,
    /// Where it ends.
    pub until: u64,
    /// How many were played by this process.
    pub played: u64,
    /// For how long.
    pub took: Duration,
}

/// A thread takes so many seeds at a time.
const CHUNK: u64 = 64;
const SAY_EVERY: Duration = Duration::from_secs(10);

struct Work {
    /// The next chunk that nobody has taken.
    next: u64,
    taken: BTreeSet<u64>,
    played: u64,
    first_wrong: Option<u64>,
    said: Instant,
}

impl Campaign {
    /// Plays them. `tell` is told how far it came, from time to time and at the end.
    ///
    /// # Errors
    /// The file that says how far it came cannot be read or written.
    pub fn run(&self, mut tell: impl FnMut(&Progress) + Send) -> Result<Option<u64>, String> {
        let began = Instant::now();
        let until = self.from.saturating_add(self.seeds);
        let code = code()?;
        let first = self.resumed(code)?.max(self.from).min(until);
        let work = Work { next: first, taken: BTreeSet::new(), played: 0, first_wrong: None, said: began };
        let work = Mutex::new((work, &mut tell));
        let progress = |work: &Work| Progress {
            from: self.from,
            next: work.taken.first().copied().into_iter().chain(work.first_wrong).fold(work.next.min(until), u64::min),
            until,
            played: work.played,
            took: began.elapsed(),
        };
        let thread = || -> Result<(), String> {
            loop {
                let chunk = {
                    let (work, _) = &mut *work.lock().map_err(|_| "a thread has panicked")?;
                    if work.next >= until || work.first_wrong.is_some_and(|wrong| wrong < work.next) {
                        return Ok(());
                    }
                    let chunk = work.next;
                    work.next = chunk.saturating_add(CHUNK);
                    work.taken.insert(chunk);
                    chunk
                };
                let seeds = chunk..chunk.saturating_add(CHUNK).min(until);
                let wrong = seeds.clone().find(|seed| is_wrong(*seed));
                let played = wrong.map_or(seeds.end, |wrong| wrong + 1) - seeds.start;
                let (work, tell) = &mut *work.lock().map_err(|_| "a thread has panicked")?;
                work.taken.remove(&chunk);
                work.played += played;
                work.first_wrong = work.first_wrong.into_iter().chain(wrong).min();
                if work.said.elapsed() >= SAY_EVERY {
                    work.said = Instant::now();
                    let progress = progress(work);
                    self.keep(code, progress.next)?;
                    tell(&progress);
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads.max(1)).map(|_| scope.spawn(thread)).collect();
            let ended = |thread: std::thread::ScopedJoinHandle<'_, Result<(), String>>| {
                thread.join().unwrap_or_else(|_| Err("a thread has panicked".to_owned()))
            };
            threads.into_iter().map(ended).collect::<Result<Vec<()>, String>>()
        })?;
        let (work, tell) = work.into_inner().map_err(|_| "a thread has panicked")?;
        let progress = progress(&work);
        self.keep(code, progress.next)?;
        tell(&progress);
        Ok(work.first_wrong)
    }

    /// How far an earlier process came with the same code.
    fn resumed(&self, code: u64) -> Result<u64, String> {
        let Some(path) = self.state.as_ref().filter(|path| path.exists()) else { return Ok(self.from) };
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let numbers: Option<Vec<u64>> = text.split_whitespace().map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some([before, from, next]) if (*before, *from) == (code, self.from) => Ok(*next),
            // A seed may be another history now, and what is wrong may be noticed now.
            Some([_, _, _]) => Ok(self.from),
            _ => Err(format!("{} does not say how far a campaign came: remove it to begin anew", path.display())),
        }
    }

    /// Written beside it and renamed: an interruption leaves the old one.
    fn keep(&self, code: u64, next: u64) -> Result<(), String> {
        let Some(path) = &self.state else { return Ok(()) };
        let beside = path.with_extension("new");
        std::fs::write(&beside, format!("{code} {} {next}\n", self.from))
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// A panic is wrong as well.
fn is_wrong(seed: u64) -> bool {
    catch_unwind(|| Random::new(seed).play(false).wrong.is_some()).unwrap_or(true)
}

/// Stands for the code: the product's, and that of all checks.
fn code() -> Result<u64, String> {
    let bytes = std::env::current_exe().and_then(std::fs::read).map_err(|error| format!("the executable: {error}"))?;
    Ok(crate::trace::hash(&bytes))
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, next, until, played, took } = self;
        let rate = u128::from(*played) * 1000 / took.as_millis().max(1);
        write!(
            f,
            "all seeds from {from} to below {next} (of {until}) are good; {played} played in {took:.0?}, {rate} a second"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_where_it_was_interrupted() {
        let dir = std::env::temp_dir().join(format!("campaign-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let state = Some(dir.join("state"));
        let campaign = |seeds| Campaign { from: 5, seeds, state: state.clone(), threads: 2 };
        let mut told = Vec::new();
        assert_eq!(campaign(100).run(|progress| told.push(*progress)), Ok(None));
        assert_eq!(campaign(130).run(|progress| told.push(*progress)), Ok(None));
        let told: BTreeSet<_> = told.iter().map(|progress| (progress.next, progress.played)).collect();
        assert!(told.contains(&(105, 100)) && told.contains(&(135, 30)), "{told:?}");
        let resumed = |text: &str| {
            std::fs::write(dir.join("state"), text).unwrap();
            campaign(1).resumed(2)
        };
        assert_eq!(resumed("2 5 130\n"), Ok(130));
        assert_eq!(resumed("1 5 130\n"), Ok(5), "it was other code");
        assert_eq!(resumed("2 1000 1130\n"), Ok(5), "it began elsewhere");
        std::fs::write(dir.join("state"), "?").unwrap();
        assert!(campaign(1).run(|_| {}).is_err());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
