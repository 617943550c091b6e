//! Every type of the provider, in families that are applied together, and what a family goes through.
//!
//! A family is a file here and a line in [`FAMILIES`]; its block says, for each [`Stage`], what is to be there.

mod acl;
mod balancing;
mod buckets;
mod dns;
mod endpoints;
mod iam;
mod keys;
mod life;
mod machines;
mod nat;
mod networks;
mod peering;
mod routes;
mod templates;
mod transit;
mod vpn;

use provision_core::dsl::Infrastructure;
use provision_core::prelude::*;

pub use life::{adopted_and_destroyed, lived};

/// All families.
pub static FAMILIES: &[&Family] = &[
    &networks::FAMILY,
    &nat::FAMILY,
    &routes::FAMILY,
    &acl::FAMILY,
    &endpoints::FAMILY,
    &machines::FAMILY,
    &keys::FAMILY,
    &templates::FAMILY,
    &balancing::FAMILY,
    &iam::FAMILY,
    &dns::FAMILY,
    &buckets::FAMILY,
    &peering::FAMILY,
    &vpn::FAMILY,
    &transit::FAMILY,
];

/// Types that are made, changed and deleted together.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// The types that it is about: each is updated and replaced in it, where its schema has fields that do so. Others may be
    /// there for them to stand on.
    pub types: &'static [&'static str],
    /// Those of its types that are not replaced although they could be, and why.
    pub kept: &'static [(&'static str, &'static str)],
    /// Puts it into an infrastructure.
    pub define: fn(&Infrastructure, Stage),
}

/// A tag of most things: one goes with the update, another one comes.
fn tags(stage: Stage) -> [(&'static str, &'static str); 2] {
    [("team", "infra"), stage.updated(("since", "once"), ("owner", "end-to-end"))]
}

/// What a family is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Args)]
pub enum Stage {
    /// As it is made.
    Created,
    /// With every type changed in place, and nothing else.
    Updated,
    /// With every type replaced that can be.
    Replaced,
}

impl Stage {
    /// The one while it is as it was made, the other from [`Stage::Updated`] on.
    pub fn updated<T>(self, before: T, after: T) -> T {
        if self >= Self::Updated { after } else { before }
    }

    /// The one until it is updated, the other in [`Stage::Replaced`].
    pub fn replaced<T>(self, before: T, after: T) -> T {
        if self == Self::Replaced { after } else { before }
    }
}
