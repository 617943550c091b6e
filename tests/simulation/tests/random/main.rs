//! Random histories, for a minute.

#![expect(clippy::print_stdout, reason = "how many histories there were is what one wants to know")]

use std::time::{Duration, Instant};

use simulation::random::Random;

fn seeds(first: u64) {
    let began = Instant::now();
    let mut seed = first;
    let (mut wrongs, mut steps) = (0, 0);
    while began.elapsed() < Duration::from_secs(std::env::var("T").map_or(60, |t| t.parse().unwrap())) {
        let random = Random::new(seed);
        let played = random.play(false);
        steps += played.trace.steps.len();
        if let Some(wrong) = played.wrong {
            wrongs += 1;
            println!("seed {seed}: {}", wrong.lines().next().unwrap());
            if wrongs == 12 {
                break;
            }
        }
        seed += 2;
    }
    println!("{} seeds, {steps} steps in {:?}, {wrongs} wrong", (seed - first) / 2, began.elapsed());
}

#[test]
fn even_seeds() {
    seeds(0);
}

#[test]
fn show() {
    let seed = std::env::var("SEED").map_or(0, |t| t.parse().unwrap());
    let shrunk = Random::new(seed).shrunk();
    let played = shrunk.play(true);
    println!(
        "{}\n{:?}\n{:?} {:?} {:?}",
        played.trace.table(),
        shrunk.starts,
        shrunk.config,
        shrunk.faults,
        played.wrong
    );
}
