//! Route 53: names. A global service: its zones are an account's, whatever the region.

use crate::table::{Row, Source};

pub(crate) mod name;
pub(crate) mod txt;

pub mod alias;
pub mod hosted_zone;
pub mod record;
pub mod record_type;
pub mod zone_lookup;
pub mod zone_vpc;

/// Route 53's types.
pub(crate) static ROWS: &[&Row] = &[&hosted_zone::ROW, &record::ROW];

/// Route 53's data sources.
pub(crate) static DATA_SOURCES: &[&Source] = &[&zone_lookup::SOURCE];
