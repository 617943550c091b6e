//! What a person sees: text for plans, progress, reports and state.

mod board;
mod out;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod state;
pub(crate) mod style;
mod table;
pub(crate) mod words;

#[cfg(test)]
mod tests;

pub(crate) use out::{Manner, error, event, hint, is_json, line, prompt, set_manner, warning};
