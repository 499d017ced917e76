//! Cutting an input into parts, and putting together what was made of them.

use std::collections::HashMap;

use bytes::Bytes;
use csv::ByteRecord;
use esker_wire::stacked;
use serde_json::value::RawValue;

use crate::definition::split::By;
use crate::gate::rows::Rows;
use crate::pull::singer::canonical;
use crate::run::failure::Broken;

/// The most parts of one input: each is a process.
const PARTS_MAX: usize = 10_000;

/// The longest name of a part, in bytes: its program is told it.
const NAME_MAX: usize = 1_000;
/// How much is shown of a name that is too long, in characters.
const SHOWN_MAX: usize = 40;

/// A part of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// What it is called where it is told of.
    pub(super) title: String,
    /// Its name, if it has one that does not depend on what stands before it.
    pub(super) name: Option<String>,
    /// What its program reads.
    pub(super) content: Bytes,
}

/// The parts of an input, in its order.
pub(super) fn cut(by: &By, input: &Bytes) -> Result<Vec<Part>, Broken> {
    let parts = match by {
        By::Lines(length) => lines(*length, input),
        By::Rows(length) => rows(*length, input)?,
        By::Key(column) => key(column, input)?,
        By::Json(pointer) => json(pointer, input)?,
        By::Streams => streams(input)?,
    };
    if parts.len() > PARTS_MAX {
        let what = format!("it has {} parts, and {PARTS_MAX} are the most", parts.len());
        return Err(unsplit(by, what));
    }
    let is_odd = |name: &&String| name.len() > NAME_MAX || name.contains('\0');
    if let Some(name) = parts.iter().filter_map(|part| part.name.as_ref()).find(is_odd) {
        let begins: String = name.chars().take(SHOWN_MAX).collect();
        let what =
            format!("{begins:?} cannot name a part: it is over {NAME_MAX} bytes or holds NUL");
        return Err(unsplit(by, what));
    }
    Ok(parts)
}

/// What was made of all parts, in their order.
pub(super) fn join(by: &By, made: &[(&Part, &Bytes)]) -> Result<Bytes, Broken> {
    match by {
        By::Lines(_) => Ok(join_lines(made)),
        By::Rows(_) | By::Key(_) => join_tables(made),
        By::Json(_) => join_json(made),
        By::Streams => join_streams(made),
    }
}

fn unsplit(by: &By, why: impl std::fmt::Display) -> Broken {
    Broken::new(format!("cannot split the input by {by}: {why}"), "mend the input, or `split`")
}

fn lines(length: usize, input: &Bytes) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut from, mut count) = (0, 0);
    let ends = input.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let last = (!input.is_empty() && !input.ends_with(b"\n")).then_some(input.len());
    let mut end = |to: usize, count: usize, last: usize| {
        let title = format!("lines {}-{last}", last - count + 1);
        parts.push(Part { title, name: None, content: input.slice(from..to) });
        from = to;
    };
    let mut total = 0;
    let mut at = 0;
    for to in ends.chain(last) {
        (count, total, at) = (count + 1, total + 1, to);
        if count == length {
            end(to, count, total);
            count = 0;
        }
    }
    if count > 0 {
        end(at, count, total);
    }
    parts
}

/// The heading of a table and its rows, exactly as they are written. What the heading and the rows hold is shown on the
/// way.
fn table<'a>(
    by: &By,
    input: &'a [u8],
    mut show: impl FnMut(&ByteRecord) -> Result<(), Broken>,
) -> Result<(&'a [u8], Vec<&'a [u8]>), Broken> {
    let ends = input.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let begins: Vec<usize> = [0].into_iter().chain(ends.map(|(at, _)| at + 1)).collect();
    let offset = |line: usize| begins.get(line - 1).copied().unwrap_or(input.len());
    let mut rows = Rows::new(input, 0, None).map_err(|finding| unsplit(by, finding))?;
    let mut starts = Vec::new();
    let mut record = ByteRecord::new();
    while let Some(at) = rows.next(&mut record).map_err(|finding| unsplit(by, finding))? {
        starts.push(offset(at.line));
        show(&record)?;
    }
    let [heading, rest @ ..] = starts.as_slice() else {
        return Err(unsplit(by, "it has no heading"));
    };
    let ends = rest.iter().skip(1).copied().chain([input.len()]);
    let rows = rest.iter().zip(ends).map(|(from, to)| &input[*from..to]).collect();
    Ok((&input[*heading..rest.first().copied().unwrap_or(input.len())], rows))
}

