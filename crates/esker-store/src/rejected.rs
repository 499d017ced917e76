//! What checks have refused is kept for a while, on the branches `rejected/STAGE/KEY`, and then let go.
//!
//! Nothing else is ever let go by itself: nothing is made from these, and no history leads to them.

use std::collections::BTreeMap;

use esker_wire::name::Branch;
use jiff::Timestamp;

use crate::durable::Durable;
use crate::error::Error;
use crate::index;
use crate::locks;
use crate::refs;
use crate::store::Store;

/// What the names of the branches begin with.
const FIRST: &str = "rejected/";
/// How many of each stage are kept.
const KEPT_MAX: usize = 10;
/// How long all but the newest of a stage are kept, in seconds: 30 days.
const KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Whether a branch is one of these.
pub(crate) fn is_rejected(branch: &Branch) -> bool {
    branch.as_str().starts_with(FIRST)
}

impl Store {
    /// Lets go what is too old or too much, with room for what is coming. What cannot be let go now is later.
    pub(crate) fn expire_rejected(&mut self, coming: usize) {
        if let Err(error) = self.try_expire(KEPT_MAX - coming) {
            tracing::warn!(%error, "cannot let go what was refused long ago");
        }
    }

    fn try_expire(&mut self, kept_max: usize) -> Result<(), Error> {
        let mut stages: BTreeMap<String, Vec<(i64, Branch)>> = BTreeMap::new();
        for name in self.references(&format!("{}{FIRST}", refs::BRANCHES))? {
            let Some((stage, _)) = name.rsplit_once('/') else {
                continue;
            };
            let Ok(branch) = format!("{FIRST}{name}").parse::<Branch>() else {
                continue;
            };
            let seconds = self.history(&branch)?.head().map_or(i64::MIN, |step| step.seconds);
            stages.entry(stage.to_owned()).or_default().push((seconds, branch));
        }
        let now: Timestamp = (self.options.clock)();
        let horizon = now.as_second() - KEPT_SECONDS;
        for (_, mut kept) in stages {
            kept.sort_by(|one, other| other.cmp(one));
            let is_over = |at: usize, seconds: i64| at >= kept_max || at > 0 && seconds < horizon;
            let over = kept.into_iter().enumerate();
            for (_, (_, branch)) in over.filter(|(at, (seconds, _))| is_over(*at, *seconds)) {
                self.let_go(&branch)?;
            }
        }
        Ok(())
    }

    /// Removes a branch, if it is where git looks for it and nobody has moved it; whether it did.
    pub(crate) fn let_go(&mut self, branch: &Branch) -> Result<bool, Error> {
        let name = refs::of_branch(branch);
        let durable = self.lines.get(branch).and_then(|line| line.durable);
        let Some(head) = durable else {
            return Ok(false);
        };
        if self.history(branch)?.head().map(|step| step.revision) != Some(head) {
            return Ok(false);
        }
        // What the journal tells would come back after a crash.
        self.durable.as_mut().map_or(Ok(()), Durable::finish)?;
        self.note_settled()?;
        if self.moving.contains_key(&name) {
            return Ok(false);
        }
        let is_removed = locks::remove(&self.dir, &name, head)?;
        if is_removed {
            index::remove(&self.dir, branch)?;
            self.lines.remove(branch);
            tracing::info!(%branch, "branch removed");
        }
        Ok(is_removed)
    }
}
