//! Where contents are kept that checks have refused: a branch for each refused run, `rejected/STAGE/KEY`.
//!
//! They are for inspection only: nothing is made from them, and they go by themselves after a while.

use esker_wire::name::Branch;
use esker_wire::record::RunRecord;

use crate::key::sha256;

/// What the names of the branches begin with.
const FIRST: &str = "rejected";
/// How much of a run key is part of a name.
const KEY: usize = 12;

/// The branch that holds what a run of a stage made that was refused.
pub fn branch(record: &RunRecord) -> Option<Branch> {
    of_run(&record.stage, &record.run_key)
}

/// The branch for the run of a stage with this key; none if the key is none.
pub(crate) fn of_run(stage: &str, run_key: &str) -> Option<Branch> {
    let key = run_key.get(..KEY).unwrap_or(run_key);
    format!("{FIRST}/{}/{key}", part(stage)).parse().ok()
}

/// A stage's name as part of a branch's, which knows fewer letters: what is no such name is followed by a hash.
pub(crate) fn part(stage: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if stage.chars().all(is_plain) && !stage.starts_with('-') {
        return stage.to_owned();
    }
    let lower = stage.to_lowercase();
    let plain: String = lower.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let hash = sha256(stage.as_bytes());
    format!("{}-{}", plain.trim_matches('-'), &hash[..8]).trim_start_matches('-').to_owned()
}

#[cfg(test)]
mod tests;
