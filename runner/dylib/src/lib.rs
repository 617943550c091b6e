//! What an edit of an infrastructure does not change, as one shared library: the core, the providers, the command line, the
//! stores. The feature `dynamic` of `runner` links it instead of all of them, which takes a tenth of a second instead of half
//! a one (`docs/edit-loop.md`). Nothing is named from here: that it is linked is all.

pub use {provision_aws, provision_cli, provision_core};
