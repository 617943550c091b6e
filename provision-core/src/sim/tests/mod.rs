//! Each rule with a test that fails without it; calls made by hand.

mod client;
mod file;
mod property;
mod reads;
mod rules;
mod support;
