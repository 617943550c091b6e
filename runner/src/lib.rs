//! The command line of provision
