//! MOVE: a resource gets another name, in one commit; and how every request finds resources by older names.

use std::borrow::Cow;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Expect, Move, Moved, Put};

use crate::commit::{Commit, IDENTITY};
use crate::error::Error;
use crate::history::History;
use crate::large::ATTRIBUTES;
use crate::lineage::{self, FILE, Lineage, Pair, RENAMES_MAX, Rename, Segment};
use crate::objects::Kind;
use crate::put;
use crate::resolve::Place;
use crate::store::Store;
use crate::trailers;
use crate::tree;

/// How many older names of one resource are told of in events.
const TOLD_MAX: usize = 8;

/// Names what lies beside a resource.
type Beside = fn(&Resource) -> Option<Resource>;

/// What goes along where a resource gets another name: its overrides, and what was made before those.
const BESIDE: [Beside; 2] = [overrides::of, overrides::beneath];

/// A resource found by any of its names.
pub(crate) struct Found {
    /// What it is called at the commit asked for.
    pub(crate) resource: Resource,
    pub(crate) pair: Pair,
}

impl Store {
    /// A branch's history and renames.
    pub(crate) fn lineage(&mut self, branch: &Branch) -> Result<(&History, &Lineage), Error> {
        let head = self.history(branch)?.head().map(|step| step.revision);
        let known = self.lines.get(branch).and_then(|line| line.lineage.head);
        if head != known {
            let text = self.names_file(head)?.map_or_else(Bytes::new, |(_, text)| text);
            if let Some(line) = self.lines.get_mut(branch) {
                line.lineage = Lineage::read(&line.history, &text);
            }
        }
        let line = self.lines.get(branch).unwrap_or(&self.nothing);
        Ok((&line.history, &line.lineage))
    }

    /// The file that holds the renames as of a commit.
    fn names_file(&mut self, at: Option<Revision>) -> Result<Option<(Revision, Bytes)>, Error> {
        let Some(at) = at else {
            return Ok(None);
        };
        let tree = self.told(at)?.commit.tree;
        let Some(blob) = tree::lookup(&mut self.objects, tree, FILE)? else {
            return Ok(None);
        };
        Ok(Some((blob, self.objects.get(blob, Kind::Blob)?)))
    }

    /// Gives a resource another name; durable after the next flush.
    pub(crate) fn rename(&mut self, ask: &Move) -> Result<Moved, Fault> {
        put::check_said(ask.author.as_deref(), ask.message.as_deref())?;
        self.check_branch(&ask.branch)?;
        if ask.branch == Branch::records() {
            return Err(Fault::bad_request("what lies on the branch records keeps its name"));
        }
        if let Some(done) = self.check_names(ask)? {
            return Ok(done);
        }
        let mark = self.objects.waiting().len();
        let moved = self.commit_rename(ask);
        moved.inspect_err(|_| self.objects.forget_after(mark))
    }

    /// Refuses a MOVE whose overrides could not go along: they would be applied no more, and nobody told.
    pub(crate) fn check_overrides(&mut self, ask: &Move) -> Result<(), Fault> {
        let mut names = [&ask.resource, &ask.to].into_iter();
        if let Some(name) = names.find(|name| overrides::is_beside(name)) {
            let text = format!("{name} goes along with the resource that it belongs to");
            return Err(Fault::bad_request(text).hint("give that another name"));
        }
        let (history, lineage) = self.lineage(&ask.branch)?;
        let beside = BESIDE.map(|beside| (beside(&ask.resource), beside(&ask.to)));
        let there = |(held, to): (Option<Resource>, Option<Resource>)| {
            held.filter(|held| history.current(held).is_some()).map(|held| (held, to))
        };
        let along: Vec<_> = beside.into_iter().filter_map(there).collect();
        let is_full = lineage.len() + along.len() >= RENAMES_MAX;
        let is_free =
            |to: &Option<Resource>| to.as_ref().is_some_and(|to| history.current(to).is_none());
        let Some((held, _)) = along.iter().find(|(_, to)| is_full || !is_free(to)) else {
            return Ok(());
        };
        let text = format!("{held} cannot go along to {}", ask.to);
        Err(Fault::new(Code::Conflict, text)
            .hint("settle what is overridden first: esker override list"))
    }

    /// Gives what lies beside a resource that has another name now the names that belong to it; what that did.
    pub(crate) fn rename_beside(&mut self, ask: &Move) -> Vec<(Resource, Moved)> {
        BESIDE.into_iter().filter_map(|beside| self.rename_along(ask, beside)).collect()
    }

