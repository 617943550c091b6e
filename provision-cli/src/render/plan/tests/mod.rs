//! How plans look, and that no plan gets out of its place.

mod json;
mod markdown;
mod plans;
mod text;
