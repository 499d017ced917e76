//! Bulk data: the memory and the disks of many nodes as one cache, and shuffles over them.
//!
//! `core` is all that a worker knows and decides: from requests to answers, without sockets, files, clocks or
//! threads. [`worker`] gives it those; [`client`] finds the worker that has an id and asks it. Where ids are is said
//! by tables, which [`tables`] keeps as members come and go. [`sort`] is the first that shuffles;
//! [`survey`] tells how all of it stands.

pub mod alone;
pub mod client;
pub mod sort;
pub mod space;
pub mod survey;
pub mod tables;
pub mod worker;

mod compress;
mod core;
mod spill;
