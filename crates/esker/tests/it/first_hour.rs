//! The first hour of a demanding user: what they try, line by line, each by a test of its name, with real processes.
//!
//! | what they try | where |
//! | --- | --- |
//! | the engine killed, events lost, a thousand PUTs in a second, a diamond with a slow side | `events` |
//! | programs that fail, are killed, say nothing, too late, too much, or read nothing | `programs` |
//! | every kind of bad data; poison; edits that change nothing; yesterday's input again | `data` |
//! | definitions with faults, also while much goes on | `definitions` |
//! | two engines, git inside the store, a full disk, a disk for reading only | `stores` |
//! | a clock set back, the nights in which it is changed, a laptop that sleeps | `clocks` |
//! | a tap with a bad token, too many requests, killed, deletions, new columns, bad lines | `pulls` |
//! | "Why did the end date of TASK-17 change on Tuesday?" | `why` |
//!
//! Of the same list, elsewhere: 10,000 stages, a million versions and 100,000 files are measured by `esker bench`.
//! What-ifs and excavation are in `whatif_crowd` (many beside each other, on old bases, while `main` moves),
//! `whatif_clash` (two who change the same cell), `whatif_kills` and `whatif` (left open over a restart, over, discarded
//! twice), `whatif_rounds` and `whatif_overrides` (what the next pull says), and `excavate`. A killed
//! subscriber and a page that recovers by itself and proves it by hash belong to the live model, issue D, and how a
//! problem looks on the page to issue F; `data` looks at what the page is told.

use std::fs;

use crate::world::{Running, World};

mod clocks;
mod data;
mod definitions;
mod events;
mod programs;
mod pulls;
mod stores;
mod why;

/// How many versions a resource has.
fn versions(world: &World, resource: &str) -> usize {
    world.json(&["log", resource, "-n", "2000", "--json"]).as_array().expect("a list").len()
}

/// The most memory that a process has had, in kB.
fn peak_kb(of: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", of.pid())).expect("/proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn wait_for_no_problem(world: &World) {
    world.wait_for("the problem to be over", || {
        world.json(&["problems", "--json"]).as_array().is_some_and(Vec::is_empty)
    });
}

/// How many lines a file of the project has; programs of the tests note in one that they ran.
fn lines(world: &World, name: &str) -> usize {
    fs::read_to_string(world.path(name)).unwrap_or_default().lines().count()
}
