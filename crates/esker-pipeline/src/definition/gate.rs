//! The gate of a source or stage: what its outputs must be like to be published.
//!
//! `check` names files and programs, the guards bound how much may change at once. What the files say is read when
//! they are used, and by `esker check`.

use std::ops::Range;

use esker_wire::name::Resource;
use toml::Spanned;
use toml::de::DeValue;

use super::page::{Marked, Page, Table};
use super::read::{Places, resource};
use super::{Program, value};

/// How much a check may print, in bytes.
const OUTPUT_MAX: u64 = 1024 * 1024;
/// The most rows a guard may ask for.
const ROWS_MAX: u32 = 1_000_000_000;
/// The largest change a guard may allow, in percent.
const PERCENT_MAX: u32 = 1_000_000;

/// The keys of a source or stage that are read here.
pub(super) const KEYS: [&str; 4] = ["check", "rows_min", "rows_drop_max", "row_delta_max"];
/// The keys of a check that is written as a table.
pub(super) const CHECK_KEYS: [&str; 6] = ["file", "run", "output", "stream", "severity", "timeout"];

/// How a check is written.
const FORMS: &str = "write a file (check = \"plan.schema.json\"), a program in a list \
    (check = [[\"python3\", \"check.py\"]]), or a table [[….check]] with `file` or `run`";

/// What the outputs of a source or stage must be like to be published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gate {
    /// Everything that judges them, in the order of the file.
    pub checks: Vec<Check>,
    /// How much may change at once.
    pub guards: Guards,
}

/// How few rows an output may have, and how many more or fewer than the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guards {
    /// At least so many rows.
    pub rows_min: Option<u64>,
    /// At most so many rows fewer.
    pub rows_drop_max: Option<Percent>,
    /// At most so many rows more or fewer.
    pub row_delta_max: Option<Percent>,
}

/// A share of the rows there were, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u32);

/// One judge of outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What judges.
    pub judge: Judge,
    /// The output it judges; all of them if none is named.
    pub output: Option<Resource>,
    /// The stream of the output it judges; all of the output if none is named.
    pub stream: Option<String>,
    /// Whether what it refuses is published.
    pub severity: Severity,
}

/// What judges outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judge {
    /// A file with a schema, relative to the project's folder.
    File(String),
    /// A program that reads the output; exit code 0 lets it pass.
    Run(Box<Program>),
}

/// What becomes of an output that a check refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It is not published.
    Error,
    /// It is published, and the record of the run says what is wrong.
    Warn,
}

impl Gate {
    /// Whether there is nothing to judge.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

impl Guards {
    /// Whether they compare with the version before.
    pub(crate) fn compare(&self) -> bool {
        self.rows_drop_max.is_some() || self.row_delta_max.is_some()
    }
}

impl Check {
    /// What people know it by: the file's path, or the program's words.
    pub(crate) fn title(&self) -> String {
        match &self.judge {
            Judge::File(path) => path.clone(),
            Judge::Run(program) => program.argv.join(" "),
        }
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, part) => {
                let digits = format!("{part:02}");
                write!(f, "{whole}.{}%", digits.trim_end_matches('0'))
            }
        }
    }
}

/// What a gate belongs to.
pub(super) struct Owner<'a> {
    pub(super) name: &'a str,
    pub(super) outputs: &'a [Resource],
    /// The environment variables its program is given.
    pub(super) env: &'a [String],
}

/// Reads the keys of the gate.
pub(super) fn gate(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    owner: &Owner<'_>,
    places: &mut Places,
) -> Gate {
    let rows_min = page.number(table, "rows_min", 1..=ROWS_MAX).map(u64::from);
    let rows_drop_max = page.parsed(table, "rows_drop_max", |text| percent(text, 100));
    let row_delta_max = page.parsed(table, "row_delta_max", |text| percent(text, PERCENT_MAX));
    let guards = Guards { rows_min, rows_drop_max, row_delta_max };
    let Some(value) = table.entries.get("check") else {
        return Gate { checks: Vec::new(), guards };
    };
    let items: Vec<&Spanned<DeValue<'_>>> = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    };
    if items.is_empty() {
        let message = format!("`check` in {} names nothing", table.title);
        page.error(&value.span(), message, FORMS);
    }
    let mut checks = Vec::new();
    for item in items {
        if let Some(check) = check(page, table, item, owner) {
            let place = page.place(item.span().start);
            places.checks.entry(owner.name.to_owned()).or_default().push(place);
            checks.push(check);
        }
    }
    Gate { checks, guards }
}

