//! Edits of TOML: values are replaced where they stand, and what comes of it is read again before it counts.

use std::ops::Range;

use esker_wire::edit::address::{Place, Row, Step};
use esker_wire::edit::{Before, Deed, Edit};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::miss::{Miss, nearest};

/// The longest TOML that is edited, in bytes: it is read again for every edit.
const TOML_MAX: usize = 4 * 1024 * 1024;

/// A TOML text.
pub(super) struct Toml<'a> {
    /// What stands before it: a byte order mark, or nothing.
    mark: &'a str,
    text: String,
    key: Vec<String>,
}

/// A value that is there.
struct Value {
    span: Range<usize>,
    /// Where its key is, if it is no element.
    key: Option<Range<usize>>,
    /// Whether it is a table, or tables, under a heading of its own.
    is_headed: bool,
    /// The text of a string.
    string: Option<String>,
}

/// Where a place is, or would be.
enum Found {
    Value(Value),
    /// Nothing is there; it may go here, after a comma or a line of its own.
    Room(Room),
}

enum Room {
    Line(usize),
    Inline { at: usize, is_first: bool },
    None,
}

impl<'a> Toml<'a> {
    /// Whether a text is TOML that says something.
    pub(super) fn is_one(text: &str) -> bool {
        text.len() <= TOML_MAX && DeTable::parse(text).is_ok_and(|root| !root.get_ref().is_empty())
    }

    /// Reads a text that begins where `start` is.
    pub(super) fn open(text: &'a str, start: usize, key: &[String]) -> Result<Self, String> {
        let (mark, text) = text.split_at(start);
        if text.len() > TOML_MAX {
            let most = TOML_MAX / 1024 / 1024;
            return Err(format!("it is TOML of over {most} MiB; edit it where it is made"));
        }
        DeTable::parse(text).map_err(|error| format!("it is no TOML: {}", error.message()))?;
        Ok(Self { mark, text: text.to_owned(), key: key.to_vec() })
    }

    fn find(&self, place: &Place) -> Result<Found, Miss> {
        let root = DeTable::parse(&self.text);
        let root =
            root.map_err(|error| Miss::Never(format!("it is no TOML: {}", error.message())))?;
        let Some((last, above)) = place.steps.split_last() else {
            let what = "the address names no value; replace the content as a whole";
            return Err(Miss::Never(what.to_owned()));
        };
        let mut at = At::Table { table: root.get_ref(), span: None, key: None };
        for step in above {
            at = match self.step(&at, step)? {
                Some((key, value)) => self.within(key, value, step)?,
                None => return Err(at.missing(step)),
            };
        }
        Ok(match self.step(&at, last)? {
            Some((key, value)) => Found::Value(self.value(key, value)),
            None => Found::Room(self.room(&at)),
        })
    }

