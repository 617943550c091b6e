//! Interrupts: the first one drains, the second one stops.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// One message per SIGINT or SIGTERM.
pub(crate) fn interrupts() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(4);
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        // Where a signal can't be watched, it does what it always does: ends the process.
        if let Ok(mut signals) = signal(kind) {
            let sender = sender.clone();
            tokio::spawn(async move { while signals.recv().await.is_some() && sender.send(()).await.is_ok() {} });
        }
    }
    receiver
}
