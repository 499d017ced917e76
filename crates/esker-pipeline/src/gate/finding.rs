//! What is wrong with a content, and where: for people who are about to mend it.

use std::fmt;

/// How many findings are kept; the others are counted.
pub(crate) const SHOWN_MAX: usize = 100;
/// The longest value that is shown, in characters.
const VALUE_MAX: usize = 80;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Finding {
    /// The stream of a stacked stream, which of a workbook is a sheet.
    pub(crate) stream: Option<String>,
    /// The line of the whole content, from 1.
    pub(crate) line: Option<usize>,
    /// The row of the table as a spreadsheet counts it: the heading is row 1.
    pub(crate) row: Option<usize>,
    /// The column of a table by its name, or where in a document.
    pub(crate) place: Option<String>,
    /// What is wrong, with the value and the rule.
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    pub(crate) fn on_line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    pub(crate) fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.stream.as_ref().map(|stream| format!("stream {}", plain(stream))),
            self.line.map(|line| format!("line {line}")),
            self.row.map(|row| format!("row {row}")),
            self.place.as_ref().map(|place| plain(place)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            write!(f, "{}: ", parts.join(", "))?;
        }
        f.write_str(&self.what)
    }
}

/// Everything that is wrong with one content: the first findings, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Findings {
    pub(crate) shown: Vec<Finding>,
    pub(crate) count: u64,
}

impl Findings {
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.shown.len() >= SHOWN_MAX
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        self.count += 1;
        if !self.is_full() {
            self.shown.push(finding);
        }
    }

    /// Counts one more; it is made only if it is shown.
    pub(crate) fn add(&mut self, make: impl FnOnce() -> Finding) {
        if self.is_full() {
            self.count += 1;
        } else {
            self.push(make());
        }
    }

    pub(crate) fn one(finding: Finding) -> Self {
        Self { shown: vec![finding], count: 1 }
    }

    pub(crate) fn extend(&mut self, more: Self) {
        let room = SHOWN_MAX.saturating_sub(self.shown.len());
        self.shown.extend(more.shown.into_iter().take(room));
        self.count += more.count;
    }

    /// The first finding and how many more there are, in one line.
    pub(crate) fn summary(&self) -> String {
        let first = self.shown.first().map_or_else(String::new, Finding::to_string);
        match self.count {
            0 | 1 => first,
            count => format!("{first}, and {} more", count - 1),
        }
    }

    /// A line for each of the first findings.
    pub(crate) fn lines(&self) -> String {
        let mut text: String = self.shown.iter().map(|finding| format!("{finding}\n")).collect();
        let left = self.count - self.shown.len() as u64;
        if left > 0 {
            text += &format!("and {left} more\n");
        }
        text
    }
}

/// A value in quotes, cut short if it is long.
pub(crate) fn quoted(value: &str) -> String {
    match value.char_indices().nth(VALUE_MAX) {
        Some((end, _)) => format!("{:?}… ({} bytes)", &value[..end], value.len()),
        None => format!("{value:?}"),
    }
}

/// A name as part of a line: what would break it is escaped.
pub(crate) fn plain(name: &str) -> String {
    let escaped: String = name
        .chars()
        .take(VALUE_MAX)
        .flat_map(|c| {
            let escape = c.is_control();
            let shown = if escape { c.escape_default().to_string() } else { c.to_string() };
            shown.chars().collect::<Vec<_>>()
        })
        .collect();
    if name.chars().nth(VALUE_MAX).is_some() { escaped + "…" } else { escaped }
}

#[cfg(test)]
mod tests;
