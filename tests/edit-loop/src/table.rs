//! The table that is printed.

use std::time::Duration;

use crate::measure::{Cost, median};

/// One line of it.
pub(crate) struct Row {
    what: String,
    costs: Vec<Cost>,
}

impl Row {
    /// What was measured, each time.
    pub(crate) fn new(what: impl Into<String>, costs: Vec<Cost>) -> Self {
        Self { what: what.into(), costs }
    }
}

/// Prints the rows: medians, and the fastest and the slowest.
pub(crate) fn print(title: &str, rows: &[Row]) {
    println!("\n{title}\n");
    println!("| | runs | median | from | to | CPU, median |");
    println!("|---|--:|--:|--:|--:|--:|");
    for Row { what, costs } in rows {
        let walls: Vec<Duration> = costs.iter().map(|cost| cost.wall).collect();
        let [from, to] =
            [walls.iter().min(), walls.iter().max()].map(|wall| seconds(wall.copied().unwrap_or_default()));
        let cpu = seconds(median(costs.iter().map(|cost| cost.cpu).collect()));
        println!("| {what} | {} | {} | {from} | {to} | {cpu} |", costs.len(), seconds(median(walls)));
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}