/// Some rows under the heading, the last of them ended too.
fn under<'a>(heading: &[u8], rows: impl Iterator<Item = &'a [u8]>) -> Bytes {
    let mut content = heading.to_vec();
    for row in rows {
        if !content.ends_with(b"\n") {
            content.push(b'\n');
        }
        content.extend_from_slice(row);
    }
    if !content.ends_with(b"\n") {
        content.push(b'\n');
    }
    content.into()
}

fn rows(length: usize, input: &[u8]) -> Result<Vec<Part>, Broken> {
    let (heading, rows) = table(&By::Rows(length), input, |_| Ok(()))?;
    let chunks = rows.chunks(length).enumerate();
    Ok(chunks
        .map(|(index, rows)| {
            // As a spreadsheet counts: the heading is row 1.
            let first = index * length + 2;
            Part {
                title: format!("rows {first}-{}", first + rows.len() - 1),
                name: None,
                content: under(heading, rows.iter().copied()),
            }
        })
        .collect())
}

fn key(column: &str, input: &[u8]) -> Result<Vec<Part>, Broken> {
    let by = By::Key(column.to_owned());
    let mut at = None;
    let mut values: Vec<Vec<u8>> = Vec::new();
    let (heading, rows) = table(&by, input, |record| {
        match at {
            None => at = Some(place(&by, column, record)?),
            Some(at) => values.push(record.get(at).unwrap_or_default().to_vec()),
        }
        Ok(())
    })?;
    let mut groups: Vec<Vec<&[u8]>> = Vec::new();
    let mut names: Vec<&[u8]> = Vec::new();
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    for (value, row) in values.iter().zip(rows) {
        let place = *places.entry(value).or_insert_with(|| {
            names.push(value);
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(row);
    }
    let part = |(value, rows): (&[u8], Vec<&[u8]>)| {
        let value = String::from_utf8_lossy(value).into_owned();
        Part {
            title: format!("{column} {value}"),
            name: Some(value),
            content: under(heading, rows.into_iter()),
        }
    };
    Ok(names.into_iter().zip(groups).map(part).collect())
}

/// Which column has this name.
fn place(by: &By, column: &str, heading: &ByteRecord) -> Result<usize, Broken> {
    const SHOWN_MAX: usize = 20;
    let names = heading.iter().map(|name| String::from_utf8_lossy(name).into_owned());
    let names: Vec<String> = names.collect();
    let found = names.iter().position(|name| name.trim_start_matches('\u{feff}') == column);
    found.ok_or_else(|| {
        let shown = names.iter().take(SHOWN_MAX).map(String::as_str);
        let shown = shown.collect::<Vec<_>>().join(", ");
        unsplit(by, format!("there is no such column, but {shown}"))
    })
}

fn json(pointer: &str, input: &[u8]) -> Result<Vec<Part>, Broken> {
    let by = By::Json(pointer.to_owned());
    let odd = |error: serde_json::Error| unsplit(&by, error);
    let mut found: &RawValue = serde_json::from_slice(input).map_err(odd)?;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        found =
            below(found, &step).ok_or_else(|| unsplit(&by, "there is nothing at that place"))?;
    }
    if !found.get().starts_with('[') {
        return Err(unsplit(&by, "there is no array at that place"));
    }
    let items: Vec<&RawValue> = serde_json::from_str(found.get()).map_err(odd)?;
    let part = |(index, item): (usize, &&RawValue)| {
        // Not as a number of ours, which would not have all digits.
        let text = canonical(item.get()).map_err(|why| unsplit(&by, why))?;
        let title = format!("{pointer}/{index}");
        Ok(Part { title, name: None, content: (text + "\n").into() })
    };
    items.iter().enumerate().map(part).collect()
}

/// What stands in a value under a name, or at a place of an array.
fn below<'v>(value: &'v RawValue, step: &str) -> Option<&'v RawValue> {
    if value.get().starts_with('[') {
        let is_place = step == "0" || !step.starts_with(['0', '+']);
        let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
        return items.get(step.parse::<usize>().ok().filter(|_| is_place)?).copied();
    }
    let mut fields: HashMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
    fields.remove(step)
}

