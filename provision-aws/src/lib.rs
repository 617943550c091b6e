//! Typed AWS resources for provision, and the calls that make them

pub mod resources;
