//! Procedural macros of provision-core
