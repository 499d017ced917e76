//! Reading stacked streams as leniently as the original filter did.
//!
//! A header is any line that begins with `=====`; of every other line the first character is dropped, whatever
//! it is. What a stricter reader would refuse is remembered, so that callers can warn or refuse.

use crate::error::{BadInput, Place, quoted, quoted_list};

/// What every header line begins with.
const HEADER: &str = "=====";

/// One stream.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    /// The text after `=====`, which may be empty.
    pub(crate) name: &'a str,
    /// The line of the header in the whole input, from 1.
    pub(crate) line: usize,
    /// The content lines without their first character.
    pub(crate) lines: Vec<&'a str>,
    /// The first wholly blank content line, from 1: it has no first character to drop.
    pub(crate) blank: Option<usize>,
    /// The first content line that does not begin with a tab, from 1.
    pub(crate) untabbed: Option<usize>,
}

impl<'a> Stream<'a> {
    /// The content lines with their places.
    pub(crate) fn rows(&self, stream: &'static str) -> impl Iterator<Item = (Place, &'a str)> {
        let header = self.line;
        self.lines.iter().enumerate().map(move |(index, text)| {
            let place = Place { stream, line: index + 1, input_line: header + index + 1 };
            (place, *text)
        })
    }

    /// The place of the header, or of a content line.
    pub(crate) fn place(&self, stream: &'static str, line: usize) -> Place {
        Place { stream, line, input_line: self.line + line }
    }
}

/// Reads a document of UTF-8. Empty input is a document of no streams.
pub(crate) fn read(input: &[u8]) -> Result<Vec<Stream<'_>>, BadInput> {
    let text = utf8(input)?;
    let mut streams: Vec<Stream<'_>> = Vec::new();
    if text.is_empty() {
        return Ok(streams);
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    for (index, line) in body.split('\n').enumerate() {
        if let Some(name) = line.strip_prefix(HEADER) {
            streams.push(Stream {
                name,
                line: index + 1,
                lines: Vec::new(),
                blank: None,
                untabbed: None,
            });
            continue;
        }
        match streams.last_mut() {
            Some(stream) => add(stream, line),
            None => return Err(no_header(line)),
        }
    }
    Ok(streams)
}

/// Adds a content line without its first character.
fn add<'a>(stream: &mut Stream<'a>, line: &'a str) {
    let number = stream.lines.len() + 1;
    let mut characters = line.chars();
    match characters.next() {
        Some('\t') => {}
        Some(_) => {
            stream.untabbed.get_or_insert(number);
        }
        None => {
            stream.blank.get_or_insert(number);
        }
    }
    stream.lines.push(characters.as_str());
}

fn utf8(input: &[u8]) -> Result<&str, BadInput> {
    str::from_utf8(input).map_err(|error| {
        let good = &input[..error.valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        BadInput::whole(format!(
            "line {line} of the input is not UTF-8; convert the input to UTF-8"
        ))
    })
}

fn no_header(line: &str) -> BadInput {
    let remedy = match line.strip_prefix('\u{feff}') {
        Some(_) => "remove the byte order mark at the beginning",
        None => "begin every stream with its header",
    };
    BadInput::whole(format!(
        "line 1 of the input: expected a header like =====NAME, found {}; {remedy}",
        quoted(line)
    ))
}

/// The first stream of a name.
pub(crate) fn find<'s, 'a>(
    streams: &'s [Stream<'a>],
    name: &'static str,
) -> Result<&'s Stream<'a>, BadInput> {
    if let Some(stream) = streams.iter().find(|stream| stream.name == name) {
        return Ok(stream);
    }
    if streams.is_empty() {
        return Err(BadInput::whole(format!("the input is empty; it needs the stream {name:?}")));
    }
    let near = streams.iter().find(|stream| stream.name.trim() == name);
    let remedy = match near {
        Some(stream) if stream.name.ends_with('\r') => {
            "; end the lines of the input with a line feed alone, without a carriage return"
        }
        Some(_) => "; remove the blanks around its name",
        None => "",
    };
    Err(BadInput::whole(format!(
        "the stream {name:?} is missing, the input has {}{remedy}",
        quoted_list(streams.iter().map(|stream| stream.name))
    )))
}

#[cfg(test)]
mod tests;
