//! Commits and tags as git writes them: values to bytes and back.

use esker_wire::revision::Revision;

/// Who commits, and who wrote what nobody else claims.
pub(crate) const IDENTITY: &str = "esker <esker@localhost>";

/// A moment as git notes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When {
    /// Seconds since 1970.
    pub(crate) seconds: i64,
    /// The local clock's lead over UTC, in seconds.
    pub(crate) offset: i32,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: Revision,
    pub(crate) parent: Option<Revision>,
    /// A second parent: the commit of `project` that a commit of `main` is the first to be made under, so that a clone
    /// of `main` brings it.
    pub(crate) brings: Option<Revision>,
    /// `name <mail>`.
    pub(crate) author: String,
    /// `name <mail>`.
    pub(crate) committer: String,
    /// When it was committed.
    pub(crate) when: When,
    pub(crate) message: String,
}

impl Commit {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("tree {}\n", self.tree);
        for parent in self.parent.iter().chain(&self.brings) {
            out.push_str(&format!("parent {parent}\n"));
        }
        let when = moment(self.when);
        out.push_str(&format!("author {} {when}\n", self.author));
        out.push_str(&format!("committer {} {when}\n\n", self.committer));
        out.push_str(&self.message);
        out.push('\n');
        out.into_bytes()
    }

    /// Reads a commit, made by esker or by anyone; the reason if it cannot be read.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(bytes);
        let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let field =
            |key: &str| head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        let committer = field("committer").ok_or("has no committer")?;
        let (committer, when) = signature(committer).ok_or("has no time")?;
        Ok(Self {
            tree: id(field("tree"))?.ok_or("has no tree")?,
            parent: id(field("parent"))?,
            brings: id(head.lines().filter_map(|line| line.strip_prefix("parent ")).nth(1))?,
            author: field("author").and_then(signature).map_or(String::new(), |(name, _)| name),
            committer,
            when,
            message: message.trim_end_matches('\n').to_owned(),
        })
    }

    /// The first line of the message, or its beginning: listings hold one for every resource.
    pub(crate) fn summary(&self) -> &str {
        const SUMMARY_MAX: usize = 200;
        let line = self.message.lines().next().unwrap_or_default();
        let end = line.char_indices().nth(SUMMARY_MAX).map_or(line.len(), |(end, _)| end);
        &line[..end]
    }
}

/// A tag with a message of its own.
pub(crate) fn tag_to_bytes(name: &str, target: Revision, when: When, message: &str) -> Vec<u8> {
    let when = moment(when);
    let message = message.trim_end();
    let head = format!("object {target}\ntype commit\ntag {name}\ntagger {IDENTITY} {when}");
    format!("{head}\n\n{message}\n").into_bytes()
}

/// Everything a commit needs: its tree and all its parents.
pub(crate) fn links(bytes: &[u8]) -> Vec<Revision> {
    let head = bytes.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let ids = head.filter_map(|line| line.strip_prefix(b"tree ").or(line.strip_prefix(b"parent ")));
    ids.filter_map(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).collect()
}

/// What a tag object names.
pub(crate) fn tag_target(bytes: &[u8]) -> Option<Revision> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let digits = line.strip_prefix(b"object ")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn id(digits: Option<&str>) -> Result<Option<Revision>, String> {
    let id = digits.map(|digits| digits.parse().map_err(|error| format!("{error}")));
    id.transpose()
}

fn moment(when: When) -> String {
    let sign = if when.offset < 0 { '-' } else { '+' };
    let minutes = when.offset.unsigned_abs() / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{} {sign}{hours:02}{minutes:02}", when.seconds)
}

/// Reads `name <mail> SECONDS +0100`.
fn signature(text: &str) -> Option<(String, When)> {
    let (name, rest) = text.rsplit_once('>')?;
    let mut words = rest.split_whitespace();
    let seconds = words.next()?.parse().ok()?;
    let zone: i32 = words.next().unwrap_or("+0000").parse().ok()?;
    let offset = (zone / 100 * 60 + zone % 100) * 60;
    Some((format!("{name}>"), When { seconds, offset }))
}

#[cfg(test)]
mod tests;
