//! What git is given of a PUT's contents: their bytes, or a pointer once the bytes are in their file.

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Resource;
use esker_wire::pointer::Pointer;
use esker_wire::revision::Revision;

use super::{attributes, id_of_content};
use crate::objects::{Kind, id_of};
use crate::store::Store;
use crate::tree;

/// A content as git gets it.
pub(crate) struct Taken {
    pub(crate) blob: Revision,
    pub(crate) bytes: Bytes,
}

impl Taken {
    fn new(bytes: Bytes) -> Result<Self, Fault> {
        Ok(Self { blob: id_of(Kind::Blob, &bytes)?, bytes })
    }
}

impl Store {
    /// Takes a content in; a large one is in its file, on disk, when this returns. The bytes that are there
    /// already (`current`) stay as they are, whatever the threshold was then.
    pub(crate) fn take_in(
        &mut self,
        resource: &Resource,
        content: &Bytes,
        current: Option<Revision>,
    ) -> Result<Taken, Fault> {
        if let Some(pointer) = Pointer::from_bytes(content) {
            self.check_held(resource, pointer)?;
            return Taken::new(content.clone());
        }
        let size = content.len() as u64;
        let is_large = size > self.options.large_min;
        let before = match current {
            Some(blob) if self.size_of(blob)?.0 == size => Some((blob, self.pointer(blob)?)),
            _ => None,
        };
        match before {
            Some((blob, None)) if is_large => {
                let inline = Taken::new(content.clone())?;
                if inline.blob == blob {
                    return Ok(inline);
                }
            }
            Some((_, Some(pointer))) if !is_large && id_of_content(content) == pointer.id => {
                self.large.tier.keep(pointer, content)?;
                return Taken::new(pointer.to_bytes());
            }
            _ => {}
        }
        if !is_large {
            return Taken::new(content.clone());
        }
        let pointer = Pointer { id: id_of_content(content), size };
        self.large.tier.keep(pointer, content)?;
        Taken::new(pointer.to_bytes())
    }

    /// Refuses a pointer to what is not there.
    fn check_held(&mut self, resource: &Resource, pointer: Pointer) -> Result<(), Fault> {
        let Pointer { id, size } = pointer;
        let hint =
            "bring it with UPLOAD until that says complete, as `esker put` does, then put again";
        if self.large.uploads.is_under_way(id) {
            let text = format!("the content {id} of {resource} is not complete yet");
            return Err(Fault::new(Code::NotFound, text).hint(hint));
        }
        match self.large.tier.size_anywhere(id)? {
            Some(found) if found == size => Ok(self.large.tier.settle(id)?),
            Some(found) => {
                let text = format!("the content {id} has {found} bytes, not {size}");
                Err(Fault::bad_request(text))
            }
            None => {
                let text = format!("the store does not hold the content {id} of {resource}");
                Err(Fault::new(Code::NotFound, text).hint(hint))
            }
        }
    }

    /// The `.gitattributes` of the next commit, if it changes: none within if nothing is left of it.
    pub(crate) fn attributes(
        &mut self,
        root: Option<Revision>,
        changes: &[Change<'_>],
    ) -> Result<Option<Option<Revision>>, Fault> {
        let mut turned = Vec::new();
        for (resource, old, new) in changes {
            let mut is_large = |blob: &Option<Revision>| match blob {
                Some(blob) => self.pointer(*blob).map(|pointer| pointer.is_some()),
                None => Ok(false),
            };
            let (was, is) = (is_large(old)?, is_large(new)?);
            if was != is {
                turned.push((*resource, is));
            }
        }
        if turned.is_empty() {
            return Ok(None);
        }
        let blob = match root {
            Some(root) => tree::lookup(&mut self.objects, root, attributes::FILE)?,
            None => None,
        };
        let text = match blob {
            Some(blob) => self.objects.get(blob, Kind::Blob)?,
            None => Bytes::new(),
        };
        // One that is not text is someone else's: it stays as it is.
        let Ok(text) = std::str::from_utf8(&text) else {
            return Ok(None);
        };
        match attributes::edit(text, &turned) {
            None => Ok(None),
            Some(edited) if edited.is_empty() => Ok(Some(None)),
            Some(edited) => Ok(Some(Some(self.objects.put(Kind::Blob, edited, blob)?))),
        }
    }
}

/// The name of [`Store::attributes`]'s file.
pub(crate) const ATTRIBUTES: &str = attributes::FILE;

/// A resource, its content before and its content now.
pub(crate) type Change<'a> = (&'a Resource, Option<Revision>, Option<Revision>);
