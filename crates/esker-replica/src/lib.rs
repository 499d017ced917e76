//! The live model: nested data, deltas and digests; a publisher, and replicas that can prove to be in step.
//!
//! `docs/sync.md` is what is said on the wire. The core is pure: [`publisher`] and [`replica`] are told what happens and when, and
//! say what to do; a simulation drives them through loss, disorder and restarts. Only [`live`] and [`follow`] know the bus.

pub mod digest;
pub mod model;
pub mod op;
pub mod path;
pub mod value;

pub mod json;
pub mod tree;

pub mod section;

pub mod ask;
pub mod frame;

pub mod publisher;
pub mod replica;

pub mod relay;

pub mod follow;
pub mod live;

pub mod interop;

mod bytes;
mod nodes;

#[cfg(test)]
mod vectors;
