//! The crate as its callers see it.

mod decimals;
mod golden;
mod model;
mod random;
mod sheets;
