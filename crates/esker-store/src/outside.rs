//! What others do to the branches with plain git while esker runs: taken in, put again, or refused.
//!
//! - What descends from what esker has put is taken in.
//! - What was committed on top of what git saw, while esker was putting more, is put again on top of that if no
//!   resource was changed by both; it stays readable as the branch `foreign/REVISION` in any case.
//! - Anything else has rewritten what was promised to stay. It is never followed: the branch takes nothing until it
//!   is put right, and what esker has put stays readable as `kept/BRANCH`.

use std::collections::{BTreeMap, BTreeSet};

use esker_wire::fault::Fault;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;

use crate::branches::Line;
use crate::commit::{Commit, IDENTITY};
use crate::error::Error;
use crate::excavate::is_what_if;
use crate::files;
use crate::history::{Change, Follow, History};
use crate::locks::{self, Move};
use crate::mirror::replica::Following;
use crate::objects::Kind;
use crate::refs;
use crate::settle::Stray;
use crate::store::Store;
use crate::trailers;
use crate::tree;

/// How many commits of others are gone through for one that is known.
const FORK_MAX: usize = 10_000;

/// Resources that someone else has put, with plain git.
pub(crate) struct Foreign {
    pub(crate) branch: Branch,
    pub(crate) resource: Resource,
    pub(crate) revision: Option<Revision>,
    pub(crate) previous: Option<Revision>,
}

/// Where a branch is on disk.
enum Place {
    /// Where esker has put it or is about to.
    Home,
    /// On a commit of someone else.
    Outside(Option<Revision>),
}

impl Store {
    /// Looks whether someone else has moved a branch. There may be many what-ifs: where only some matter just now, the
    /// others are left for another time.
    pub(crate) fn look_outside(&mut self, what_ifs: Option<&BTreeSet<Branch>>) -> Vec<Foreign> {
        self.is_without_project = false;
        let mut foreign = Vec::new();
        let is_excavated = self.options.until.is_some();
        // What ended long ago stays so.
        let looked_at = self.lines.keys().filter(|branch| match is_what_if(branch) {
            true => what_ifs.is_none_or(|those| those.contains(*branch)),
            false => !is_excavated,
        });
        let branches: Vec<Branch> = looked_at.cloned().collect();
        for branch in branches {
            let before = self.lines.get(&branch).and_then(|line| line.history.last());
            let head = self.lines.get(&branch).and_then(|line| line.history.head()).copied();
            let looked = self.look(&branch);
            if let Some(line) = self.lines.get(&branch) {
                let is_same =
                    head.is_none_or(|head| line.history.position(head.revision).is_some());
                let before = if is_same { before } else { line.fork.map(|fork| fork.last) };
                foreign.extend(put_since(&branch, &line.history, before));
            }
            let moved = looked.unwrap_or_else(|error| {
                Some(format!("cannot follow {}: {error}", refs::of_branch(&branch)))
            });
            self.note_moved(&branch, moved);
        }
        foreign
    }

    /// Looks at one branch; why nothing can be put on it, if so.
    fn look(&mut self, branch: &Branch) -> Result<Option<String>, Error> {
        let head = match self.whereabouts(branch)? {
            Place::Home => return Ok(None),
            Place::Outside(found) => found,
        };
        if let Some(line) = self.lines.get(branch)
            && let (Some(why), true) = (&line.moved, line.judged == Some(head))
        {
            return Ok(Some(why.clone()));
        }
        // What is under way may be what was found out of its place.
        if let Some(durable) = &mut self.durable {
            durable.settle()?;
            for stray in durable.strays() {
                // The first says what git saw; the ones after it begin at what was never in its place.
                self.strays.entry(stray.step.name.clone()).or_insert(stray);
            }
        }
        let head = match self.whereabouts(branch)? {
            Place::Home => return Ok(None),
            Place::Outside(found) => found.or(head),
        };
        let Some(head) = head else {
            return self.rewritten(branch, None).map(Some);
        };
        // Nothing of theirs is built upon before it is on disk: plain git does not wait for that.
        self.durable.as_ref().map_or(Ok(()), |durable| durable.sync())?;
        let Self { objects, lines, .. } = self;
        let Some(line) = lines.get_mut(branch) else {
            return Ok(None);
        };
        if let Follow::Forward = line.history.follow(objects, head)? {
            tracing::info!(%branch, "someone else has put something: taken in");
            line.durable = Some(head);
            self.strays.remove(&refs::of_branch(branch));
            return Ok(None);
        }
        if self.begun_anew(branch, head)? {
            return Ok(None);
        }
        match self.fork(branch, head)? {
            Some(position) => self.put_again(branch, head, position).map(|()| None),
            None => self.rewritten(branch, Some(head)).map(Some),
        }
    }