    fn rename_along(&mut self, ask: &Move, beside: Beside) -> Option<(Resource, Moved)> {
        let (held, to) = (beside(&ask.resource)?, beside(&ask.to)?);
        self.history(&ask.branch).ok()?.current(&held)?;
        let along = Move { resource: held, to: to.clone(), if_head: None, ..ask.clone() };
        match self.rename(&along) {
            Ok(moved) => Some((to, moved)),
            Err(fault) => {
                tracing::warn!(%fault, resource = %along.resource, "it keeps its name, and is not applied");
                None
            }
        }
    }

    /// Refuses a MOVE that cannot be; tells if it was done already.
    fn check_names(&mut self, ask: &Move) -> Result<Option<Moved>, Fault> {
        let Move { resource, to, .. } = ask;
        if resource == to {
            return Err(Fault::bad_request(format!("{resource} is called so already")));
        }
        let (history, lineage) = self.lineage(&ask.branch)?;
        let Some(last) = history.last() else {
            let text = format!("the branch {} has no revision yet", ask.branch);
            return Err(Fault::new(Code::NotFound, text));
        };
        let current = |name: &Resource| history.current(name).map(|(revision, _)| revision);
        let Some(revision) = current(resource) else {
            let now = lineage.locate(history, resource, last).filter(|now| now != resource);
            let now = now.and_then(|now| Some((current(&now)?, now)));
            return match now {
                Some((revision, now)) if now == *to => {
                    Ok(Some(Moved { revision, previous: revision }))
                }
                Some((_, now)) => {
                    let text = format!("{resource} is called {now} now");
                    Err(Fault::new(Code::NotFound, text).hint(format!("move {now}")))
                }
                None => Err(self.absent(&ask.branch, resource, last)?),
            };
        };
        if current(to).is_some() {
            let text = format!("there is a {to} already");
            let hint = "choose another name, or move that one away first";
            return Err(Fault::new(Code::Conflict, text).hint(hint));
        }
        if lineage.len() >= RENAMES_MAX {
            let text = format!("{RENAMES_MAX} renames are on {}, no more are allowed", ask.branch);
            return Err(Fault::new(Code::TooLarge, text));
        }
        put::check_expected(resource, ask.if_head, Some(revision))?;
        Ok(None)
    }

    fn commit_rename(&mut self, ask: &Move) -> Result<Moved, Fault> {
        let Move { resource, to, branch, .. } = ask;
        let history = self.history(branch)?;
        let (Some(parent), Some((revision, blob))) =
            (history.head().copied(), history.current(resource))
        else {
            return Err(Fault::new(Code::NotFound, format!("there is no {resource}")));
        };
        let position = history.last().map_or(0, |last| last + 1);
        let rename = Rename { position, revision, from: resource.clone(), to: to.clone() };
        let root = self.told(parent.revision)?.commit.tree;
        let (gone, come) = ((resource, Some(blob), None), (to, None, Some(blob)));
        let attributes = self.attributes(Some(root), &[gone, come])?;
        let file = self.names_file(Some(parent.revision))?;
        let (base, text) = file.map_or((None, Bytes::new()), |(blob, text)| (Some(blob), text));
        let text = lineage::add(&text, &rename).ok_or_else(|| {
            let text = format!("cannot read {FILE} on {branch}: it is of another version of esker");
            Fault::new(Code::NotWritable, text).hint("use the newest esker")
        })?;
        let names = self.objects.put(Kind::Blob, text, base)?;
        let mut edits: Vec<tree::Edit<'_>> =
            vec![(resource.as_str(), None), (to.as_str(), Some(blob)), (FILE, Some(names))];
        edits.extend(attributes.map(|blob| (ATTRIBUTES, blob)));
        let tree = tree::edit(&mut self.objects, Some(root), &edits)?;
        let when = self.when(branch)?;
        let project = self.project_of(branch)?;
        let brings = self.brought(Some(parent.revision), project)?;
        let commit = Commit {
            tree: tree.ok_or_else(|| Fault::new(Code::Internal, "the tree came out empty"))?,
            parent: Some(parent.revision),
            brings,
            author: ask.author.clone().unwrap_or_else(|| IDENTITY.to_owned()),
            committer: IDENTITY.to_owned(),
            when,
            message: trailers::moved(ask.message.as_deref(), (resource, to), project),
        };
        let new = self.objects.put(Kind::Commit, commit.to_bytes(), None)?;
        let line = self.line_mut(branch)?;
        line.history.push(
            new,
            when.seconds,
            vec![(resource.clone(), None), (to.clone(), Some(blob))],
        );
        line.lineage.push(rename);
        line.lineage.head = Some(new);
        Ok(Moved { revision: new, previous: revision })
    }

