//! Interrupts: what only reads ends at once; a run drains at the first one, and stops at a second one of the same kind.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::error::CliError;
use crate::render::progress::Screen;
use crate::{INTERRUPTED, render};

/// The kind of each SIGINT or SIGTERM.
fn watch() -> mpsc::Receiver<SignalKind> {
    let (sender, receiver) = mpsc::channel(4);
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        // Where a signal can't be watched, it does what it always does: ends the process.
        if let Ok(mut signals) = signal(kind) {
            let sender = sender.clone();
            tokio::spawn(async move { while signals.recv().await.is_some() && sender.send(kind).await.is_ok() {} });
        }
    }
    receiver
}

/// The interrupts of a run, which the screen tells of.
///
/// A build server that cancels a job sends SIGINT and, some seconds later, SIGTERM: that is one wish, not two. After a
/// second signal of the same kind nothing more is awaited: the process ends, and the next run goes on as after a kill.
pub(crate) fn interrupts(screen: Screen) -> mpsc::Receiver<()> {
    let mut signals = watch();
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some(kind) = signals.recv().await {
            if seen.contains(&kind) {
                screen.stop();
                render::error("stopped: the outcome of calls on their way is not known; the next run finds out");
                std::process::exit(INTERRUPTED.into());
            }
            // The run is told once: for it, a second interrupt would be a wish to stop.
            if seen.is_empty() {
                screen.interrupted();
                if sender.send(()).await.is_err() {
                    break;
                }
            }
            seen.push(kind);
        }
    });
    receiver
}

/// Gives up work that changes nothing at the first interrupt.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, CliError> {
    let mut signals = watch();
    tokio::select! {
        biased;
        done = work => Ok(done),
        Some(_) = signals.recv() => Err(CliError::Interrupted),
    }
}
