//! PUT: from what is asked to a commit that waits for the next flush.

use std::collections::BTreeSet;

use esker_wire::fault::{Code, Fault};
use esker_wire::message::Section;
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Expect, Item, Put, Stored, StoredItem};
use esker_wire::whatif;

use crate::commit::{Commit, IDENTITY};
use crate::large::{ATTRIBUTES, Taken};
use crate::objects::Kind;
use crate::store::Store;
use crate::trailers;
use crate::tree;

/// The longest message of a commit, in bytes.
const MESSAGE_MAX: usize = 64 * 1024;
/// The most bytes that a run may say of itself.
const PROVENANCE_MAX: usize = 64 * 1024;
/// The longest author or content type, in bytes.
const WORD_MAX: usize = 1024;

/// What a PUT does to one item.
struct Effect<'a> {
    item: &'a Item,
    /// The resource's revision and content now.
    current: Option<(Revision, Revision)>,
    /// What git is given for the content it gets.
    taken: Option<Taken>,
}

impl Effect<'_> {
    fn is_change(&self) -> bool {
        self.before() != self.blob()
    }

    fn before(&self) -> Option<Revision> {
        self.current.map(|(_, blob)| blob)
    }

    fn blob(&self) -> Option<Revision> {
        self.taken.as_ref().map(|taken| taken.blob)
    }
}

impl Store {
    /// Commits the items together; durable after the next flush. A PUT that changes nothing makes no commit.
    pub(crate) fn put(&mut self, put: &Put) -> Result<Stored, Fault> {
        self.check_branch(&put.branch)?;
        let Some(base) = put.base else {
            if whatif::id(&put.branch).is_some() && self.history(&put.branch)?.last().is_none() {
                // It may have been discarded while somebody worked on it.
                let text = format!("there is no {}, and no base to begin it at", put.branch);
                return Err(Fault::new(Code::Conflict, text).hint("say `base`, a commit of main"));
            }
            return self.put_there(put);
        };
        let previous = self.judge(put)?;
        let former = self.begin_at(&put.branch, base)?;
        let mark = self.objects.waiting().len();
        let stored = self.put_there(put);
        stored.as_ref().inspect_err(|_| self.objects.forget_after(mark)).ok();
        self.end_begin(&put.branch, former, stored.is_ok());
        let mut stored = stored?;
        for (item, previous) in stored.items.iter_mut().zip(previous) {
            item.previous = previous;
        }
        Ok(stored)
    }

    /// The revisions that the items have on a branch before it is begun anew, if they are as the writer believes.
    fn judge(&mut self, put: &Put) -> Result<Vec<Option<Revision>>, Fault> {
        let meant = self.by_new_names(put)?;
        let history = self.history(&put.branch)?;
        let judged = meant.items.iter().map(|item| {
            let current = history.current(&item.resource).map(|(revision, _)| revision);
            check_expected(&item.resource, item.if_head, current).map(|()| current)
        });
        judged.collect()
    }

    fn put_there(&mut self, put: &Put) -> Result<Stored, Fault> {
        let asked = put;
        let put = &*self.by_new_names(asked)?;
        check(put, self.options.content_max)?;
        let effects = self.effects(put)?;
        let changed: Vec<&Effect<'_>> =
            effects.iter().filter(|effect| effect.is_change()).collect();
        let head = if changed.is_empty() && put.base.is_none() {
            self.head(&put.branch)?
        } else {
            let mark = self.objects.waiting().len();
            let committed = self.commit(put, &changed);
            committed.inspect_err(|_| self.objects.forget_after(mark))?
        };
        let items = effects.iter().zip(&asked.items).map(|(effect, asked)| StoredItem {
            resource: asked.resource.clone(),
            now: Some(&effect.item.resource).filter(|now| **now != asked.resource).cloned(),
            revision: match (effect.is_change(), effect.blob()) {
                (true, Some(_)) => Some(head),
                (true, None) => None,
                (false, _) => effect.current.map(|(revision, _)| revision),
            },
            previous: effect.current.map(|(revision, _)| revision),
        });
        Ok(Stored { revision: head, items: items.collect() })
    }

