//! Branches that begin at a commit of `main`, as what-ifs do: what is kept of them in memory.
//!
//! Such a branch has all that its base has. In memory that is a skeleton: of `main` only the commits that last changed
//! what exists at the base, those that bear out its renames, and the base; then the branch's own. So it costs as much
//! as there are resources, not as `main` has commits. What it is asked of older commits is answered from `main`. No
//! index is written for it: it is read from its own commits, back to the first that `main` knows.

use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;

use crate::branches::Line;
use crate::error::Error;
use crate::history::{self, Follow, History};
use crate::lineage::Lineage;
use crate::store::Store;

/// How many commits of a branch are gone back for one of `main`; one with more of its own is read whole.
const OWN_MAX: usize = 10_000;
/// How many such branches are in memory when those not used for longest are forgotten.
const LOADED_MAX: usize = 256;

/// Where a branch left `main`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fork {
    pub(crate) base: Revision,
    /// The base's position in the branch's history: what is after it is the branch's own.
    pub(crate) last: u32,
}

/// A change of a resource at a position, or just the position.
type Kept<'a> = (u32, Option<(&'a Resource, Option<Revision>)>);

/// What a branch that begins at a position of `main` keeps of it.
fn skeleton(main: &History, lineage: &Lineage, base: u32) -> History {
    let mut kept: Vec<Kept<'_>> = vec![(base, None)];
    let existing = main.existing(base);
    kept.extend(existing.map(|(name, change)| (change.position, Some((name, change.blob)))));
    for rename in lineage.renames().take_while(|rename| rename.position <= base) {
        let before = main.changes(&rename.from, rename.position.saturating_sub(1)).last();
        let Some(before) = before else {
            continue;
        };
        kept.extend(main.position(rename.revision).map(|position| (position, None)));
        kept.push((before.position, Some((&rename.from, before.blob))));
        kept.push((rename.position, Some((&rename.from, None))));
        kept.push((rename.position, Some((&rename.to, before.blob))));
    }
    kept.sort_unstable();
    kept.dedup();
    let mut history = History::default();
    for group in kept.chunk_by(|one, other| one.0 == other.0) {
        let step = main.step(group[0].0);
        let changes = group.iter().filter_map(|(_, change)| *change);
        let changes = changes.map(|(name, blob)| (name.clone(), blob)).collect();
        history.push(step.revision, step.seconds, changes);
    }
    history
}

impl Store {
    /// Begins a branch at a commit of `main`, or begins it anew there; what it was before, if it was.
    pub(crate) fn begin_at(
        &mut self,
        branch: &Branch,
        base: Revision,
    ) -> Result<Option<Line>, Fault> {
        if branch.is_main() || *branch == Branch::records() {
            let message = format!("the branch {branch} begins at no commit of main");
            return Err(Fault::bad_request(message).hint("leave out base, or use another branch"));
        }
        let Some(mut line) = self.forked_line(base)? else {
            let message =
                format!("cannot begin the branch {branch} at {base}: main has no such commit");
            return Err(Fault::new(Code::NotFound, message)
                .hint("a branch begins at a commit of main, as RESOLVE tells it"));
        };
        self.history(branch)?;
        let former = self.lines.remove(branch);
        line.durable = former.as_ref().and_then(|former| former.durable);
        self.lines.insert(branch.clone(), line);
        Ok(former)
    }

    /// What a branch was before it was begun anew is kept until that is durable, or comes back at once.
    pub(crate) fn end_begin(&mut self, branch: &Branch, mut former: Option<Line>, is_good: bool) {
        if !is_good {
            self.lines.remove(branch);
            self.lines.extend(former.map(|former| (branch.clone(), former)));
            return;
        }
        let mut left = Vec::new();
        if let Some(former) = &mut former {
            left.append(&mut former.left);
            left.extend(former.durable);
        }
        let former = former.map(|mut former| match former.former.take() {
            Some(first) => first,
            None => Box::new(former),
        });
        if let Some(line) = self.lines.get_mut(branch) {
            line.left = left;
            line.former = former.filter(|former| former.durable.is_some());
        }
    }

    /// A branch as it is before its first own commit.
    fn forked_line(&mut self, base: Revision) -> Result<Option<Line>, Error> {
        let (main, lineage) = self.lineage(&Branch::main())?;
        let Some(position) = main.position(base) else {
            return Ok(None);
        };
        let history = skeleton(main, lineage, position);
        let fork = history.last().map(|last| Fork { base, last });
        Ok(Some(Line { history, fork, ..Line::default() }))
    }

    /// Reads a branch that left `main`, back from its head; none if it is no such branch.
    pub(crate) fn read_fork(
        &mut self,
        branch: &Branch,
        head: Revision,
    ) -> Result<Option<Line>, Error> {
        if branch.is_main() || *branch == Branch::records() {
            return Ok(None);
        }
        let mut next = Some(head);
        for _ in 0..OWN_MAX {
            let Some(revision) = next else {
                return Ok(None);
            };
            if self.history(&Branch::main())?.position(revision).is_some() {
                let Some(mut line) = self.forked_line(revision)? else {
                    return Ok(None);
                };
                let followed = line.history.follow(&mut self.objects, head)?;
                return Ok(Some(line).filter(|_| matches!(followed, Follow::Forward)));
            }
            next = history::read_commit(&self.objects, revision)?.parent;
        }
        Ok(None)
    }

    /// Where a branch left `main`, and the base's position there.
    pub(crate) fn fork_of(&mut self, branch: &Branch) -> Result<Option<(Fork, u32)>, Error> {
        self.history(branch)?;
        let Some(fork) = self.lines.get(branch).and_then(|line| line.fork) else {
            return Ok(None);
        };
        let position = self.history(&Branch::main())?.position(fork.base);
        Ok(position.map(|position| (fork, position)))
    }

    /// Forgets such branches as were not used for long, if many are in memory: they are read again when asked for.
    pub(crate) fn unload(&mut self) {
        let is_idle = |line: &Line| {
            let head = line.history.head().map(|step| step.revision);
            line.fork.is_some() && line.durable == head && line.former.is_none()
        };
        let forked = self.lines.iter().filter(|(_, line)| line.fork.is_some()).count();
        if forked <= LOADED_MAX {
            return;
        }
        let mut idle: Vec<(u64, Branch)> = Vec::new();
        for (branch, line) in &self.lines {
            let is_moving = self.moving.contains_key(&crate::refs::of_branch(branch));
            if is_idle(line) && line.moved.is_none() && !is_moving {
                idle.push((line.used, branch.clone()));
            }
        }
        idle.sort_unstable();
        // A few more at once: else one would be looked for each time.
        for (_, branch) in idle.into_iter().take(forked - LOADED_MAX * 3 / 4) {
            self.lines.remove(&branch);
        }
    }
}

#[cfg(test)]
mod tests;
