//! Everything that is printed: data to standard output, words to standard error, colour only on a terminal.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use esker_wire::fault::Fault;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a person should do about an error; added to it on its way up.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Hinted {
    what: String,
    hint: String,
}

/// An error with a hint.
pub(crate) fn hinted(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Hinted { what: what.into(), hint: hint.into() }.into()
}

/// Prints an error as `error: what, where` and `hint: what to do`.
pub(crate) fn error(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if broken_pipe {
        // Whoever read our output has seen enough: `esker log | head`.
        return ExitCode::SUCCESS;
    }
    let red = AnsiColor::Red.on_default().bold();
    let mut stderr = anstream::stderr().lock();
    let mut say = |line: String| drop(writeln!(stderr, "{line}"));
    let (what, hint, candidates) = parts(error);
    say(format!("{red}error:{red:#} {what}"));
    for candidate in candidates {
        say(format!("       near: {candidate}"));
    }
    if !hint.is_empty() {
        say(format!("hint: {hint}"));
    }
    ExitCode::FAILURE
}

fn parts(error: &anyhow::Error) -> (String, String, Vec<String>) {
    let mut what: Vec<String> = Vec::new();
    let (mut hint, mut candidates) = (String::new(), Vec::new());
    for cause in error.chain() {
        if let Some(fault) = cause.downcast_ref::<Fault>() {
            what.push(fault.message.clone());
            hint.clone_from(&fault.hint);
            candidates.clone_from(&fault.candidates);
        } else if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            what.push(hinted.what.clone());
            hint.clone_from(&hinted.hint);
        } else {
            let text = cause.to_string();
            // Many tell what was beneath them themselves.
            if !what.last().is_some_and(|last| last.ends_with(&text)) {
                what.push(text);
            }
        }
    }
    (what.join(": "), hint, candidates)
}

/// Prints one line of data.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    writeln!(anstream::stdout(), "{}", text.as_ref())
}

/// Prints bytes exactly.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Prints JSON on one line.
pub(crate) fn json(value: &serde_json::Value) -> io::Result<()> {
    line(value.to_string())
}

/// Tells a person something beside the data.
pub(crate) fn note(text: impl AsRef<str>) {
    // Nobody may be listening.
    drop(writeln!(anstream::stderr(), "{}", text.as_ref()));
}

/// Prints what is asked of a person, who answers behind it.
pub(crate) fn prompt(text: &str) {
    let mut stderr = anstream::stderr().lock();
    drop(write!(stderr, "{text}").and_then(|()| stderr.flush()));
}

/// Asks a person; what is given for it if nothing is answered.
pub(crate) fn ask(question: &str, default: &str) -> io::Result<String> {
    const ANSWER_MAX: u64 = 4096;
    let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    let mut stderr = anstream::stderr();
    write!(stderr, "{question}{shown} ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().take(ANSWER_MAX).read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
}

/// Prints rows in aligned columns under dim headings.
pub(crate) fn table(headings: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for text in table.lines() {
        line(text.trim_end())?;
    }
    Ok(())
}

/// A style for what is less important.
pub(crate) const DIM: Style = Style::new().dimmed();

/// A time as the reader's clock shows it.
pub(crate) fn time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago something was, in its largest unit: `3 h`.
pub(crate) fn age(since: Timestamp) -> String {
    let seconds = Timestamp::now().duration_since(since).as_secs().max(0);
    let units = [(24 * 3600, "d"), (3600, "h"), (60, "min")];
    let unit = units.iter().find(|(unit, _)| seconds >= *unit);
    unit.map_or_else(|| format!("{seconds} s"), |(unit, name)| format!("{} {name}", seconds / unit))
}

/// So many things, whose name takes an `s` where there is not one.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A size for people.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
