//! Security as a whole, from the definitions alone: whether traffic gets from one place to another over groups, ACLs and
//! routes together, and what is probably not meant.
//!
//! # Guarantees
//! "No" and "yes" rest on what is written alone. What is not known (an object that somebody else made, a value that is known
//! only after apply, a transit gateway's tables) makes a "may", never a "no".
//!
//! # Caveats
//! What an object of ours is not given counts as AWS' default: a subnet in no ACL of ours has the VPC's default one, which
//! lets everything through, and one in no route table the main one, which leads only within the VPC. Drift is not looked at,
//! and neither are IPv6 addresses of machines, firewalls on them, or the policies of endpoints.

mod acls;
mod advice;
mod groups;
mod model;
mod places;
mod reach;
mod routes;

#[cfg(test)]
mod tests;

pub(crate) use advice::advice;
pub(crate) use reach::reach;
