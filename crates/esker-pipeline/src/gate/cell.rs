//! The types of cells and what is demanded of their values: the fields of a Frictionless Table Schema.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, tz::TimeZone};
use regex::Regex;
use serde_json::Value;

use super::finding::quoted;

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Any,
    String(Text),
    Integer(Digits),
    Number(Digits),
    Boolean { yes: Vec<String>, no: Vec<String> },
    Date(Pattern),
    Time(Pattern),
    DateTime(Pattern),
    Year,
    YearMonth,
    Object,
    Array,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Any,
    Email,
    Uri,
    Uuid,
}

/// How digits are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    /// Whether there is nothing around them, such as a currency.
    pub(super) is_bare: bool,
    pub(super) decimal: char,
    pub(super) group: Option<char>,
}

/// How a date or time is written: as ISO 8601 has it, or as strptime understands.
pub(super) type Pattern = Option<String>;

/// A cell's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Typed {
    Text(String),
    Integer(i128),
    Number(f64),
    Boolean(bool),
    Date(Date),
    Time(Time),
    Moment(Timestamp),
    YearMonth(i16, i8),
    Json(Value),
}

impl Typed {
    fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b)?,
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Moment(a), Self::Moment(b)) => a.cmp(b),
            (Self::YearMonth(a, b), Self::YearMonth(c, d)) => (a, b).cmp(&(c, d)),
            _ => return None,
        })
    }
}

impl Kind {
    /// What it is called in a schema.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::String(_) => "string",
            Self::Integer(_) => "integer",
            Self::Number(_) => "number",
            Self::Boolean { .. } => "boolean",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "datetime",
            Self::Year => "year",
            Self::YearMonth => "yearmonth",
            Self::Object => "object",
            Self::Array => "array",
        }
    }

    /// What it is, for a message: "a number".
    fn article(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::String(Text::Any) => "a string",
            Self::String(Text::Email) => "an e-mail address",
            Self::String(Text::Uri) => "a URI",
            Self::String(Text::Uuid) => "a UUID",
            Self::Integer(_) => "an integer",
            Self::Number(_) => "a number",
            Self::Boolean { .. } => "a boolean",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::DateTime(_) => "a datetime",
            Self::Year => "a year",
            Self::YearMonth => "a yearmonth",
            Self::Object => "a JSON object",
            Self::Array => "a JSON array",
        }
    }

    /// Whether its values have an order, so that `minimum` means something.
    pub(super) fn is_ordered(&self) -> bool {
        !matches!(
            self,
            Self::Any | Self::String(_) | Self::Boolean { .. } | Self::Object | Self::Array
        )
    }

    /// Whether its values have a length.
    pub(super) fn has_length(&self) -> bool {
        matches!(self, Self::Any | Self::String(_) | Self::Object | Self::Array)
    }

    /// A cell as a value; none if it is not of this kind.
    pub(super) fn read(&self, cell: &str) -> Option<Typed> {
        match self {
            Self::Any => Some(Typed::Text(cell.to_owned())),
            Self::String(text) => is_text(*text, cell).then(|| Typed::Text(cell.to_owned())),
            Self::Integer(digits) => digits.integer(cell).map(Typed::Integer),
            Self::Number(digits) => digits.number(cell).map(Typed::Number),
            Self::Boolean { yes, no } => {
                let has = |words: &[String]| words.iter().any(|word| word == cell);
                (has(yes) || has(no)).then(|| Typed::Boolean(has(yes)))
            }
            Self::Date(None) => is_long(cell, 10).then(|| cell.parse().ok())?.map(Typed::Date),
            Self::Date(Some(pattern)) => Date::strptime(pattern, cell).ok().map(Typed::Date),
            Self::Time(None) => cell.parse().ok().map(Typed::Time),
            Self::Time(Some(pattern)) => Time::strptime(pattern, cell).ok().map(Typed::Time),
            Self::DateTime(None) => moment(cell).map(Typed::Moment),
            Self::DateTime(Some(pattern)) => {
                utc(DateTime::strptime(pattern, cell).ok()?).map(Typed::Moment)
            }
            Self::Year => {
                let digits = cell.strip_prefix('-').unwrap_or(cell);
                is_digits(digits).then(|| cell.parse().ok())?.map(Typed::Integer)
            }
            Self::YearMonth => {
                let (year, month) = cell.rsplit_once('-').filter(|(_, month)| month.len() == 2)?;
                let month: i8 = month.parse().ok().filter(|month| (1..=12).contains(month))?;
                Some(Typed::YearMonth(year.parse().ok()?, month))
            }
            Self::Object => json(cell).filter(Value::is_object).map(Typed::Json),
            Self::Array => json(cell).filter(Value::is_array).map(Typed::Json),
        }
    }
}

fn json(cell: &str) -> Option<Value> {
    serde_json::from_str(cell).ok()
}

