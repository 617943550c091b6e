//! IAM: who may do what. A global service: its names are an account's, whatever the region.

use crate::table::Row;

pub(crate) mod list;
pub(crate) mod tags;

pub mod document;
pub mod instance_profile;
pub mod managed_policy;
pub mod policy;
pub mod policy_attachment;
pub mod role;

/// IAM's types.
pub(crate) static ROWS: &[&Row] = &[&role::ROW, &policy::ROW, &policy_attachment::ROW, &instance_profile::ROW];
