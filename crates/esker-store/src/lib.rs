//! Snapshots: every version of every resource, durable, in a git repository that plain git can read.
//!
//! The only crate that knows git. It knows no socket: [`service::Snapshots`] answers requests as values, and
//! the bus carries them. Where a PUT becomes durable is one function, `durable::Durable::flush`.

pub mod service;

mod put;
mod rename;

mod prune;

mod log;
mod page;
mod read;

pub mod diff;
mod tag;
mod why;

mod at;
mod near;
mod resolve;

pub mod names;

pub mod store;

mod branches;
pub mod excavate;
mod fork;
mod history;
mod index;
mod lineage;
mod outside;
mod rejected;
mod tree;

mod commit;
mod trailers;

mod delta;
mod dropped;
mod durable;
mod files;
mod journal;
mod large;
mod layout;
mod locks;
mod loose;
mod objects;
mod pack;
mod refs;
mod replay;
mod settle;
mod source;
mod upkeep;

mod cache;

pub mod mirror;

pub mod check;
mod deep;
pub mod error;
pub mod form;
pub mod repair;