    /// Reads a what-if again that was begun anew where a replica follows.
    fn begun_anew(&mut self, branch: &Branch, head: Revision) -> Result<bool, Error> {
        if !is_what_if(branch) || Following::of(&self.dir).is_none() {
            return Ok(false);
        }
        let read = self.read_fork(branch, head)?;
        let is_read = read.is_some();
        self.lines.extend(read.map(|line| {
            let line = Line { durable: Some(head), used: self.uses, ..line };
            (branch.clone(), line)
        }));
        Ok(is_read)
    }

    fn whereabouts(&mut self, branch: &Branch) -> Result<Place, Error> {
        // In this order: what is settled when it is asked is on disk when that is read.
        let is_waiting = self.durable.as_mut().is_some_and(|durable| durable.is_waiting());
        let found = refs::read(&self.dir, &refs::of_branch(branch))?;
        let Some(line) = self.lines.get_mut(branch) else {
            return Ok(Place::Home);
        };
        if !is_waiting {
            line.left.clear();
        }
        let is_known = found.is_none_or(|found| {
            line.left.contains(&found) || line.history.position(found).is_some()
        });
        if found == line.durable || is_waiting && is_known {
            Ok(Place::Home)
        } else {
            Ok(Place::Outside(found))
        }
    }

    /// The position from which someone has gone another way, if they could not know that esker has gone on from it.
    fn fork(&mut self, branch: &Branch, head: Revision) -> Result<Option<u32>, Error> {
        let Some(stray) = self.strays.get(&refs::of_branch(branch)).cloned() else {
            return Ok(None);
        };
        let mut next = Some(head);
        for steps in 0..FORK_MAX {
            let Some(revision) = next else {
                return Ok(None);
            };
            let history = self.history(branch)?;
            if let Some(position) = history.position(revision) {
                let seen = stray.step.from.and_then(|from| history.position(from));
                return Ok(Some(position).filter(|position| steps > 0 && Some(*position) >= seen));
            }
            next = self.told(revision)?.commit.parent;
        }
        Ok(None)
    }

    /// Puts what someone committed from a position on again, on top of what esker has put since.
    fn put_again(&mut self, branch: &Branch, head: Revision, from: u32) -> Result<(), Error> {
        let base = self.history(branch)?.step(from).revision;
        let (base, theirs) = (self.told(base)?.commit.tree, self.told(head)?.commit.clone());
        let changes = tree::changes(&mut self.objects, Some(base), Some(theirs.tree))?;
        let history = self.history(branch)?;
        let is_free = |resource| history.latest(resource).is_none_or(|last| last.position <= from);
        let clash = changes.iter().find(|(resource, _)| !is_free(resource));
        let name = refs::of_branch(&foreign(head));
        if let Some((resource, _)) = clash {
            tracing::warn!(
                %branch, %resource, kept = name,
                "someone committed with git what esker was putting too: theirs is kept aside"
            );
        } else {
            let committed = self.commit_again(branch, (head, &theirs), changes);
            committed.map_err(|fault| Error::Damaged { id: head, reason: fault.to_string() })?;
            tracing::info!(%branch, "someone committed with git while esker was putting: put again on top");
        }
        let keep = Move { name, from: None, to: head };
        let to = self.history(branch)?.head().map_or(head, |step| step.revision);
        // The branch goes on from where they have left it on disk.
        self.moves_waiting.push(Move { name: refs::of_branch(branch), from: Some(head), to });
        self.moves_waiting.push(keep);
        if let Err(error) = self.flush() {
            self.roll_back();
            return Err(error);
        }
        self.strays.remove(&refs::of_branch(branch));
        Ok(())
    }

