//! Tests through the real SDK against the servers of the testbed