    /// A resource as of a commit, by a name it has, had or will have.
    pub(crate) fn find(
        &mut self,
        branch: &Branch,
        position: u32,
        name: &Resource,
    ) -> Result<Found, Fault> {
        let (history, lineage) = self.lineage(branch)?;
        let resource = lineage.locate(history, name, position);
        let resource = resource.unwrap_or_else(|| name.clone());
        match lineage.pair(history, &resource, position) {
            Some(pair) if pair.0.blob.is_some() => Ok(Found { resource, pair }),
            _ => Err(self.absent(branch, &resource, position)?),
        }
    }

    /// The content that a resource, named as it is at a commit, has at another.
    pub(crate) fn blob_then(
        &mut self,
        branch: &Branch,
        (name, at): (&Resource, &Place),
        then: &Place,
    ) -> Result<Option<Revision>, Fault> {
        let fork = self.fork_of(branch)?.filter(|_| at.branch != then.branch);
        let name = match fork {
            None => self.name_then(&at.branch, (name, at.position), then.position)?,
            // By way of the base, which both have.
            Some((fork, on_main)) => {
                let there = |branch: &Branch| if branch.is_main() { on_main } else { fork.last };
                let base = there(&at.branch);
                let name = self.name_then(&at.branch, (name, at.position), base)?;
                match name {
                    Some(name) => {
                        let base = there(&then.branch);
                        self.name_then(&then.branch, (&name, base), then.position)?
                    }
                    None => None,
                }
            }
        };
        let history = self.history(&then.branch)?;
        let change = name.and_then(|name| history.changes(&name, then.position).last());
        Ok(change.and_then(|change| change.blob))
    }

    /// What a resource, named as it is at a commit, is called at another of the same branch.
    fn name_then(
        &mut self,
        branch: &Branch,
        (name, at): (&Resource, u32),
        then: u32,
    ) -> Result<Option<Resource>, Fault> {
        let (history, lineage) = self.lineage(branch)?;
        Ok(if then > at {
            lineage.locate(history, name, then)
        } else {
            let mut segments = lineage.segments(name, at).into_iter();
            let segment = segments.find(|segment| segment.first <= then);
            // Before it began, another resource may have had its name.
            let is_its = |segment: &Segment| {
                let last = history.changes(&segment.name, then).last();
                last.is_some_and(|change| change.position >= segment.first)
            };
            segment.filter(is_its).map(|segment| segment.name)
        })
    }

    /// A PUT with the resources it means: an older name means what has another name by now, unless the PUT says
    /// that there is to be none yet. Then it is the name of a new resource.
    pub(crate) fn by_new_names<'a>(&mut self, put: &'a Put) -> Result<Cow<'a, Put>, Fault> {
        let (history, lineage) = self.lineage(&put.branch)?;
        let Some(last) = history.last().filter(|_| lineage.len() > 0) else {
            return Ok(Cow::Borrowed(put));
        };
        let mut meant = Cow::Borrowed(put);
        for (place, item) in put.items.iter().enumerate() {
            let is_new = item.if_head == Some(Expect::Absent);
            let now = lineage.locate(history, &item.resource, last).filter(|_| !is_new);
            if let Some(now) = now.filter(|now| *now != item.resource) {
                meant.to_mut().items[place].resource = now;
            }
        }
        Ok(meant)
    }

    /// The older names of a resource that mean it now.
    pub(crate) fn older_names(&mut self, branch: &Branch, name: &Resource) -> Vec<Resource> {
        // Who cannot be told of more is told nothing wrong: the names are found again when they are asked for.
        let Ok((history, lineage)) = self.lineage(branch) else {
            return Vec::new();
        };
        let mut older = lineage.older(history, name);
        older.truncate(TOLD_MAX);
        older
    }

    /// What a name means now, if it is an older name of a resource that exists.
    pub(crate) fn now(&mut self, branch: &Branch, name: &Resource) -> Option<Resource> {
        let (history, lineage) = self.lineage(branch).ok()?;
        let now = lineage.locate(history, name, history.last()?)?;
        (now != *name && history.current(&now).is_some()).then_some(now)
    }
}