fn streams(input: &[u8]) -> Result<Vec<Part>, Broken> {
    let streams = stacked::parse(input).map_err(|error| unsplit(&By::Streams, error))?;
    let part = |stream: &stacked::Stream<'_>| {
        let name = String::from_utf8_lossy(stream.name).into_owned();
        Part { title: name.clone(), name: Some(name), content: stream.content().into() }
    };
    Ok(streams.iter().map(part).collect())
}

fn join_lines(made: &[(&Part, &Bytes)]) -> Bytes {
    let mut all = Vec::new();
    for (_, bytes) in made {
        if !all.is_empty() && !all.ends_with(b"\n") {
            all.push(b'\n');
        }
        all.extend_from_slice(bytes);
    }
    all.into()
}

/// Where the rows of a table begin.
fn heading_end(table: &[u8]) -> Result<usize, Broken> {
    let odd = |finding| {
        let summary = format!("what was made of a part is no table: {finding}");
        Broken::new(summary, "have the program print a table for every part")
    };
    let mut rows = Rows::new(table, 0, None).map_err(odd)?;
    let mut record = ByteRecord::new();
    rows.next(&mut record).map_err(odd)?;
    let Some(first) = rows.next(&mut record).map_err(odd)? else {
        return Ok(table.len());
    };
    let lines = table.split_inclusive(|byte| *byte == b'\n').take(first.line - 1);
    Ok(lines.map(<[u8]>::len).sum())
}

/// Tables under one heading, which must be that of all.
fn join_tables(made: &[(&Part, &Bytes)]) -> Result<Bytes, Broken> {
    let mut all: Vec<u8> = Vec::new();
    let mut heading: Option<(&Part, &[u8])> = None;
    for (part, bytes) in made.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let (own, rows) = bytes.split_at(heading_end(bytes)?);
        match heading {
            None => all.extend_from_slice(bytes),
            Some((_, first)) if first.trim_ascii_end() == own.trim_ascii_end() => {
                if !all.ends_with(b"\n") {
                    all.push(b'\n');
                }
                all.extend_from_slice(rows);
            }
            Some((first_part, first)) => {
                let text =
                    |bytes: &[u8]| String::from_utf8_lossy(bytes.trim_ascii_end()).into_owned();
                let summary = format!(
                    "cannot put the parts together: {} has the heading {:?}, {} has {:?}",
                    first_part.title,
                    text(first),
                    part.title,
                    text(own)
                );
                let hint = "have the program print the same heading for every part";
                return Err(Broken::new(summary, hint));
            }
        }
        heading.get_or_insert((part, own));
    }
    Ok(all.into())
}

fn join_json(made: &[(&Part, &Bytes)]) -> Result<Bytes, Broken> {
    let mut all = b"[".to_vec();
    let filled = made.iter().filter(|(_, bytes)| !bytes.trim_ascii().is_empty());
    for (index, (part, bytes)) in filled.enumerate() {
        let value: &RawValue = serde_json::from_slice(bytes).map_err(|error| {
            let summary = format!("what was made of {} is not JSON: {error}", part.title);
            Broken::new(summary, "have the program print one JSON value for each part")
        })?;
        all.extend_from_slice(if index == 0 { b"\n" } else { b",\n" });
        all.extend_from_slice(value.get().as_bytes());
    }
    all.extend_from_slice(b"\n]\n");
    Ok(all.into())
}

fn join_streams(made: &[(&Part, &Bytes)]) -> Result<Bytes, Broken> {
    let mut all = Vec::new();
    for (part, bytes) in made {
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            let summary = format!("what was made of {} is not text: byte {at} is NUL", part.title);
            return Err(Broken::new(summary, "streams are of text; split it in another way"));
        }
        stacked::write(&mut all, part.name.as_deref().unwrap_or(&part.title), bytes);
    }
    Ok(all.into())
}

#[cfg(test)]
mod tests;
