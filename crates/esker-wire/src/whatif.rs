//! What-ifs: what would happen if something were otherwise.
//!
//! A what-if is a branch `whatif/ID` that begins at its base, a commit of `main`. [`ABOUT`] on it says what is changed;
//! whoever writes that has made or amended one, and a runner brings everything else on the branch in line: contents as
//! changed, what stages make of them, and [`state::State`], which says what has come of it.

pub mod case;
pub mod state;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::edit::{self, Edit, Noted};
use crate::fault::{Code, Fault};
use crate::message::{self, Section};
use crate::name::{BadName, Branch, Resource};
use crate::project;
use crate::revision::Revision;
use crate::stacked;

/// What the names of the branches of what-ifs begin with.
pub const BRANCHES: &str = "whatif/";
/// What the names of resources begin with that are about the what-if.
pub const OWN: &str = "whatif/";
/// The resource that says what is changed.
pub const ABOUT: &str = "whatif/about";
/// The resource that says what has come of it.
pub const STATE: &str = "whatif/state";
/// What the names of resources begin with that hold other contents for resources.
const INPUTS: &str = "whatif/input/";
/// The longest id that is made from a title, in bytes.
pub const NAME_MAX: usize = 40;
/// The longest title, in bytes.
pub const TITLE_MAX: usize = 200;

/// What is changed, of what, and what is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What people call it.
    pub title: String,
    /// Whose it is: `name <mail>`, if that is known.
    pub owner: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it goes; never if it is pinned.
    pub expires: Option<Timestamp>,
    /// The commit of `main` that it changes.
    pub base: Revision,
    /// The changes, in order.
    pub edits: Vec<Edit>,
    /// The resources that have another content to begin with, which lies at [`input`].
    pub inputs: Vec<Resource>,
    /// The files of the project that have another content, which lies at [`file()`].
    pub files: Vec<String>,
    /// How often such contents were put in place of others: without it, nothing else that is said would be another then.
    pub replaced: u64,
    /// What the runner is to do with it.
    pub ask: Option<Ask>,
}

/// A wish, with a number by which its answer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Larger than that of every wish before.
    pub number: u64,
    /// What is wished for.
    pub what: Wish,
    /// Who wishes it: `name <mail>`.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// How conflicts are settled: the number of an edit from 1, and whether the change of the what-if counts. One that is
    /// not named stays a conflict.
    pub settle: Vec<(usize, Side)>,
}

/// What a runner can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Make the changes on `main`.
    Apply,
    /// Take back what was applied.
    Undo,
    /// Change another commit of `main` instead.
    Rebase(Revision),
}

/// Whose change counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// That of the what-if.
    Mine,
    /// That of `main`.
    Theirs,
}

impl Wish {
    /// Its word, which is that of the command.
    pub fn word(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Undo => "undo",
            Self::Rebase(_) => "rebase",
        }
    }

    /// What a rebase goes onto.
    pub fn onto(self) -> Option<Revision> {
        if let Self::Rebase(onto) = self { Some(onto) } else { None }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Mine { "mine" } else { "theirs" })
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mine" => Ok(Self::Mine),
            "theirs" => Ok(Self::Theirs),
            _ => Err(format!("{text:?} is not mine or theirs")),
        }
    }
}

/// The branch of a what-if; none if the id cannot be one.
pub fn branch(id: &str) -> Option<Branch> {
    let is_plain = !id.is_empty() && !id.contains('/');
    format!("{BRANCHES}{id}").parse().ok().filter(|_| is_plain)
}

/// The id of the what-if that a branch is of.
pub fn id(branch: &Branch) -> Option<&str> {
    branch.as_str().strip_prefix(BRANCHES)
}

