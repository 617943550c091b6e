//! What takes longer than a test run: `cargo run --release -p simulation -- help`.

#![expect(clippy::disallowed_methods, reason = "how long it takes is printed")]
#![expect(clippy::print_stdout, reason = "a command: what it finds out is what it prints")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use clap::{Parser, Subcommand, ValueEnum};
use simulation::campaign::Campaign;
use simulation::exhaustive::{Depth, explore};
use simulation::plans::{self, large};
use simulation::random::Random;
use simulation::story::Story;

/// Runs the real planner, executor, streams and recovery in virtual time, and lets things go wrong.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tries every fault and every pair of faults of plans.
    Exhaustive {
        /// Of which plans.
        #[arg(long, value_enum, default_value = "large")]
        plans: Plans,
        /// Of those alone whose names contain this.
        #[arg(long)]
        only: Option<String>,
        /// Pairs of all faults, not just of those that go furthest.
        #[arg(long)]
        whole: bool,
        /// How many at a time.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Plays random histories, one for each seed, and reports the first that shows something wrong, shrunk.
    Random {
        /// How many seeds.
        #[arg(long, default_value_t = 10_000_000)]
        seeds: u64,
        /// The first one.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Keeps in this file how far it came, and goes on from there.
        #[arg(long)]
        state: Option<PathBuf>,
        /// How many at a time.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Renders the history of a seed as a table of who did what when.
    Show {
        /// The seed.
        seed: u64,
        /// Leaves out what is not needed to show what is wrong.
        #[arg(long)]
        shrunk: bool,
        /// With what the runs say of themselves.
        #[arg(long)]
        verbose: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Plans {
    /// Three to five actions, as every test run has them.
    Small,
    /// Eight to twelve.
    Large,
    /// Those in worlds that are less simple.
    Special,
}

fn main() -> ExitCode {
    match Args::parse().command {
        Command::Exhaustive { plans, only, whole, threads } => {
            let stories = match plans {
                Plans::Small => plans::small(),
                Plans::Large => large::all(),
                Plans::Special => plans::special(),
            };
            let stories = stories.into_iter().map(|story| story());
            let wanted = |story: &Story| only.as_ref().is_none_or(|only| story.name.contains(only.as_str()));
            exhaustive(stories.filter(wanted).collect(), if whole { Depth::WholePairs } else { Depth::Pairs }, threads)
        }
        Command::Random { seeds, from, state, threads } => random(Campaign { from, seeds, state, threads }),
        Command::Show { seed, shrunk, verbose } => show(seed, shrunk, verbose),
    }
}

fn exhaustive(stories: Vec<Story>, depth: Depth, threads: usize) -> ExitCode {
    if stories.is_empty() {
        println!("no plan has such a name");
        return ExitCode::from(2);
    }
    let todo = Mutex::new(stories.into_iter());
    let next = || todo.lock().ok()?.next();
    let explored = |story: &Story| {
        let began = Instant::now();
        println!("{}: ...", story.name);
        match explore(story, depth) {
            Ok(tally) => {
                println!("{}: {tally}; {:.0?}", story.name, began.elapsed());
                true
            }
            Err(failure) => {
                println!("{failure}");
                false
            }
        }
    };
    let work = || std::iter::from_fn(next).map(|story| explored(&story)).filter(|good| !good).count();
    let wrong: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(1)).sum()
    });
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn random(campaign: Campaign) -> ExitCode {
    match campaign.run(|progress| println!("{progress}")) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(seed)) => {
            println!("seed {seed} shows something wrong; shrinking it");
            show(seed, true, false);
            ExitCode::FAILURE
        }
        Err(problem) => {
            println!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn show(seed: u64, shrunk: bool, verbose: bool) -> ExitCode {
    let random = Random::new(seed);
    let random = if shrunk { random.shrunk() } else { random };
    let played = random.play(verbose);
    println!("{}\n{random}", played.trace.table());
    match played.wrong {
        None => {
            println!("nothing is wrong; trace {:016x}", played.trace.hash());
            ExitCode::SUCCESS
        }
        Some(wrong) => {
            println!("WRONG: {wrong}");
            ExitCode::FAILURE
        }
    }
}
