//! S3: buckets. Their names are the whole world's.

use crate::table::Row;

pub mod bucket;

/// S3's types.
pub(crate) static ROWS: &[&Row] = &[&bucket::ROW];
