//! The pipeline: sources, stages and the programs they run.
//!
//! The definition and the planner are functions from values to values. Programs, files and clocks are at the
//! edge, in `child`, `supervise`, `run` and `engine`; this is the one crate that starts programs.

pub mod definition;

mod commits;
pub mod edit;
pub mod extract;
mod key;
mod open;
pub mod plan;
mod retry;

mod fingerprint;
mod gate;
mod sheets;

pub mod beside;
mod child;
pub mod deliver;
mod proc;
pub mod supervise;

mod pull;

pub mod engine;
pub mod guess;
pub mod past;
pub mod record;
pub mod rejected;
mod run;
pub mod trial;
pub mod whatif;

#[cfg(test)]
mod stub;