    fn value(&self, key: Option<Range<usize>>, value: &Spanned<DeValue<'_>>) -> Value {
        let span = value.span();
        let is_bracketed = self.text[span.start..].starts_with(['{', '[']);
        let nests = matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
        let in_heading = key.as_ref().is_some_and(|key| self.is_heading(key.start));
        let string = match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        };
        Value { span, key, is_headed: nests && (in_heading || !is_bracketed), string }
    }

    /// Whether a key stands in a heading.
    fn is_heading(&self, at: usize) -> bool {
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        self.text[line..].trim_start_matches([' ', '\t']).starts_with('[')
    }

    fn within<'t>(
        &self,
        key: Option<Range<usize>>,
        value: &'t Spanned<DeValue<'t>>,
        step: &Step,
    ) -> Result<At<'t>, Miss> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(At::Table { table, span: Some(value.span()), key }),
            DeValue::Array(items) => Ok(At::Array { items }),
            _ => {
                let place = Place { steps: vec![step.clone()] };
                Err(Miss::Kind(format!(
                    "{place} holds nothing: it is {}",
                    &self.text[value.span()]
                )))
            }
        }
    }

    /// The value that a step names, and where its key is.
    fn step<'t>(&self, at: &At<'t>, step: &Step) -> Result<Option<Entry<'t>>, Miss> {
        let named = |name: &str| Place { steps: vec![Step::Name(name.to_owned())] };
        match (at, step) {
            (At::Table { table, .. }, Step::Name(name)) => {
                let entry = table.get_key_value(name.as_str());
                Ok(entry.map(|(key, value)| (Some(key.span()), value)))
            }
            (At::Table { .. }, _) => Err(Miss::Kind("a table's values have names".to_owned())),
            (At::Array { items, .. }, Step::Row(Row::Keys(keys)))
                if keys.iter().any(|key| key.column.is_some())
                    || !self.key.is_empty() && !keys.is_empty() =>
            {
                let mut declared = self.key.iter().map(String::as_str);
                let name = |key: &'_ Option<String>| match key {
                    Some(name) => name.clone(),
                    None => declared.next().unwrap_or_default().to_owned(),
                };
                let names: Vec<String> = keys.iter().map(|key| &key.column).map(name).collect();
                let is_it = |item: &&'t Spanned<DeValue<'t>>| {
                    let table = item.get_ref().as_table();
                    names.iter().zip(keys).all(|(name, key)| {
                        let member = table.and_then(|table| table.get(name.as_str()));
                        member.is_some_and(|value| self.shown(value) == key.value)
                    })
                };
                let found: Vec<_> = items.iter().filter(is_it).collect();
                match found.as_slice() {
                    [] => Ok(None),
                    [one] => Ok(Some((None, one))),
                    several => Err(Miss::Twice(format!(
                        "there are {} [{}]",
                        several.len(),
                        Row::Keys(keys.clone())
                    ))),
                }
            }
            (At::Array { items, .. }, step) => {
                let number = match step {
                    Step::Name(name) => name.parse().ok(),
                    Step::Row(Row::Number(number)) => usize::try_from(number - 1).ok(),
                    Step::Row(Row::Keys(keys)) => {
                        keys.first().and_then(|key| key.value.parse().ok())
                    }
                    Step::Number(_) => None,
                };
                let hint =
                    || Miss::Kind(format!("{} is no element: [0], or [Id=CHK-1]", named("it")));
                let number: usize = number.ok_or_else(hint)?;
                Ok(items.get(number).map(|value| (None, value)))
            }
        }
    }

    fn shown(&self, value: &Spanned<DeValue<'_>>) -> String {
        match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            _ => self.text[value.span()].to_owned(),
        }
    }

    /// Where a new value may go.
    fn room(&self, at: &At<'_>) -> Room {
        let (table, span, key) = match at {
            At::Array { .. } => return Room::None,
            At::Table { table, span, key } => (table, span, key),
        };
        let bracket = |span: &Range<usize>| self.text[span.start..].starts_with('{');
        let is_headed = key.as_ref().is_some_and(|key| self.is_heading(key.start));
        if let Some(span) = span.as_ref().filter(|span| bracket(span) && !is_headed) {
            let last = table.iter().map(|(_, value)| value.span().end).max();
            let at = last.unwrap_or(span.start + 1);
            return Room::Inline { at, is_first: last.is_none() };
        }
        if let Some(end) = self.end(table) {
            return Room::Line(self.line_end(end));
        }
        match key {
            None if span.is_none() => Room::Line(0),
            Some(key) if is_headed && self.text[key.end..].trim_start().starts_with(']') => {
                Room::Line(self.line_end(key.end))
            }
            _ => Room::None,
        }
    }

    /// Where the last value ends that a table has without another heading.
    fn end(&self, table: &DeTable<'_>) -> Option<usize> {
        let own = table.iter().filter(|(key, _)| !self.is_heading(key.span().start));
        own.filter_map(|(_, value)| match value.get_ref() {
            DeValue::Table(inner) if !self.text[value.span().start..].starts_with('{') => {
                self.end(inner)
            }
            _ => Some(value.span().end),
        })
        .max()
    }

    /// Behind the line end that follows.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }

    /// What an edit finds.
    pub(super) fn now(&mut self, edit: &Edit) -> Result<Before, Miss> {
        let what = edit.at.place.to_string();
        match (&edit.deed, self.find(&edit.at.place)?) {
            (Deed::Set(_) | Deed::Remove, Found::Value(value)) if value.is_headed => {
                Err(Miss::Kind(format!("{what} is a table; set or remove what is in it")))
            }
            (Deed::Set(_) | Deed::Remove, Found::Value(value)) => {
                Ok(Before::Text(self.text[value.span].to_owned()))
            }
            (Deed::Set(_), Found::Room(Room::None)) => {
                Err(Miss::Row(format!("there is no {what}, and no line where it could be added")))
            }
            (Deed::Set(_), Found::Room(_)) => Ok(Before::Absent),
            (Deed::Remove, Found::Room(_)) => Err(Miss::Row(format!("there is no {what}"))),
            (deed, _) => {
                let deed = deed.word();
                Err(Miss::Never(format!("{deed} is for rows of tables; set or remove values here")))
            }
        }
    }

    pub(super) fn says(&mut self, edit: &Edit, found: &Before) -> Result<bool, Miss> {
        match (&edit.deed, found) {
            (Deed::Set(text), Before::Text(now)) => Ok(encode(text, Some(now)) == *now),
            _ => Ok(false),
        }
    }

    /// Does what an edit says.
    pub(super) fn apply(&mut self, edit: &Edit) -> Result<(), Miss> {
        let place = &edit.at.place;
        let (range, text) = match (&edit.deed, self.find(place)?) {
            (Deed::Set(text), Found::Value(value)) => {
                let text = encode(text, Some(&self.text[value.span.clone()]));
                (value.span, text)
            }
            (Deed::Set(text), Found::Room(room)) => self.added(place, &room, &encode(text, None)),
            (_, Found::Value(value)) => (self.removed(&value, place)?, String::new()),
            (_, Found::Room(_)) => return Err(Miss::Row("it is gone".to_owned())),
        };
        let mut next = self.text.clone();
        next.replace_range(range, &text);
        let next = Toml { mark: self.mark, text: next, key: self.key.clone() };
        let is_there = matches!(next.find(place), Ok(Found::Value(_)));
        let is_right = match edit.deed {
            Deed::Set(_) => is_there,
            _ => DeTable::parse(&next.text).is_ok(),
        };
        if !is_right {
            let what = "cannot be spliced in here; replace the content as a whole";
            return Err(Miss::Never(format!("{} {what}", edit.deed.word())));
        }
        *self = next;
        Ok(())
    }

    /// What has to be written where for a value to be there.
    fn added(&self, place: &Place, room: &Room, value: &str) -> (Range<usize>, String) {
        let key = match place.steps.last() {
            Some(Step::Name(name)) => bare(name),
            _ => String::new(),
        };
        match *room {
            Room::Inline { at, is_first } => {
                let lead = if is_first { " " } else { ", " };
                let tail = if is_first { " " } else { "" };
                (at..at, format!("{lead}{key} = {value}{tail}"))
            }
            Room::Line(at) => {
                let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
                let is_open = at > 0 && !self.text[..at].ends_with('\n');
                let line = format!("{key} = {value}");
                (at..at, if is_open { format!("{end}{line}") } else { format!("{line}{end}") })
            }
            Room::None => (0..0, String::new()),
        }
    }

    /// What has to be cut out for a value to be gone.
    fn removed(&self, value: &Value, place: &Place) -> Result<Range<usize>, Miss> {
        let start = value.key.as_ref().map_or(value.span.start, |key| key.start);
        let line = self.text[..start].rfind('\n').map_or(0, |end| end + 1);
        let end = self.line_end(value.span.end);
        let before = &self.text[line..start];
        let after = self.text[value.span.end..end].trim();
        let is_alone = value.key.is_some()
            && !before.contains(['{', '[', '=', ','])
            && (after.is_empty() || after.starts_with('#'));
        if is_alone {
            return Ok(line..end);
        }
        // Within brackets the comma goes along: the one that follows, else the one before.
        let rest = &self.text[value.span.end..];
        let blank = rest.len() - rest.trim_start().len();
        if rest[blank..].starts_with(',') {
            let comma = value.span.end + blank + 1;
            let more =
                self.text[comma..].len() - self.text[comma..].trim_start_matches([' ', '\t']).len();
            return Ok(start..comma + more);
        }
        let lead = self.text[..start].trim_end();
        match lead.strip_suffix(',') {
            Some(lead) => Ok(lead.len()..value.span.end),
            None if lead.ends_with(['{', '[']) => Ok(start..value.span.end),
            None => {
                Err(Miss::Never(format!("cannot cut {place} out; replace the content as a whole")))
            }
        }
    }

    /// A string's text, or any other value as it is written.
    pub(super) fn read(&mut self, place: &Place) -> Option<String> {
        match self.find(place).ok()? {
            Found::Value(value) if !value.is_headed => {
                Some(value.string.unwrap_or_else(|| self.text[value.span].to_owned()))
            }
            _ => None,
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        format!("{}{}", self.mark, self.text).into_bytes()
    }
}

