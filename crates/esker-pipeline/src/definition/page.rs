//! Reading a TOML table key by key, remembering where everything stands and everything that is wrong.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::defect::{Defect, Severity};

/// The text being read and the defects found in it so far.
pub(super) struct Page<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// What was found, in the order of finding.
    pub(super) defects: Vec<Defect>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Marked<T> {
    /// The value.
    pub(super) value: T,
    /// Its bytes in the text.
    pub(super) span: Range<usize>,
}

/// One table of the definition.
pub(super) struct Table<'a, 't> {
    /// As it is written, for messages: `[stage.condition]`.
    pub(super) title: String,
    /// Where it is named.
    pub(super) span: Range<usize>,
    /// What it holds.
    pub(super) entries: &'a DeTable<'t>,
}

impl<'t> Page<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self { text, lines: std::iter::once(0).chain(ends).collect(), defects: Vec::new() }
    }

    /// The line and column of a byte, from 1.
    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines[line - 1];
        (line, self.text[start..offset].chars().count() + 1)
    }

    pub(super) fn error(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.defect(Severity::Error, span, (message.into(), hint.into()));
    }

    pub(super) fn warning(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.defect(Severity::Warning, span, (message.into(), hint.into()));
    }

    fn defect(&mut self, severity: Severity, span: &Range<usize>, text: (String, String)) {
        let (line, column) = self.place(span.start);
        let (message, hint) = text;
        self.defects.push(Defect { line, column, severity, message, hint });
    }

    /// Complains about every key that is not one of `known`.
    pub(super) fn check_keys(&mut self, table: &Table<'_, '_>, known: &[&str]) {
        for key in table.entries.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let message = format!("unknown key `{name}` in {}", table.title);
                self.error(&key.span(), message, nearest(name, known));
            }
        }
    }

    fn wrong(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        want: &str,
    ) {
        let kind = value.get_ref().type_str();
        let message = format!("`{key}` in {} must be {want}, not {}", table.title, article(kind));
        self.error(&value.span(), message, "");
    }

    pub(super) fn string(&mut self, table: &Table<'_, '_>, key: &str) -> Option<Marked<String>> {
        let value = table.entries.get(key)?;
        let DeValue::String(text) = value.get_ref() else {
            self.wrong(table, key, value, "a string");
            return None;
        };
        Some(Marked { value: text.to_string(), span: value.span() })
    }

    /// A list of strings; a lone string is a list of one if `lone` allows it.
    pub(super) fn strings(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        lone: bool,
    ) -> Option<Marked<Vec<Marked<String>>>> {
        let want = if lone { "a string or a list of strings" } else { "a list of strings" };
        let value = table.entries.get(key)?;
        let span = value.span();
        let mark = |text: &str, span| Marked { value: text.to_owned(), span };
        let items = match value.get_ref() {
            DeValue::String(text) if lone => {
                return Some(Marked { value: vec![mark(text, span.clone())], span });
            }
            DeValue::Array(items) => items,
            _ => {
                self.wrong(table, key, value, want);
                return None;
            }
        };
        let mut list = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => list.push(mark(text, item.span())),
                _ => self.wrong(table, key, item, want),
            }
        }
        Some(Marked { value: list, span })
    }

    pub(super) fn boolean(&mut self, table: &Table<'_, '_>, key: &str) -> Option<bool> {
        let value = table.entries.get(key)?;
        let DeValue::Boolean(truth) = value.get_ref() else {
            self.wrong(table, key, value, "true or false");
            return None;
        };
        Some(*truth)
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = table.entries.get(key)?;
        let number = whole(value).filter(|number| range.contains(number));
        if number.is_none() {
            let want = format!("a whole number from {} to {}", range.start(), range.end());
            let message = format!("`{key}` in {} must be {want}", table.title);
            self.error(&value.span(), message, "");
        }
        number
    }

    /// Whole numbers within `range`, or one alone.
    pub(super) fn numbers(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Vec<u32> {
        let Some(value) = table.entries.get(key) else {
            return Vec::new();
        };
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let numbers: Option<Vec<u32>> = items.into_iter().map(whole).collect();
        let numbers = numbers.filter(|all| all.iter().all(|number| range.contains(number)));
        numbers.unwrap_or_else(|| {
            let want = format!("whole numbers from {} to {}", range.start(), range.end());
            let message = format!("`{key}` in {} must be {want}", table.title);
            self.error(&value.span(), message, "");
            Vec::new()
        })
    }

    /// A string that `read` turns into something, or says why it cannot.
    pub(super) fn parsed<T>(
        &mut self,
        table: &Table<'_, '_>,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.string(table, key)?;
        match read(&text.value) {
            Ok(value) => Some(value),
            Err(why) => {
                let message = format!("`{key}` in {}: {why}", table.title);
                self.error(&text.span, message, "");
                None
            }
        }
    }

    /// The table `[key]`.
    pub(super) fn table<'a, 'd>(
        &mut self,
        entries: &'a DeTable<'d>,
        key: &str,
    ) -> Option<Table<'a, 'd>> {
        let (name, value) = entries.get_key_value(key)?;
        let DeValue::Table(inner) = value.get_ref() else {
            let message = format!("`{key}` must be a table");
            self.error(&name.span(), message, format!("write [{key}]"));
            return None;
        };
        Some(Table { title: format!("[{key}]"), span: name.span(), entries: inner })
    }

    /// The tables `[key.NAME]`, in the order of the text.
    pub(super) fn tables<'a, 'd>(
        &mut self,
        entries: &'a DeTable<'d>,
        key: &str,
    ) -> Vec<(String, Table<'a, 'd>)> {
        let Some(outer) = self.table(entries, key) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in outer.entries {
            let title = format!("[{key}.{}]", name.get_ref());
            let DeValue::Table(inner) = value.get_ref() else {
                let message = format!("`{}` in [{key}] must be a table", name.get_ref());
                let hint = format!("write [{key}.NAME] above what belongs to it");
                self.error(&name.span(), message, hint);
                continue;
            };
            let table = Table { title, span: name.span(), entries: inner };
            found.push((name.get_ref().to_string(), table));
        }
        found.sort_by_key(|(_, table)| table.span.start);
        found
    }
}

