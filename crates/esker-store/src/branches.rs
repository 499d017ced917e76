//! The branches in memory: read from disk when first asked for, and looked after while others move them.

use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;

use crate::durable::Durable;
use crate::error::Error;
use crate::history::{Change, Follow, History};
use crate::refs;
use crate::store::Store;

/// How many branches beside `main` a PUT may make.
const BRANCHES_MAX: usize = 10_000;
/// The longest part of a branch's name between slashes, in bytes: with `.lock` it must be a file's name.
const PART_MAX: usize = 250;

/// One branch: its history in memory, and where its reference stands on disk.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) history: History,
    pub(crate) durable: Option<Revision>,
    /// Why nothing can be put on it just now, if someone has moved it elsewhere.
    pub(crate) moved: Option<String>,
}

/// Resources that someone else has put, with plain git.
pub(crate) struct Foreign {
    pub(crate) branch: Branch,
    pub(crate) resource: Resource,
    pub(crate) revision: Option<Revision>,
    pub(crate) previous: Option<Revision>,
}

impl Store {
    /// A branch; an empty one, of which nothing is kept, if there is none.
    fn line(&mut self, branch: &Branch) -> Result<&Line, Error> {
        self.load(branch)?;
        Ok(self.lines.get(branch).unwrap_or(&self.nothing))
    }

    /// A branch that is about to get a commit.
    pub(crate) fn line_mut(&mut self, branch: &Branch) -> Result<&mut Line, Error> {
        self.load(branch)?;
        Ok(self.lines.entry(branch.clone()).or_default())
    }

    /// A branch's history; empty if there is no such branch.
    pub(crate) fn history(&mut self, branch: &Branch) -> Result<&History, Error> {
        self.line(branch).map(|line| &line.history)
    }

    fn load(&mut self, branch: &Branch) -> Result<(), Error> {
        if self.lines.contains_key(branch) {
            return Ok(());
        }
        if let Some(head) = refs::read(&self.dir, &refs::of_branch(branch))? {
            let mut line = Line::default();
            line.history.follow(&mut self.objects, head)?;
            line.durable = Some(head);
            self.lines.insert(branch.clone(), line);
        }
        Ok(())
    }

    /// Every branch there is on disk.
    pub(crate) fn branches(&self) -> Result<Vec<Branch>, Error> {
        let names = refs::names(&self.dir, refs::BRANCHES)?;
        let mut branches = vec![Branch::main()];
        branches.extend(names.iter().filter_map(|name| name.parse().ok()));
        Ok(branches)
    }

    /// Refuses a branch on which nothing can be put just now: someone has moved it elsewhere, or it would be new
    /// and cannot be made.
    pub(crate) fn check_branch(&mut self, branch: &Branch) -> Result<(), Fault> {
        let line = self.line(branch)?;
        if let Some(why) = &line.moved {
            return Err(Fault::new(Code::NotWritable, why.clone()).hint(
                "put the reference back with `git update-ref`, or restart esker to accept it",
            ));
        }
        if line.history.last().is_some() || branch.is_main() {
            return Ok(());
        }
        if branch.as_str().split('/').any(|part| part.len() > PART_MAX) {
            let message = format!("a part of the branch {branch} is longer than {PART_MAX} bytes");
            return Err(Fault::bad_request(message));
        }
        let mut names = refs::names(&self.dir, refs::BRANCHES)?;
        names.extend(self.lines.keys().map(ToString::to_string));
        if let Some(known) = refs::clash(branch.as_str(), names.iter()) {
            let message = format!("the branch {branch} cannot be beside the branch {known}");
            return Err(Fault::bad_request(message).hint("choose another name"));
        }
        if names.len() >= BRANCHES_MAX {
            let message = format!(
                "the branch {branch} would be one too many: there are {}, {BRANCHES_MAX} are allowed",
                names.len()
            );
            return Err(Fault::new(Code::TooLarge, message)
                .hint("use a branch there is, or remove some with `git update-ref -d`"));
        }
        Ok(())
    }

    /// Looks whether someone else has moved a branch. What descends from what is known is taken in, and on disk
    /// before anything is built on it; anything else keeps the branch from being written until it is put right.
    pub(crate) fn look_outside(&mut self) -> Vec<Foreign> {
        let mut foreign = Vec::new();
        let mut is_taken = false;
        let Self { dir, objects, lines, durable, .. } = self;
        for (branch, line) in lines {
            let name = refs::of_branch(branch);
            let before = line.history.last();
            let looked = refs::read(dir, &name).and_then(|found| {
                if found == line.durable {
                    return Ok(None);
                }
                let followed = match found {
                    Some(head) => line.history.follow(objects, head)?,
                    None => Follow::Elsewhere,
                };
                Ok(Some((found, followed)))
            });
            let moved = match looked {
                Ok(None) => None,
                Ok(Some((found, Follow::Forward))) => {
                    tracing::info!(reference = name, "someone else has put something: taken in");
                    line.durable = found;
                    is_taken = true;
                    foreign.extend(put_since(branch, &line.history, before));
                    None
                }
                Ok(Some((found, Follow::Elsewhere))) => Some(elsewhere(&name, found, line.durable)),
                Err(error) => Some(format!("cannot follow {name}: {error}")),
            };
            if let Some(why) = moved.as_ref().filter(|_| moved != line.moved) {
                tracing::warn!(reference = name, why, "nothing can be put on a branch");
            }
            line.moved = moved;
        }
        if is_taken && let Some(Err(error)) = durable.as_mut().map(Durable::sync) {
            tracing::warn!(%error, "what someone else has put may not be durable");
        }
        foreign
    }
}

fn elsewhere(name: &str, found: Option<Revision>, known: Option<Revision>) -> String {
    let text = |id: Option<Revision>| id.map_or("nothing".to_owned(), |id| id.to_string());
    format!("someone moved {name} to {}, which does not descend from {}", text(found), text(known))
}

/// What was put after a position.
fn put_since(branch: &Branch, history: &History, before: Option<u32>) -> Vec<Foreign> {
    let first = before.map_or(0, |position| position + 1);
    let mut foreign = Vec::new();
    for position in first..=history.last().unwrap_or(0) {
        for resource in history.changed_at(position) {
            let seen = history.changes(resource, position);
            let revision =
                |change: &Change| change.blob.map(|_| history.step(change.position).revision);
            foreign.push(Foreign {
                branch: branch.clone(),
                resource: resource.clone(),
                revision: seen.last().and_then(revision),
                previous: seen.iter().rev().nth(1).and_then(revision),
            });
        }
    }
    foreign
}

#[cfg(test)]
mod tests;
