//! Golden scenarios in the simulated cloud
