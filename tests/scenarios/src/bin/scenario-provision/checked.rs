//! A block with a health check, and an environment that waits for it.

use std::time::Duration;

use provision_aws::Vpc;
use provision_aws::prelude::*;
use provision_core::dsl::check::tcp;
use provision_core::prelude::*;

fn network<D: AwsDc>(b: &Block<D>) {
    b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") });
}

/// Where changes are tried: its health counts.
pub(crate) fn tried<D: AwsDc>(b: &Block<D>, (): ()) {
    network(b);
    b.check("ssh", tcp("192.0.2.10:22").every(Duration::from_millis(500)).within(Duration::from_secs(1)));
}

/// What comes after.
pub(crate) fn trusted<D: AwsDc>(b: &Block<D>, (): ()) {
    network(b);
}