    fn effects<'a>(&mut self, put: &'a Put) -> Result<Vec<Effect<'a>>, Fault> {
        let mut effects = Vec::with_capacity(put.items.len());
        for item in &put.items {
            let current = self.history(&put.branch)?.current(&item.resource);
            if put.base.is_none() {
                let revision = current.map(|(revision, _)| revision);
                check_expected(&item.resource, item.if_head, revision)?;
            }
            let before = current.map(|(_, blob)| blob);
            let taken = match &item.content {
                Some(content) => Some(self.take_in(&item.resource, content, before)?),
                None => None,
            };
            effects.push(Effect { item, current, taken });
        }
        Ok(effects)
    }

    fn commit(&mut self, put: &Put, changed: &[&Effect<'_>]) -> Result<Revision, Fault> {
        let parent = self.history(&put.branch)?.head().copied();
        let mut edits: Vec<tree::Edit<'_>> =
            changed.iter().map(|effect| (effect.item.resource.as_str(), effect.blob())).collect();
        let root = match parent {
            Some(step) => Some(self.told(step.revision)?.commit.tree),
            None => None,
        };
        for effect in changed {
            if let Some(taken) = &effect.taken {
                let base = effect.before();
                self.objects.put(Kind::Blob, taken.bytes.clone(), base)?;
            }
        }
        let turned = changed.iter();
        let turned = turned.map(|effect| (&effect.item.resource, effect.before(), effect.blob()));
        let attributes = self.attributes(root, &turned.collect::<Vec<_>>())?;
        edits.extend(attributes.map(|blob| (ATTRIBUTES, blob)));
        let tree = match tree::edit(&mut self.objects, root, &edits)? {
            Some(tree) => tree,
            None => self.objects.put(Kind::Tree, Vec::new(), None)?,
        };
        let when = self.when(&put.branch)?;
        let mut items: Vec<&Item> = changed.iter().map(|effect| effect.item).collect();
        if items.is_empty() {
            // The branch is begun, and nothing on it is another than at its base.
            items.extend(&put.items);
        }
        let project = self.project_of(&put.branch)?;
        let brings = self.brought(parent.map(|step| step.revision), project)?;
        let commit = Commit {
            tree,
            parent: parent.map(|step| step.revision),
            brings,
            author: put.author.clone().unwrap_or_else(|| IDENTITY.to_owned()),
            committer: IDENTITY.to_owned(),
            when,
            message: trailers::write(put, &items, project),
        };
        let revision = self.objects.put(Kind::Commit, commit.to_bytes(), None)?;
        let changes = changed.iter().map(|effect| (effect.item.resource.clone(), effect.blob()));
        let changes = changes.collect();
        let line = self.line_mut(&put.branch)?;
        line.history.push(revision, when.seconds, changes);
        if line.lineage.head == parent.map(|step| step.revision) {
            line.lineage.head = Some(revision);
        }
        Ok(revision)
    }

    fn head(&mut self, branch: &Branch) -> Result<Revision, Fault> {
        let head = self.history(branch)?.head();
        head.map(|step| step.revision)
            .ok_or_else(|| Fault::new(Code::NotFound, format!("the branch {branch} has no commit")))
    }
}

/// Refuses what no store could take.
fn check(put: &Put, content_max: u64) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for item in &put.items {
        let name = &item.resource;
        if !seen.insert(name) {
            return Err(Fault::bad_request(format!("the PUT names {name} twice")));
        }
        let size = item.content.as_ref().map_or(0, |content| content.len() as u64);
        if size > content_max {
            let text = format!("the content of {name} has {size} bytes, {content_max} are allowed");
            return Err(Fault::new(Code::TooLarge, text));
        }
        if let Some(text) = &item.content_type {
            check_word("content-type", text)?;
        }
    }
    if let Some(provenance) = &put.provenance {
        let mut section = Section::default();
        provenance.write(&mut section);
        let bytes: usize = section.fields.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > PROVENANCE_MAX {
            let text = format!("the provenance has {bytes} bytes, {PROVENANCE_MAX} are allowed");
            return Err(Fault::new(Code::TooLarge, text));
        }
    }
    check_said(put.author.as_deref(), put.message.as_deref())
}

/// Refuses an author or message that no commit could take.
pub(crate) fn check_said(author: Option<&str>, message: Option<&str>) -> Result<(), Fault> {
    if let Some(author) = author {
        check_word("author", author)?;
        if !is_author(author) {
            let text = format!("the author {author:?} is not of the form `name <mail>`");
            return Err(Fault::bad_request(text));
        }
    }
    let message = message.unwrap_or_default();
    if message.len() > MESSAGE_MAX {
        let text = format!("the message has {} bytes, {MESSAGE_MAX} are allowed", message.len());
        return Err(Fault::new(Code::TooLarge, text));
    }
    if message.contains('\0') {
        return Err(Fault::bad_request("the message holds a NUL"));
    }
    Ok(())
}

fn check_word(what: &str, text: &str) -> Result<(), Fault> {
    if text.is_empty() || text.len() > WORD_MAX || text.chars().any(char::is_control) {
        let text = format!(
            "the {what} is empty, longer than {WORD_MAX} bytes, or holds control characters"
        );
        return Err(Fault::bad_request(text));
    }
    Ok(())
}

/// Whether git can take the text as an author: `name <mail>`.
fn is_author(text: &str) -> bool {
    let Some((name, mail)) = text.strip_suffix('>').and_then(|text| text.split_once(" <")) else {
        return false;
    };
    let clean = |part: &str| !part.contains(['<', '>']) && part.trim() == part;
    clean(name) && clean(mail) && !name.is_empty()
}

/// Refuses a resource whose head is not what the writer believes.
pub(crate) fn check_expected(
    resource: &Resource,
    if_head: Option<Expect>,
    current: Option<Revision>,
) -> Result<(), Fault> {
    let expected = match if_head {
        None => return Ok(()),
        Some(Expect::Absent) => None,
        Some(Expect::Revision(revision)) => Some(revision),
    };
    if expected == current {
        return Ok(());
    }
    let text = |id: Option<Revision>| id.map_or("none".to_owned(), |id| id.to_string());
    let message = format!("the head of {resource} is {}, not {}", text(current), text(expected));
    Err(Fault::new(Code::Conflict, message).hint("read it again, then put again"))
}
