//! The face of the bulk cache for C, and the only crate of ours with `unsafe` in it.
//!
//! What C holds are handles: numbers in the shape of pointers, which nothing ever follows. Each is looked up in a table
//! ([`table`]) that knows which were given back, so that a mistake with one is an error and not a crash. What a
//! caller owes is therefore little: a pointer to data that is not NULL points to as much as it is said to, for as long as
//! the call lasts. Only `border` follows such pointers, and no panic leaves it.

pub mod cache;
pub mod client;
pub mod error;
pub mod future;
pub mod space;
pub mod view;

mod border;
mod flight;
mod state;
mod table;
