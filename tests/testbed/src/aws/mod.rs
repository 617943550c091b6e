//! AWS: moto behind a proxy that behaves as the real service does where moto does not, and that fails on
//! demand.
//!
//! # Guarantees
//! - Calls through the proxy are executed one at a time, so `If-None-Match: *` on S3 has one winner.
//! - A request that has reached the proxy whole is carried out even if its caller is gone, as by the real service.
//! - Every request is recorded when it arrives; what is recorded is complete before the answer is sent.
//!
//! # Caveats
//! - No signature is checked, only how old its stamp is, and that not for S3.
//! - Client tokens are honoured on every EC2 action that has one and never expire; only successes are remembered.
//! - The pages after the first show the list as it was when the first was made.
//! - A new object is hidden from the describe call of its kind, not from lists of others that mention it.

mod answer;
mod backend;
mod call;
mod consistency;
mod gaps;
mod listen;
mod lists;
mod proxy;
mod record;
mod rules;
mod server;
mod stamp;
mod throttle;
mod upstream;

pub use consistency::Lag;
pub use record::RecordedCall;
pub use rules::{Caller, Fault, Match, Rule};
pub use server::{AwsServer, KNOWN_IMAGE, Options, RuleHandle};
pub use throttle::Throttle;