/// A value, and where its key is if it has one.
type Entry<'t> = (Option<Range<usize>>, &'t Spanned<DeValue<'t>>);

/// A value that holds others.
enum At<'t> {
    Table { table: &'t DeTable<'t>, span: Option<Range<usize>>, key: Option<Range<usize>> },
    Array { items: &'t [Spanned<DeValue<'t>>] },
}

impl At<'_> {
    fn missing(&self, step: &Step) -> Miss {
        let place = Place { steps: vec![step.clone()] };
        Miss::Row(match self {
            Self::Table { table, .. } => {
                let known = table.iter().map(|(key, _)| key.get_ref().as_ref());
                format!("there is no {place}; {}", nearest(&place.to_string(), known))
            }
            Self::Array { items } => format!("there is no element {place} of {}", items.len()),
        })
    }
}

/// A text as a TOML value: what is one is meant so, but a string stays one unless the text is a string in quotes.
fn encode(text: &str, old: Option<&str>) -> String {
    let quotes = ['"', '\''];
    let trimmed = text.trim();
    let stays = old.is_some_and(|old| old.starts_with(quotes)) && !trimmed.starts_with(quotes);
    if !stays && is_value(trimmed) { trimmed.to_owned() } else { string(text) }
}

/// Whether a text is one value and nothing else.
fn is_value(text: &str) -> bool {
    let line = format!("x = {text}");
    DeTable::parse(&line).is_ok_and(|root| {
        let whole = 4..line.len();
        root.get_ref().len() == 1 && root.get_ref().iter().all(|(_, value)| value.span() == whole)
    })
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// A key, in quotes if it needs them.
fn bare(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { string(name) }
}
