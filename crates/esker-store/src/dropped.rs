//! BRANCHES and DROP: which branches there are beside `main`, and letting go of one that holds what can be computed
//! again.

use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Branches, DropBranch};
use esker_wire::whatif;

use crate::refs;
use crate::store::Store;

/// What the names of branches begin with that may be dropped.
const DROPPABLE: [&str; 2] = ["backfill/", "whatif/"];

impl Store {
    /// The branches whose names begin so, and what they name.
    ///
    /// # Errors
    /// If the references cannot be read.
    pub(crate) fn branches_like(
        &mut self,
        ask: &Branches,
    ) -> Result<Vec<(Branch, Revision)>, Fault> {
        let names = self.references(refs::BRANCHES)?;
        let wanted = names.iter().filter(|name| name.starts_with(&ask.prefix));
        let mut found = Vec::new();
        for branch in wanted.filter_map(|name| name.parse::<Branch>().ok()) {
            if let Some(revision) = self.reference(&refs::of_branch(&branch))? {
                found.push((branch, revision));
            }
        }
        Ok(found)
    }

    /// What a what-if says of itself, if a branch is one: the resource and its revision.
    pub(crate) fn about(&mut self, branch: &Branch) -> Result<Option<(Resource, Revision)>, Fault> {
        if whatif::id(branch).is_none() {
            return Ok(None);
        }
        let resource: Resource = whatif::ABOUT.parse().map_err(Fault::bad_request)?;
        let current = self.history(branch)?.current(&resource);
        Ok(current.map(|(revision, _)| (resource, revision)))
    }

    /// Removes a branch, at once; whether there was one.
    ///
    /// # Errors
    /// `bad-request` for a branch that holds what nothing else does; `busy` for one that is being moved.
    pub(crate) fn drop_branch(&mut self, ask: &DropBranch) -> Result<bool, Fault> {
        let branch = &ask.branch;
        self.check_excavation(branch)?;
        if !DROPPABLE.iter().any(|first| branch.as_str().starts_with(first)) {
            let message = format!("the branch {branch} is not dropped: it holds what is kept");
            return Err(Fault::bad_request(message)
                .hint("only what backfills and what-ifs made is dropped"));
        }
        if self.history(branch)?.last().is_none() {
            return Ok(false);
        }
        if self.let_go(branch)? {
            return Ok(true);
        }
        let message = format!("the branch {branch} is being moved");
        Err(Fault::new(Code::Busy, message).hint("try again in a moment"))
    }
}