fn is_long(text: &str, length: usize) -> bool {
    text.len() == length
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_text(text: Text, cell: &str) -> bool {
    match text {
        Text::Any => true,
        Text::Email => cell.split_once('@').is_some_and(|(name, host)| {
            let is_clean = !cell.contains(char::is_whitespace) && !host.contains('@');
            !name.is_empty() && host.contains('.') && is_clean
        }),
        Text::Uri => cell.split_once(':').is_some_and(|(scheme, rest)| {
            let mut letters = scheme.chars();
            let is_scheme = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
                && letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            is_scheme && !rest.is_empty() && !rest.contains(char::is_whitespace)
        }),
        Text::Uuid => {
            let lengths: Vec<usize> = cell.split('-').map(str::len).collect();
            let is_hex = cell.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
            lengths == [8, 4, 4, 4, 12] && is_hex
        }
    }
}

/// A datetime without a zone is taken for UTC.
fn moment(cell: &str) -> Option<Timestamp> {
    let is_whole = cell.contains(['T', ' ']);
    let read = || cell.parse().ok().or_else(|| utc(cell.parse::<DateTime>().ok()?));
    is_whole.then(read)?
}

fn utc(civil: DateTime) -> Option<Timestamp> {
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

impl Digits {
    fn clean(&self, cell: &str) -> String {
        let is_part = |c: char| c.is_ascii_digit() || c == self.decimal || "+-".contains(c);
        let bare = if self.is_bare { cell } else { cell.trim_matches(|c| !is_part(c)) };
        let kept = bare.chars().filter(|c| Some(*c) != self.group);
        kept.map(|c| if c == self.decimal { '.' } else { c }).collect()
    }

    fn integer(&self, cell: &str) -> Option<i128> {
        let text = self.clean(cell);
        is_digits(text.strip_prefix(['-', '+']).unwrap_or(&text)).then(|| text.parse().ok())?
    }

    /// NaN and infinity, which Rust's own parser takes, are none.
    fn number(&self, cell: &str) -> Option<f64> {
        let text = self.clean(cell);
        let is_plain = text.contains(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        is_plain.then(|| text.parse().ok())?.filter(|number: &f64| number.is_finite())
    }
}

/// What is demanded of the values of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Constraints {
    pub(super) required: bool,
    pub(super) unique: bool,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    /// The pattern as it is written, and what finds it in a whole value.
    pub(super) pattern: Option<(String, Regex)>,
    /// The words of the schema, and their values.
    pub(super) one_of: Option<(Vec<String>, Vec<Typed>)>,
    pub(super) bounds: Vec<Bound>,
}

/// One end of what is allowed.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// The constraint's name.
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) value: Typed,
}

impl Bound {
    fn holds(&self, value: &Typed) -> bool {
        match (self.name, value.compare(&self.value)) {
            (_, None) => false,
            ("minimum", Some(order)) => order.is_ge(),
            ("maximum", Some(order)) => order.is_le(),
            ("exclusiveMinimum", Some(order)) => order.is_gt(),
            (_, Some(order)) => order.is_lt(),
        }
    }
}

/// What is wrong with a value that is there, if something is.
pub(super) fn fault(kind: &Kind, constraints: &Constraints, cell: &str) -> Option<String> {
    let Some(value) = kind.read(cell) else {
        return Some(format!("{} is not {} (type)", quoted(cell), kind.article()));
    };
    let refused = |what: String, rule: &str| Some(format!("{} {what} ({rule})", quoted(cell)));
    for bound in &constraints.bounds {
        if !bound.holds(&value) {
            let word = match bound.name {
                "minimum" => "is less than",
                "maximum" => "is more than",
                "exclusiveMinimum" => "is not more than",
                _ => "is not less than",
            };
            return refused(format!("{word} {}", bound.text), bound.name);
        }
    }
    if kind.has_length() && (constraints.min_length.is_some() || constraints.max_length.is_some()) {
        let length = length(&value);
        if let Some(min) = constraints.min_length.filter(|min| length < *min) {
            return refused(format!("is shorter than {min}"), "minLength");
        }
        if let Some(max) = constraints.max_length.filter(|max| length > *max) {
            return refused(format!("is longer than {max}"), "maxLength");
        }
    }
    if let Some((text, pattern)) = &constraints.pattern
        && !pattern.is_match(cell)
    {
        return refused(format!("does not match {}", quoted(text)), "pattern");
    }
    if let Some((words, values)) = &constraints.one_of
        && !values.contains(&value)
    {
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let shown = words.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        let more = if words.len() > 10 { ", …" } else { "" };
        return refused(format!("is none of {shown}{more}"), "enum");
    }
    None
}

fn length(value: &Typed) -> u64 {
    match value {
        Typed::Text(text) => text.chars().count() as u64,
        Typed::Json(Value::Array(items)) => items.len() as u64,
        Typed::Json(Value::Object(entries)) => entries.len() as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
