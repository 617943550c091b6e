//! The driver for production: performs a machine's actions under tokio.
//!
//! All real input and output is here: stores, clocks, the kernel's view of processes, key files. Protocol code
//! (`stream`, the executor) only asks for actions.

#![expect(clippy::disallowed_methods, reason = "the driver is where the world is touched")]

mod cache;
mod checker;
mod clients;
mod clock;
mod drive;
mod holder;
mod key_file;
pub mod pipe;
mod store;

#[cfg(test)]
mod tests;

pub use cache::{CacheError, Cached};
pub use checker::{LocalDialer, NetworkChecker, NetworkDialer};
pub use clients::{Clients, Connector};
pub use clock::{now, shown_time};
pub use drive::{World, drive};
pub use holder::{HolderError, is_dead, our_holder, our_name, probe};
pub use key_file::{KeyFileError, draw_nonce, load_or_create_key};
pub use store::{ObjectStoreBackend, OpenError, Store, Version, Versions};