    fn commit_again(
        &mut self,
        branch: &Branch,
        (head, theirs): (Revision, &Commit),
        changes: Vec<(Resource, Option<Revision>)>,
    ) -> Result<(), Fault> {
        let Some(parent) = self.history(branch)?.head().copied() else {
            return Ok(());
        };
        let edits: Vec<tree::Edit<'_>> =
            changes.iter().map(|(resource, blob)| (resource.as_str(), *blob)).collect();
        let ours = self.told(parent.revision)?.commit.tree;
        let tree = match tree::edit(&mut self.objects, Some(ours), &edits)? {
            Some(tree) => tree,
            None => self.objects.put(Kind::Tree, Vec::new(), None)?,
        };
        let when = self.when(branch)?;
        let project = self.project_of(branch)?;
        let brings = self.brought(Some(parent.revision), project)?;
        let message = trailers::again(&theirs.message, head, project);
        let commit = Commit {
            tree,
            parent: Some(parent.revision),
            brings,
            author: theirs.author.clone(),
            committer: IDENTITY.to_owned(),
            when,
            message,
        };
        let revision = self.objects.put(Kind::Commit, commit.to_bytes(), None)?;
        let line = self.line_mut(branch)?;
        line.history.push(revision, when.seconds, changes);
        Ok(())
    }

    /// Keeps what esker has put on a branch that someone has moved elsewhere; what to say.
    fn rewritten(&mut self, branch: &Branch, found: Option<Revision>) -> Result<String, Error> {
        let known = self.lines.get(branch).and_then(|line| line.durable);
        if let Some(line) = self.lines.get_mut(branch) {
            line.judged = Some(found);
        }
        let reference = refs::of_branch(branch);
        if let Some(to) = known {
            keep(&self.dir, branch, to)?;
        }
        let text = |id: Option<Revision>| id.map_or("nothing".to_owned(), |id| id.to_string());
        Ok(format!(
            "someone moved {reference} to {}, which does not descend from {}",
            text(found),
            text(known)
        ))
    }

    fn note_moved(&mut self, branch: &Branch, moved: Option<String>) {
        let Some(line) = self.lines.get_mut(branch) else {
            return;
        };
        if let Some(why) = moved.as_ref().filter(|_| moved != line.moved) {
            tracing::warn!(%branch, why, "nothing can be put on a branch");
        }
        line.moved = moved;
    }

    /// Takes note of what others had done before the store was opened, told by the journal.
    pub(crate) fn judge_strays(&mut self, strays: Vec<Stray>) -> Result<(), Error> {
        let strays: BTreeMap<String, Stray> =
            strays.into_iter().map(|stray| (stray.step.name.clone(), stray)).collect();
        for branch in self.branches()? {
            let Some(stray) = strays.get(&refs::of_branch(&branch)) else {
                continue;
            };
            let ours = stray.step.to;
            if self.history(&branch)?.position(ours).is_none() {
                keep(&self.dir, &branch, ours)?;
                let line = self.line_mut(&branch)?;
                line.moved = Some(format!(
                    "someone moved {} while esker was not running; {ours} is not in it any more",
                    refs::of_branch(&branch)
                ));
            }
        }
        Ok(())
    }
}

/// The branch that keeps what someone else has committed beside esker.
fn foreign(head: Revision) -> Branch {
    let name = format!("foreign/{}", head.short());
    name.parse().expect("digits are a branch's name")
}

/// Keeps a commit that a branch does not name any more: as `kept/BRANCH`, or, if that keeps another,
/// `kept/BRANCH-REVISION`.
pub(crate) fn keep(dir: &std::path::Path, branch: &Branch, to: Revision) -> Result<(), Error> {
    let first = format!("{}kept/{branch}", refs::BRANCHES);
    let name = match refs::read(dir, &first)? {
        Some(kept) if kept != to => format!("{first}-{}", to.short()),
        _ => first,
    };
    let from = refs::read(dir, &name)?;
    if from != Some(to) {
        let path = dir.join(&name);
        locks::place(dir, &Move { name, from, to })?;
        files::sync_parent(&path)?;
    }
    Ok(())
}

/// What was put after a position.
fn put_since(branch: &Branch, history: &History, before: Option<u32>) -> Vec<Foreign> {
    let first = before.map_or(0, |position| position + 1);
    let mut foreign = Vec::new();
    let end = history.last().map_or(0, |last| last + 1);
    for position in first..end {
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
