//! Where runs are killed.
