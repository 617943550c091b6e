//! The clocks that a simulated cloud can run by.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::call::ServerTime;

/// Where a cloud that is not driven step by step gets its time from.
pub type Clock = Arc<dyn Fn() -> ServerTime + Send + Sync>;

/// This machine's wall clock.
pub fn wall_clock() -> Clock {
    Arc::new(|| {
        let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        ServerTime(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
    })
}
