//! Our own messages: a head of named sections, then body frames with any bytes.
//!
//! Frame 0 is a stacked stream. Its first section is named `esker/1 VERB` or `esker/1 VERB SUBJECT` in a
//! request, `esker/1 OK` or `esker/1 ERROR CODE` in a reply. Every content line is `key: value`; a key may
//! repeat. The frames after it are the body. A field `id` in a request's first section comes back in the
//! reply's, so that a client may have many requests under way.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use bytes::Bytes;

use crate::fault::{Code, Fault};
use crate::stacked;

/// What the first section of every head of this version begins with.
pub const PROTOCOL: &str = "esker/1";

/// The largest head, in bytes; content travels in the body.
pub const HEAD_MAX: usize = 16 * 1024 * 1024;

/// The largest content of one resource, in bytes.
pub const CONTENT_MAX: usize = 64 * 1024 * 1024;

/// The largest message, in bytes, all frames together: any head with the largest content.
pub const MESSAGE_MAX: usize = HEAD_MAX + CONTENT_MAX;

/// The room a value is given at first: a revision, a time or a name.
const VALUE: usize = 48;

/// A named list of `key: value` fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// The text after `=====`.
    pub name: String,
    /// The fields in order; a key may repeat.
    pub fields: Vec<(Cow<'static, str>, String)>,
}

impl Section {
    /// An empty section.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), fields: Vec::new() }
    }

    /// Appends a field. A value of several lines becomes as many fields of one key.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.push(key, value);
        self
    }

    /// Appends a field if there is a value.
    #[must_use]
    pub fn with_some(self, key: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Appends a field in place; see [`Section::with`]. A NUL, which no reader takes, becomes a blank.
    pub fn push(&mut self, key: impl Into<Cow<'static, str>>, value: impl fmt::Display) {
        let key = key.into();
        let mut text = String::with_capacity(VALUE);
        // Writing to a string cannot fail, only a value's own form of itself.
        write!(text, "{value}").expect("a value that can be shown");
        if !text.as_bytes().iter().any(|byte| matches!(byte, b'\n' | b'\0')) {
            self.fields.push((key, text));
            return;
        }
        for line in text.split('\n') {
            self.fields.push((key.clone(), line.replace('\0', " ")));
        }
    }

    /// The bytes it takes when written.
    fn size(&self) -> usize {
        let fields = self.fields.iter().map(|(key, value)| key.len() + value.len() + 4);
        stacked::HEADER.len() + self.name.len() + 1 + fields.sum::<usize>()
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Every value of a key, in order.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.fields.iter().filter(move |(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Every value of a key joined by line feeds: the inverse of a many-line [`Section::with`].
    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(|_| self.all(key).collect::<Vec<_>>().join("\n"))
    }

    /// A value read as a `T`, if the key is there.
    ///
    /// # Errors
    /// `bad-request` naming the field and its text.
    pub fn parse<T>(&self, key: &str) -> Result<Option<T>, Fault>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let read = |text: &str| {
            text.parse().map_err(|error| {
                Fault::bad_request(format!(
                    "cannot read the field `{key}` of {:?}: {error}",
                    self.name
                ))
            })
        };
        self.get(key).map(read).transpose()
    }

    /// A value read as a `T`; the key must be there.
    ///
    /// # Errors
    /// `bad-request` naming the field.
    pub fn require<T>(&self, key: &str) -> Result<T, Fault>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.parse(key)?.ok_or_else(|| {
            Fault::bad_request(format!("the field `{key}` is missing in {:?}", self.name))
        })
    }
}

/// One message: its head and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The head; never empty.
    pub sections: Vec<Section>,
    /// Any bytes, by position.
    pub body: Vec<Bytes>,
}

impl Message {
    /// A request's head: `esker/1 VERB SUBJECT`.
    pub fn request(verb: &str, subject: &str) -> Self {
        let blank = if subject.is_empty() { "" } else { " " };
        let name = format!("{PROTOCOL} {verb}{blank}{subject}");
        Self::of(Section::new(name.replace('\n', " ")))
    }

    /// A reply that says all went well.
    pub fn ok() -> Self {
        Self::of(Section::new(format!("{PROTOCOL} OK")))
    }

    /// A reply that says what went wrong.
    pub fn error(fault: &Fault) -> Self {
        let mut section = Section::new(format!("{PROTOCOL} ERROR {}", fault.code.as_str()))
            .with("message", &fault.message);
        if !fault.hint.is_empty() {
            section.push("hint", &fault.hint);
        }
        for candidate in &fault.candidates {
            section.push("candidate", candidate);
        }
        Self::of(section)
    }

    fn of(section: Section) -> Self {
        Self { sections: vec![section], body: Vec::new() }
    }

    /// The first section.
    pub fn head(&self) -> &Section {
        &self.sections[0]
    }

    /// The first section, to add fields to.
    pub fn head_mut(&mut self) -> &mut Section {
        &mut self.sections[0]
    }

    /// The verb: `PUT`, `GET`, … in a request, `OK` or `ERROR` in a reply.
    pub fn verb(&self) -> &str {
        self.words().0
    }

    /// What follows the verb in the head's name; may hold blanks, may be empty.
    pub fn subject(&self) -> &str {
        self.words().1
    }

    fn words(&self) -> (&str, &str) {
        let rest = self.head().name.strip_prefix(PROTOCOL).unwrap_or_default();
        let rest = rest.strip_prefix(' ').unwrap_or_default();
        rest.split_once(' ').unwrap_or((rest, ""))
    }

