//! Which large contents are named: by any commit, in all the history of every reference.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use esker_wire::pointer::{ContentId, POINTER_LENGTHS, Pointer};
use esker_wire::revision::Revision;

use crate::commit;
use crate::error::Error;
use crate::objects::{Kind, Objects};
use crate::refs;
use crate::tree;

/// What was looked at so far.
#[derive(Default)]
pub(crate) struct Walk {
    seen: HashSet<Revision>,
    pub(super) named: HashSet<ContentId>,
}

/// What every reference names now: branches, tags, and whatever else git or a person keeps below `refs`.
pub(crate) fn tips(git_dir: &Path) -> Result<BTreeSet<Revision>, Error> {
    let names = refs::names(git_dir, "refs/")?.into_iter().map(|name| format!("refs/{name}"));
    let mut tips = BTreeSet::new();
    for name in names.chain(["HEAD".to_owned()]) {
        let text = fs::read_to_string(git_dir.join(&name)).unwrap_or_default();
        // One that names another reference adds nothing.
        if !text.starts_with("ref:") {
            tips.extend(refs::read(git_dir, &name)?);
        }
    }
    Ok(tips)
}

impl Walk {
    /// Which contents are named by what was looked at.
    pub(crate) fn named(&self) -> impl Iterator<Item = ContentId> {
        self.named.iter().copied()
    }

    pub(crate) fn is_named(&self, id: ContentId) -> bool {
        self.named.contains(&id)
    }

    /// Looks at contents, which are read only if they can be pointers.
    pub(crate) fn files(
        &mut self,
        objects: &mut Objects,
        ids: impl IntoIterator<Item = Revision>,
    ) -> Result<(), Error> {
        ids.into_iter().try_for_each(|id| self.look_at_file(objects, id))
    }

    /// Does not look at these.
    pub(crate) fn pass_over(&mut self, ids: impl IntoIterator<Item = Revision>) {
        self.seen.extend(ids);
    }

    /// Looks at all that can be reached from here and was not seen yet.
    ///
    /// # Errors
    /// If an object is missing or cannot be read: then nobody knows what it names.
    pub(crate) fn from(
        &mut self,
        objects: &mut Objects,
        tips: impl IntoIterator<Item = Revision>,
    ) -> Result<(), Error> {
        let mut next: Vec<Revision> = tips.into_iter().collect();
        while let Some(id) = next.pop() {
            if self.seen.insert(id) {
                self.look(objects, id, &mut next)?;
            }
        }
        Ok(())
    }

    fn look(
        &mut self,
        objects: &mut Objects,
        id: Revision,
        next: &mut Vec<Revision>,
    ) -> Result<(), Error> {
        let damaged = |reason: &str| Error::Damaged { id, reason: reason.to_owned() };
        let object = objects.find(id)?.ok_or_else(|| damaged("is missing"))?;
        match object.kind {
            Kind::Commit => next.extend(commit::links(&object.bytes)),
            Kind::Tag => next.extend(commit::tag_target(&object.bytes)),
            Kind::Tree => {
                let entries = tree::entries(&object.bytes);
                let entries = entries.ok_or_else(|| damaged("is not a tree that can be read"))?;
                next.extend(entries.folders);
                for file in entries.files {
                    self.look_at_file(objects, file)?;
                }
            }
            Kind::Blob => self.named.extend(Pointer::from_bytes(&object.bytes).map(|p| p.id)),
        }
        Ok(())
    }

    /// Reads a blob only if it can be a pointer.
    fn look_at_file(&mut self, objects: &mut Objects, id: Revision) -> Result<(), Error> {
        if !self.seen.insert(id) {
            return Ok(());
        }
        let missing = || Error::Damaged { id, reason: "is missing".to_owned() };
        let size = objects.size(id)?.ok_or_else(missing)?;
        if POINTER_LENGTHS.contains(&size) {
            let bytes = objects.get(id, Kind::Blob)?;
            self.named.extend(Pointer::from_bytes(&bytes).map(|pointer| pointer.id));
        }
        Ok(())
    }
}