/// An id for a title, in small letters, digits and dashes; the `number`th of those alike, from 1.
pub fn name(title: &str, number: usize) -> String {
    let mut slug = String::new();
    for letter in title.chars() {
        match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => slug.push(letter),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let end = if number > 1 { format!("-{number}") } else { String::new() };
    let begin = match shorter(&slug, NAME_MAX.saturating_sub(end.len())) {
        "" => "what-if",
        begin => begin,
    };
    format!("{begin}{end}")
}

/// As much of an id as fits: whole words, if that is not too little.
fn shorter(id: &str, max: usize) -> &str {
    let id = id.trim_end_matches('-');
    let Some(begin) = id.get(..max).filter(|_| id.len() > max) else {
        return id;
    };
    let is_whole = id[max..].starts_with('-');
    let word = begin.rfind('-').filter(|at| !is_whole && *at >= max / 2);
    begin[..word.unwrap_or(max)].trim_end_matches('-')
}

/// Where the other content of a resource lies.
///
/// # Errors
/// If the name is too long.
pub fn input(resource: &Resource) -> Result<Resource, BadName> {
    format!("{INPUTS}{resource}").parse()
}

/// Where the other content of a file of the project lies.
///
/// # Errors
/// If the path is too long.
pub fn file(path: &str) -> Result<Resource, BadName> {
    format!("{OWN}{}", project::resource(path)?).parse()
}

impl About {
    /// As stacked streams.
    ///
    /// # Errors
    /// `too-large` if there are too many edits.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut section = Section::new("whatif v1")
            .with("title", self.title.replace(['\n', '\r'], " "))
            .with_some("owner", self.owner.as_deref())
            .with("created", self.created)
            .with_some("expires", self.expires)
            .with("base", self.base)
            .with_some("replaced", Some(self.replaced).filter(|count| *count > 0));
        self.inputs.iter().for_each(|input| section.push("input", input));
        self.files.iter().for_each(|file| section.push("file", file));
        let mut out = Vec::new();
        write(&mut out, &section);
        let edits: Vec<Noted> = self.edits.iter().map(|edit| (edit.clone(), None)).collect();
        let edits = edit::write(&edits).map_err(|error| {
            Fault::new(Code::TooLarge, format!("cannot write a what-if: {error}"))
        })?;
        stacked::write(&mut out, "edits", &edits);
        if let Some(ask) = &self.ask {
            write(&mut out, &ask.to_section());
        }
        Ok(out)
    }

    /// Reads [`About::to_bytes`].
    ///
    /// # Errors
    /// `bad-request` naming what cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let streams = streams(bytes)?;
        let section = streams.section("whatif v1")?;
        let section = section.ok_or_else(|| unreadable("no `whatif v1`"))?;
        let names = section.all("input").map(str::parse).collect::<Result<Vec<Resource>, _>>();
        let edits = streams.content("edits").map_or(Ok(Vec::new()), |text| edit::read(&text));
        let edits = edits.map_err(Fault::bad_request)?;
        let ask = streams.section("ask v1")?.map(|section| Ask::from_section(&section));
        Ok(Self {
            title: section.get("title").unwrap_or_default().to_owned(),
            owner: section.text("owner"),
            created: section.require("created")?,
            expires: section.parse("expires")?,
            base: section.require("base")?,
            edits: edits.into_iter().map(|(edit, _)| edit).collect(),
            inputs: names.map_err(Fault::bad_request)?,
            files: section.all("file").map(str::to_owned).collect(),
            replaced: section.parse("replaced")?.unwrap_or_default(),
            ask: ask.transpose()?,
        })
    }

    /// Whether it changes the same in the same way, whatever it is called and asked for.
    pub fn is_same_change(&self, other: &Self) -> bool {
        (self.base, self.replaced) == (other.base, other.replaced)
            && (&self.edits, &self.inputs, &self.files)
                == (&other.edits, &other.inputs, &other.files)
    }
}

impl Ask {
    fn to_section(&self) -> Section {
        let section = Section::new("ask v1").with("number", self.number);
        let section = section.with("what", self.what.word()).with_some("onto", self.what.onto());
        let why = self.why.as_ref().map(|why| why.replace(['\n', '\r'], " "));
        let mut section = section.with_some("by", self.by.as_deref()).with_some("why", why);
        for (edit, side) in &self.settle {
            section.push("settle", format!("{edit} {side}"));
        }
        section
    }

    fn from_section(section: &Section) -> Result<Self, Fault> {
        let what = match section.get("what") {
            Some("apply") => Wish::Apply,
            Some("undo") => Wish::Undo,
            Some("rebase") => Wish::Rebase(section.require("onto")?),
            other => return Err(unreadable(&format!("{other:?} is not apply, undo or rebase"))),
        };
        let settled = |text: &str| {
            let (edit, side) = text.split_once(' ')?;
            Some((edit.parse().ok()?, side.parse().ok()?))
        };
        let settle = section.all("settle").map(|text| {
            settled(text).ok_or_else(|| unreadable(&format!("{text:?} settles no edit")))
        });
        Ok(Self {
            number: section.require("number")?,
            what,
            by: section.text("by"),
            why: section.text("why"),
            settle: settle.collect::<Result<_, _>>()?,
        })
    }
}

/// The streams of a document.
struct Streams<'a>(Vec<stacked::Stream<'a>>);

impl Streams<'_> {
    /// What a stream holds, if there is one of the name.
    fn content(&self, name: &str) -> Option<Vec<u8>> {
        let stream = self.0.iter().find(|stream| stream.name == name.as_bytes());
        stream.map(stacked::Stream::content)
    }

    /// A stream of fields.
    fn section(&self, name: &str) -> Result<Option<Section>, Fault> {
        let Some(content) = self.content(name) else {
            return Ok(None);
        };
        let mut head = Vec::new();
        stacked::write(&mut head, name, &content);
        Ok(message::sections(&head)?.into_iter().next())
    }
}

fn streams(bytes: &[u8]) -> Result<Streams<'_>, Fault> {
    stacked::parse(bytes).map(Streams).map_err(|error| unreadable(&error.to_string()))
}

fn write(out: &mut Vec<u8>, section: &Section) {
    let fields = section.fields.iter().map(|(key, value)| format!("{key}: {value}\n"));
    stacked::write(out, &section.name, fields.collect::<String>().as_bytes());
}

fn unreadable(why: &str) -> Fault {
    Fault::bad_request(format!("cannot read what a what-if says of itself: {why}"))
}

#[cfg(test)]
mod tests;