    /// Whether frame 0 is a head of ours, of this version or another; anything else may be a seed's message.
    pub fn is_ours(frame: &[u8]) -> bool {
        frame.starts_with(b"=====esker/")
    }

    /// The frames to send.
    pub fn to_frames(&self) -> Vec<Bytes> {
        let mut head = Vec::with_capacity(self.sections.iter().map(Section::size).sum());
        for section in &self.sections {
            head.extend_from_slice(stacked::HEADER);
            head.extend_from_slice(section.name.as_bytes());
            head.push(b'\n');
            for (key, value) in &section.fields {
                head.push(b'\t');
                head.extend_from_slice(key.as_bytes());
                head.extend_from_slice(b": ");
                head.extend_from_slice(value.as_bytes());
                head.push(b'\n');
            }
        }
        let mut frames = Vec::with_capacity(1 + self.body.len());
        frames.push(Bytes::from(head));
        frames.extend(self.body.iter().cloned());
        frames
    }

    /// Reads frames as they came.
    ///
    /// # Errors
    /// `bad-request` that says which line of the head cannot be read, or which version was asked for.
    pub fn from_frames(frames: &[Bytes]) -> Result<Self, Fault> {
        let (head, body) =
            frames.split_first().ok_or_else(|| Fault::bad_request("the message has no frame"))?;
        if head.len() > HEAD_MAX {
            let hint = "send content in the frames after the head";
            let message = format!("the head has {} bytes, {HEAD_MAX} are allowed", head.len());
            return Err(Fault::new(Code::TooLarge, message).hint(hint));
        }
        let sections = sections(head)?;
        let first = sections.first().ok_or_else(|| Fault::bad_request("the head is empty"))?;
        let version = first.name.split(' ').next().unwrap_or_default();
        if version != PROTOCOL {
            let message = format!("the head begins with {version:?}, not {PROTOCOL:?}");
            return Err(Fault::bad_request(message).hint("this esker speaks esker/1"));
        }
        Ok(Self { sections, body: body.to_vec() })
    }
}

/// Reads a stacked stream whose lines are all `key: value`.
///
/// # Errors
/// `bad-request` naming the line.
pub fn sections(head: &[u8]) -> Result<Vec<Section>, Fault> {
    let streams = stacked::parse(head)
        .map_err(|error| Fault::bad_request(format!("cannot read the head: {error}")))?;
    streams.iter().map(section).collect()
}

fn section(stream: &stacked::Stream<'_>) -> Result<Section, Fault> {
    let mut section = Section::new(utf8(stream.name, stream.line)?);
    for (index, line) in stream.lines.iter().enumerate() {
        let number = stream.line + 1 + index;
        let line = utf8(line, number)?;
        if line.contains('\0') {
            let text = format!("cannot read the head: line {number} holds a NUL byte");
            return Err(Fault::bad_request(text));
        }
        let (key, value) = line.split_once(':').ok_or_else(|| {
            Fault::bad_request(format!("cannot read the head: line {number} is not `key: value`"))
        })?;
        let value = value.strip_prefix(' ').unwrap_or(value);
        section.fields.push((key.to_owned().into(), value.to_owned()));
    }
    Ok(section)
}

fn utf8(bytes: &[u8], line: usize) -> Result<&str, Fault> {
    std::str::from_utf8(bytes)
        .map_err(|_| Fault::bad_request(format!("cannot read the head: line {line} is not UTF-8")))
}

/// A typed request: what it asks, what comes back, and both as messages.
pub trait Request: Sized {
    /// What a good answer holds.
    type Reply: Sized;
    /// The word after `esker/1`.
    const VERB: &'static str;
    /// Whether asking twice is the same as asking once, so that a lost answer may be asked for again.
    const IDEMPOTENT: bool;

    /// The request as a message.
    fn to_message(&self) -> Message;

    /// Reads a request whose verb is [`Request::VERB`].
    ///
    /// # Errors
    /// `bad-request` naming the field.
    fn from_message(message: &Message) -> Result<Self, Fault>;

    /// A good answer as a message.
    fn reply_to_message(reply: &Self::Reply) -> Message;

    /// Reads what comes after `OK`; callers use [`answer`], which sees to errors first.
    ///
    /// # Errors
    /// `bad-request` naming the field.
    fn reply_from_message(message: &Message) -> Result<Self::Reply, Fault>;
}

/// Reads an answer: the reply, or the fault the other side tells of.
///
/// # Errors
/// The other side's fault, or `bad-request` if the answer cannot be read.
pub fn answer<R: Request>(message: &Message) -> Result<R::Reply, Fault> {
    check(message)?;
    R::reply_from_message(message)
}

/// Whether an answer is a good one.
///
/// # Errors
/// The other side's fault, or `bad-request` if it is no answer.
pub fn check(message: &Message) -> Result<(), Fault> {
    match message.verb() {
        "OK" => Ok(()),
        "ERROR" => {
            let head = message.head();
            let code = message.subject().parse().unwrap_or(Code::Internal);
            let text = head.text("message").unwrap_or_default();
            let candidates = head.all("candidate").map(str::to_owned).collect();
            let hint = head.text("hint").unwrap_or_default();
            Err(Fault::new(code, text).hint(hint).candidates(candidates))
        }
        other => Err(Fault::bad_request(format!("{other:?} is neither OK nor ERROR"))),
    }
}

#[cfg(test)]
mod tests;
