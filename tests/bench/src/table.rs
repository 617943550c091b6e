//! The table: ours beside the peer's.

use std::time::Duration;

use crate::count::Counts;
use crate::usage::Took;

/// What is known of a piece of work.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Figure {
    /// It was measured now.
    Measured(Took),
    /// It was measured on another machine, and published in the issue that this bench is for.
    Published {
        /// CPU time.
        cpu: Duration,
        /// Peak memory in bytes, where it was told.
        peak: Option<u64>,
    },
    /// It was not measured; why.
    Missing(String),
}

/// A line.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What was done.
    pub(crate) what: String,
    pub(crate) ours: Figure,
    pub(crate) peer: Figure,
    /// The aim.
    pub(crate) aim: Option<Aim>,
}

/// What is aimed at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Aim {
    /// So many times less CPU time than the peer.
    Times(u32),
    /// At most so much CPU time and memory.
    AtMost(Duration, u64),
}

impl Figure {
    fn cpu(&self) -> Option<Duration> {
        match self {
            Self::Measured(took) => Some(took.cpu),
            Self::Published { cpu, .. } => Some(*cpu),
            Self::Missing(_) => None,
        }
    }

    fn peak(&self) -> Option<u64> {
        match self {
            Self::Measured(took) => Some(took.peak),
            Self::Published { peak, .. } => *peak,
            Self::Missing(_) => None,
        }
    }

    fn store(&self) -> Option<Counts> {
        match self {
            Self::Measured(took) => took.store,
            Self::Published { .. } | Self::Missing(_) => None,
        }
    }

    fn mark(&self) -> &'static str {
        match self {
            Self::Measured(_) => "",
            Self::Published { .. } => " *",
            Self::Missing(_) => "",
        }
    }
}

/// The table, as Markdown that reads well as it is.
pub(crate) fn table(rows: &[Row]) -> String {
    let header = ["", "CPU", "peak", "puts", "bytes", "peer's CPU", "peer's peak", "less CPU", "aim"];
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(ToString::to_string).collect()];
    lines.extend(rows.iter().map(line));
    let column = |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..header.len()).map(|at| column(at).unwrap_or_default()).collect();
    let mut text = String::new();
    for (number, cells) in lines.iter().enumerate() {
        let padded = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, width))| if at == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        text.push_str(&format!("| {} |\n", padded.collect::<Vec<_>>().join(" | ")));
        if number == 0 {
            let rule = widths.iter().enumerate().map(|(at, width)| {
                if at == 0 { "-".repeat(*width) } else { format!("{}:", "-".repeat(width.saturating_sub(1))) }
            });
            text.push_str(&format!("| {} |\n", rule.collect::<Vec<_>>().join(" | ")));
        }
    }
    text.push_str(&notes(rows));
    text
}

fn notes(rows: &[Row]) -> String {
    let mut notes = String::new();
    if rows.iter().any(|row| matches!(row.peer, Figure::Published { .. })) {
        notes.push_str("\n\\* published here earlier, measured on another machine; not measured in this run\n");
    }
    for row in rows {
        for (whose, figure) in [("ours", &row.ours), ("the peer's", &row.peer)] {
            if let Figure::Missing(why) = figure {
                notes.push_str(&format!("\n- {}, {whose}: not measured: {why}\n", row.what));
            }
        }
    }
    notes
}

fn line(row: &Row) -> Vec<String> {
    let store = row.ours.store();
    let times = row.ours.cpu().zip(row.peer.cpu()).filter(|(ours, _)| !ours.is_zero());
    let times = times.map(|(ours, peer)| peer.as_secs_f64() / ours.as_secs_f64());
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        row.what.clone(),
        or_dash(row.ours.cpu().map(seconds)),
        or_dash(row.ours.peak().map(bytes)),
        or_dash(store.map(|counts| counts.puts.to_string())),
        or_dash(store.map(|counts| bytes(counts.put_bytes))),
        or_dash(row.peer.cpu().map(|cpu| format!("{}{}", seconds(cpu), row.peer.mark()))),
        or_dash(row.peer.peak().map(|peak| format!("{}{}", bytes(peak), row.peer.mark()))),
        or_dash(times.map(|times| format!("{times:.0} times{}", row.peer.mark()))),
        row.aim.map_or_else(String::new, |aim| match aim {
            Aim::Times(aim) => {
                let met = times.is_some_and(|times| times >= f64::from(aim));
                format!("{aim} times{}", verdict(times.map(|_| met)))
            }
            Aim::AtMost(cpu, peak) => {
                let met = row.ours.cpu().zip(row.ours.peak()).map(|(ours, memory)| ours <= cpu && memory <= peak);
                format!("{}, {}{}", seconds(cpu), bytes(peak), verdict(met))
            }
        }),
    ]
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => ": met",
        Some(false) => ": missed",
        None => "",
    }
}

/// Seconds, with three digits or so.
fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        _ if seconds < 0.1 => format!("{:.1} ms", seconds * 1_000.0),
        _ if seconds < 1.0 => format!("{:.0} ms", seconds * 1_000.0),
        _ if seconds < 10.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.1} s"),
    }
}

/// Bytes, in the units of 1,000.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(ms: u64) -> Took {
        let store = Some(Counts { puts: 12, put_bytes: 34_567, ..Counts::default() });
        Took { cpu: Duration::from_millis(ms), wall: Duration::ZERO, peak: 12_345_678, store }
    }

    #[test]
    fn what_was_not_measured_is_told_apart() {
        let row = |what: &str, ours, peer, aim| Row { what: what.to_owned(), ours, peer, aim: Some(aim) };
        let published = Figure::Published { cpu: Duration::from_secs(36), peak: Some(659_000_000) };
        let missing = Figure::Missing("no terraform".to_owned());
        let text = table(&[
            row("plan of 10", Figure::Measured(took(30)), published, Aim::Times(1_000)),
            row("plan of 20", Figure::Measured(took(2_000)), missing, Aim::AtMost(Duration::from_secs(1), 1)),
        ]);
        let expected = "\
|            |     CPU |    peak | puts | bytes | peer's CPU | peer's peak |     less CPU |              aim |
| ---------- | ------: | ------: | ---: | ----: | ---------: | ----------: | -----------: | ---------------: |
| plan of 10 | 30.0 ms | 12.3 MB |   12 | 34 kB |   36.0 s * |  659.0 MB * | 1200 times * |  1000 times: met |
| plan of 20 |  2.00 s | 12.3 MB |   12 | 34 kB |          - |           - |            - | 1.00 s, 1 B: missed |
";
        assert!(text.starts_with(&expected.lines().next().unwrap_or_default()[..20]), "{text}");
        assert!(text.contains("36.0 s * |  659.0 MB * | 1200 times * "), "{text}");
        assert!(text.contains("1000 times: met") && text.contains("1.00 s, 1 B: missed"), "{text}");
        assert!(
            text.contains("published here earlier")
                && text.contains("plan of 20, the peer's: not measured: no terraform")
        );
    }
}
