//! What esker says: messages, names, revisions and the chain.
//!
//! Everything here is a value or a function from values to values: no socket, clock, file or thread. The
//! promise to clients in other languages (`docs/protocol.md`) is kept by this crate alone.

pub mod stacked;

pub mod backfill;
pub mod blobs;
pub mod bulk;
pub mod edit;
pub mod hubs;
pub mod name;
pub mod overrides;
pub mod remote;
pub mod revision;

pub mod fault;
pub mod member;
pub mod message;

pub mod chain;
pub mod event;

pub mod keep;
pub mod pointer;
pub mod problem;
pub mod project;
pub mod provenance;
pub mod pruned;
pub mod record;
pub mod role;
pub mod snapshot;
pub mod stance;
pub mod whatif;

pub mod seed;

#[cfg(test)]
mod golden;