fn check(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    item: &Spanned<DeValue<'_>>,
    owner: &Owner<'_>,
) -> Option<Check> {
    let whole = |judge| Check { judge, output: None, stream: None, severity: Severity::Error };
    match item.get_ref() {
        DeValue::String(path) => {
            let path = Marked { value: path.to_string(), span: item.span() };
            file(page, table, path).map(whole)
        }
        DeValue::Array(words) => {
            let argv = words.iter().map(|word| match word.get_ref() {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            });
            let argv: Option<Vec<String>> = argv.collect();
            program(page, table, (argv.unwrap_or_default(), item.span()), owner).map(whole)
        }
        DeValue::Table(entries) => {
            let title = format!("a check of {}", table.title);
            check_table(page, &Table { title, span: item.span(), entries }, owner)
        }
        _ => {
            page.error(&item.span(), format!("`check` in {} names no check", table.title), FORMS);
            None
        }
    }
}

fn check_table(page: &mut Page<'_>, table: &Table<'_, '_>, owner: &Owner<'_>) -> Option<Check> {
    page.check_keys(table, &CHECK_KEYS);
    let output = page.string(table, "output").and_then(|text| resource(page, text));
    let is_made = |output: &Resource| {
        owner.outputs.iter().any(|made| made == output || made.is_above(output))
    };
    if let Some(output) = output.as_ref().filter(|output| !is_made(&output.value)) {
        let known: Vec<&str> = owner.outputs.iter().map(Resource::as_str).collect();
        let message = format!("{} is no output of {}", output.value, owner.name);
        page.error(&output.span, message, format!("it makes {}", known.join(", ")));
    }
    let stream = page.string(table, "stream").map(|stream| stream.value);
    let severity = page.parsed(table, "severity", |text| match text {
        "error" => Ok(Severity::Error),
        "warn" => Ok(Severity::Warn),
        _ => Err(format!("{text:?} is no severity; write \"error\" or \"warn\"")),
    });
    let timeout = page.parsed(table, "timeout", value::positive);
    let has = |key: &str| table.entries.contains_key(key);
    if has("file") == has("run") {
        let word = if has("file") { "both `file` and `run`" } else { "neither `file` nor `run`" };
        page.error(&table.span, format!("{} has {word}", table.title), FORMS);
        return None;
    }
    let judge = if has("file") {
        if let Some((key, _)) = table.entries.get_key_value("timeout") {
            let message = format!("`timeout` in {} needs a `run`", table.title);
            page.error(&key.span(), message, "remove it");
        }
        let path = page.string(table, "file")?;
        file(page, table, path)?
    } else {
        let words = page.strings(table, "run", false)?;
        let argv = words.value.into_iter().map(|word| word.value).collect();
        match program(page, table, (argv, words.span), owner)? {
            Judge::Run(program) => {
                let timeout = timeout.unwrap_or(program.timeout);
                Judge::Run(Box::new(Program { timeout, ..*program }))
            }
            file => file,
        }
    };
    let output = output.map(|output| output.value);
    Some(Check { judge, output, stream, severity: severity.unwrap_or(Severity::Error) })
}

fn file(page: &mut Page<'_>, table: &Table<'_, '_>, path: Marked<String>) -> Option<Judge> {
    if path.value.is_empty() || path.value.contains('\0') {
        let message = format!("`check` in {} names no file", table.title);
        page.error(&path.span, message, FORMS);
        return None;
    }
    Some(Judge::File(path.value))
}

fn program(
    page: &mut Page<'_>,
    table: &Table<'_, '_>,
    (argv, span): (Vec<String>, Range<usize>),
    owner: &Owner<'_>,
) -> Option<Judge> {
    let is_named = argv.first().is_some_and(|word| !word.is_empty());
    if !is_named || argv.iter().any(|word| word.contains('\0')) {
        let message = format!("`check` in {} names no program", table.title);
        page.error(&span, message, FORMS);
        return None;
    }
    let env = owner.env.to_vec();
    Some(Judge::Run(Box::new(Program { output_max: OUTPUT_MAX, env, ..Program::new(argv) })))
}

/// Reads `50%` or `12.5%`.
fn percent(text: &str, max: u32) -> Result<Percent, String> {
    let bad = || format!("{text:?} is no share; write for example \"50%\" or \"12.5%\"");
    let number = text.strip_suffix('%').ok_or_else(bad)?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return Err(bad());
    }
    let whole: u32 = whole.parse().map_err(|_| bad())?;
    let part: u32 = format!("{part:0<2}").parse().map_err(|_| bad())?;
    match whole.checked_mul(100).and_then(|whole| whole.checked_add(part)) {
        Some(share) if share <= max * 100 => Ok(Percent(share)),
        _ => Err(format!("{text:?} is more than {max}%")),
    }
}

#[cfg(test)]
mod tests;