fn whole(value: &Spanned<DeValue<'_>>) -> Option<u32> {
    match value.get_ref() {
        DeValue::Integer(digits) => {
            u32::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()).ok()
        }
        _ => None,
    }
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// `did you mean` for a name that is not one of `known`.
pub(crate) fn nearest(name: &str, known: &[&str]) -> String {
    match near(name, known) {
        Some(best) => format!("did you mean `{best}`?"),
        None => format!("known: {}", known.join(", ")),
    }
}

/// The one of `known` that a name is most likely to mean.
pub(super) fn near<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    /// How many letters may differ.
    const DISTANCE_MAX: usize = 2;
    let near = known.iter().filter(|known| letters_apart(name, known) <= DISTANCE_MAX);
    let near = near.map(|known| (strsim::damerau_levenshtein(name, known), *known));
    let near = near.filter(|(distance, _)| *distance <= DISTANCE_MAX);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// How many letters differ at least, whatever their order: quickly found, as there may be many names. Bytes above 127 count
/// for none, as a letter may be several of them.
fn letters_apart(one: &str, other: &str) -> usize {
    let mut counts = [0_i32; 128];
    for byte in one.bytes().filter(u8::is_ascii) {
        counts[usize::from(byte)] += 1;
    }
    for byte in other.bytes().filter(u8::is_ascii) {
        counts[usize::from(byte)] -= 1;
    }
    let (mut more, mut fewer) = (0, 0);
    for count in counts {
        more += count.max(0).unsigned_abs() as usize;
        fewer += count.min(0).unsigned_abs() as usize;
    }
    // A letter that is changed is one more and one fewer; one of them may be outside of ASCII.
    more.max(fewer)
}
