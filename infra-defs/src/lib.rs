//! The infrastructure itself: data centres, blocks and shared modules
