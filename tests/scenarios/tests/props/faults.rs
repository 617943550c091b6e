//! Every single fault of small runs; one run without faults then finishes.
