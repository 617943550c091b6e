//! Thousands of resources: no cost may grow with the square.
