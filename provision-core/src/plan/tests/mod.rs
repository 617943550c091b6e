//! Decisions, ceilings and action graphs, by small examples. What whole runs promise is tested in `tests/scenarios`.

mod adopt;
mod ceiling;
mod decide;
mod graph;
mod names;
mod sealed;
mod support;
mod whole;
