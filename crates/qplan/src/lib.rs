//! The planning application: from a plan's sheets to what fits, what is short and when things end.
//!
//! Two deeds, both from bytes to bytes and warnings: [`condition::condition`] turns the sheets of a workbook
//! into the four streams of a plan, [`schedule::schedule`] turns those into manpower, demand, shortages and
//! end dates. No files, no clock, no threads, and no knowledge of the program that calls.

pub mod condition;
pub mod error;
pub mod schedule;

mod date;
mod number;
mod plan;
mod report;
mod show;
mod streams;
mod taking;
mod track;
mod warnings;
