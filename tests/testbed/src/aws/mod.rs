//! AWS: moto behind a proxy that behaves as the real service does where moto does not, and that fails on
//! demand.
//!
//! # Guarantees
//! - Calls through the proxy are executed one at a time, so `If-None-Match: *` on S3 has one winner.
//! - A request that has reached the proxy whole is carried out even if its caller is gone, as by the real service.
//! - Every request is recorded when it arrives; what is recorded is complete before the answer is sent.
//!
//! # Caveats
//! - It is not AWS: `docs/aws-test-server.md` says where it differs.
//! - No signature is checked, only how old its stamp is, and that not for S3.
//! - Client tokens never expire; only successes are remembered.
//! - The pages after the first show the list as it was when the first was made.
//! - A new object is hidden from the list call of its kind, not from lists of others that mention it.

mod answer;
mod backend;
mod call;
mod consistency;
mod gaps;
mod kinds;
mod listen;
mod listing;
mod lists;
mod model;
mod proxy;
mod record;
mod refresh;
mod rest;
mod rules;
mod server;
mod settling;
mod stamp;
mod throttle;
mod upstream;

pub use consistency::Lag;
pub use record::RecordedCall;
pub use rules::{Caller, Fault, Match, Rule};
pub use server::{AwsServer, KNOWN_IMAGE, Options, RuleHandle};
pub use throttle::Throttle;
