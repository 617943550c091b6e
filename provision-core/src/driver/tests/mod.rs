//! Tests of the driver: real files, real processes, real time.

mod cache;
mod checks;
mod race;
mod s3;
mod world;
