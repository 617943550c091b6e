//! Streams of immutable entries: the one mechanism that lock, journal and history come from.

pub mod event;
