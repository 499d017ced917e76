//! Who is there: Consul, or a list that somebody wrote.
//!
//! [`cluster::Cluster`] is the way in. What is believed of what Consul says is decided by functions from values to
//! values (`belief.rs`); `consul/http.rs` alone speaks HTTP. Whoever is there is pinged by whoever uses this crate:
//! it knows no other way to a worker than to hand its address on.

pub mod board;
pub mod cluster;
pub mod join;
pub mod membership;

pub mod announce;
pub mod asked;
pub mod coordinate;
pub mod kv;
pub mod session;

pub mod consul;

pub mod dev;
pub mod policy;

mod belief;
mod list;
mod local;
mod pace;
mod saved;
