//! Auto Scaling: groups of machines that are alike. A file per type.

use crate::table::Row;

mod checks;
mod reading;
mod tags;

pub mod group;

/// Auto Scaling's types.
pub(crate) static ROWS: &[&Row] = &[&group::ROW];
