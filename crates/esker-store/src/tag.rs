//! TAG and TAGS: names for revisions, never moved.

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::Revision;
use esker_wire::snapshot::Tag;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::at;
use crate::commit::tag_to_bytes;
use crate::objects::Kind;
use crate::refs;
use crate::store::Store;
use crate::trailers;

/// The longest name of a tag, in bytes.
const NAME_MAX: usize = 200;
/// The longest message of a tag, in bytes.
const MESSAGE_MAX: usize = 64 * 1024;
/// How many tags of tags are followed.
const PEEL_MAX: usize = 8;

impl Store {
    /// Names a revision of `main`; durable after the next flush. The same tag again is no error.
    pub(crate) fn tag(&mut self, ask: &Tag) -> Result<Revision, Fault> {
        self.check_excavation(&Branch::main())?;
        check_name(&ask.name)?;
        check_meaning(&ask.name)?;
        let position = self.position(&ask.at)?;
        let target = self.history(&Branch::main())?.step(position).revision;
        if let Some(named) = self.tagged(&ask.name)? {
            return if named == target {
                Ok(target)
            } else {
                let message = format!("the tag {} names {named} already", ask.name);
                Err(Fault::new(Code::Conflict, message)
                    .hint("a tag is never moved; choose another name"))
            };
        }
        self.check_free(&ask.name)?;
        let message = ask.message.as_deref().unwrap_or_default();
        let message = trailers::plain(message);
        if message.len() > MESSAGE_MAX || message.contains('\0') {
            let text =
                format!("the tag's message is longer than {MESSAGE_MAX} bytes or holds a NUL");
            return Err(Fault::bad_request(text));
        }
        let named = if message.is_empty() {
            target
        } else {
            let bytes = tag_to_bytes(&ask.name, target, self.present(), &message);
            self.objects.put(Kind::Tag, bytes, None)?
        };
        self.tags_waiting.insert(ask.name.clone(), named);
        Ok(target)
    }

    /// Every tag that names a commit, and the commit.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn tags(&mut self) -> Result<Vec<(String, Revision)>, Fault> {
        let mut out = Vec::new();
        for name in self.tag_names()? {
            if let Some(revision) = self.tagged(&name)? {
                out.push((name, revision));
            }
        }
        Ok(out)
    }

    /// The names of all tags, waiting ones too.
    pub(crate) fn tag_names(&self) -> Result<Vec<String>, Fault> {
        let mut names = self.references(refs::TAGS)?;
        names.extend(self.tags_waiting.keys().cloned());
        Ok(names.into_iter().collect())
    }

    /// The commit a tag names, if there is such a tag.
    pub(crate) fn tagged(&mut self, name: &str) -> Result<Option<Revision>, Fault> {
        if check_name(name).is_err() {
            return Ok(None);
        }
        let mut next = match self.tags_waiting.get(name) {
            Some(named) => Some(*named),
            None => self.reference(&format!("{}{name}", refs::TAGS))?,
        };
        for _ in 0..PEEL_MAX {
            let Some(id) = next else {
                return Ok(None);
            };
            next = match self.objects.find(id)? {
                Some(object) if object.kind == Kind::Commit => return Ok(Some(id)),
                Some(object) if object.kind == Kind::Tag => {
                    crate::commit::tag_target(&object.bytes)
                }
                _ => None,
            };
        }
        Ok(None)
    }

    /// Refuses a tag that git could not keep beside another.
    fn check_free(&self, name: &str) -> Result<(), Fault> {
        refs::clash(name, self.tag_names()?.iter()).map_or(Ok(()), |known| {
            let message = format!("the tag {name} cannot be beside the tag {known}");
            Err(Fault::bad_request(message).hint("choose another name"))
        })
    }
}

/// Refuses a name git could not keep, and one that means something else already.
fn check_name(name: &str) -> Result<(), Fault> {
    let bad_part = |part: &str| {
        part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.ends_with(".lock")
    };
    let bad_char = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let is_bad = name.len() > NAME_MAX
        || name.contains("..")
        || name.contains("@{")
        || name.starts_with('-')
        || name.chars().any(bad_char)
        || name.split('/').any(bad_part)
        || matches!(name, "@" | "HEAD");
    // What reads as a revision or a time must go on meaning it.
    let is_short = (4..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_hexdigit());
    if is_short || at::is_plain(name) {
        return Err(taken(name));
    }
    if is_bad {
        let message = format!("{:?} cannot name a tag", name.chars().take(80).collect::<String>());
        return Err(
            Fault::bad_request(message).hint("use letters, digits, dots and dashes, as in v1.2")
        );
    }
    Ok(())
}

/// Refuses a new name that reads as a time in any form. Tags of before those forms go on naming what they name.
fn check_meaning(name: &str) -> Result<(), Fault> {
    match at::moment(name, Timestamp::UNIX_EPOCH, &TimeZone::UTC) {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(_) => Err(taken(name)),
    }
}

fn taken(name: &str) -> Fault {
    let message = format!("{name:?} cannot name a tag: it reads as a revision or a time");
    Fault::bad_request(message).hint("add a word, as in release-2027-01-04")
}
