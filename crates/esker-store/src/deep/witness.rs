//! What the indexes remember: where esker has put each branch last, whatever git says now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use esker_wire::name::Branch;
use esker_wire::revision::Revision;

use crate::error::Error;
use crate::history::History;
use crate::index::{self, Index};
use crate::journal;
use crate::layout;
use crate::objects::Objects;
use crate::refs;

use super::{Look, REPAIR, is_same};

impl Look {
    /// Compares what the indexes tell with the branches and their commits.
    pub(super) fn indexes(
        &mut self,
        git_dir: &Path,
        objects: &mut Objects,
        told: &mut dyn FnMut(&str),
    ) -> Result<(), Error> {
        let named = self.references.keys().filter_map(refs::branch_of);
        let branches: BTreeSet<Branch> = named.chain(index::branches(git_dir)?).collect();
        for branch in branches {
            told(&format!("comparing the index of {branch}"));
            let (indexed, _) = Index::load(git_dir, &branch)?;
            // In this order: what is not in the journal any more is where the reference is.
            let waiting = waiting(git_dir, &branch);
            let Ok(head) = refs::read(git_dir, &refs::of_branch(&branch)) else {
                // It was found before.
                continue;
            };
            let last = indexed.head().map(|step| step.revision);
            let is_waiting = last.is_some_and(|last| waiting.contains(&last));
            match (head, last) {
                (None, Some(last)) if !is_waiting => self.gone(&branch, last),
                (Some(head), _) => self.compare((&branch, head), &indexed, (objects, is_waiting)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Finds the references that other repositories have and this one has lost.
    pub(crate) fn compare_with(&mut self, others: &[PathBuf]) -> Result<(), Error> {
        for path in others {
            for (name, to) in heads_of(path)? {
                let is_ours = name.starts_with(refs::BRANCHES) || name.starts_with("refs/tags/");
                let is_here = self.references.contains_key(&name) || self.broken.contains(&name);
                if is_ours && !is_here {
                    let message = format!("there is no {name}; {} has it on {to}", path.display());
                    self.note(message, REPAIR);
                    self.broken.insert(name);
                }
            }
        }
        Ok(())
    }

    /// A branch that an index knows and git does not.
    fn gone(&mut self, branch: &Branch, last: Revision) {
        let name = refs::of_branch(branch);
        // Those that esker keeps may be removed by whoever has looked at them.
        let is_kept = ["kept/", "foreign/"].iter().any(|first| branch.as_str().starts_with(first));
        if is_kept || !self.broken.insert(name.clone()) {
            return;
        }
        let hint =
            format!("{REPAIR}; if it was removed on purpose: `esker repair --accept {branch}`");
        self.note(format!("there is no {name}; esker has put it on {last}"), &hint);
    }

    fn compare(
        &mut self,
        (branch, head): (&Branch, Revision),
        indexed: &History,
        (objects, is_waiting): (&mut Objects, bool),
    ) {
        let mut history = History::default();
        // What cannot be read was found before.
        if history.follow(objects, head).is_err() {
            return;
        }
        let Some(last) = indexed.head().map(|step| step.revision) else {
            return;
        };
        let is_there = history.position(last).is_some();
        if is_same(indexed, &history) && (is_there || is_waiting) {
            return;
        }
        let mut own = History::default();
        let is_sound = own.follow(objects, last).is_ok() && is_same(indexed, &own);
        if is_there || is_waiting || !is_sound {
            let hint = "stop esker, then `esker repair`: it is made again";
            self.note(format!("the index of {branch} says other than its commits"), hint);
            self.indexes.push(branch.clone());
            return;
        }
        let name = refs::of_branch(branch);
        let message = format!(
            "someone moved {name} to {head}, which does not descend from {last}, where esker has put it"
        );
        let hint = format!(
            "put it back with `git update-ref {name} {last}`, or accept it with `esker repair --accept {branch}`"
        );
        self.note(message, &hint);
    }
}

/// What another repository says of references, as far as it can be read.
pub(crate) fn heads_of(path: &Path) -> Result<BTreeMap<String, Revision>, Error> {
    let heads = refs::survey(&git_dir_of(path)?)?;
    Ok(heads.into_iter().filter_map(|(name, to)| Some((name, to.ok()?))).collect())
}

/// Where another repository has its objects.
pub(crate) fn git_dir_of(path: &Path) -> Result<PathBuf, Error> {
    let git_dir = if path.join("objects").is_dir() { path.to_owned() } else { path.join(".git") };
    layout::recognise(&git_dir).map(|()| git_dir)
}

/// Where the journal is to put a branch.
fn waiting(git_dir: &Path, branch: &Branch) -> BTreeSet<Revision> {
    let name = refs::of_branch(branch);
    // A journal that cannot be read was found before.
    let batches = journal::load(git_dir).map(|found| found.batches).unwrap_or_default();
    let moves = batches.iter().flat_map(|batch| &batch.moves);
    moves.filter(|step| step.name == name).map(|step| step.to).collect()
}
