//! The keys of a gate.
