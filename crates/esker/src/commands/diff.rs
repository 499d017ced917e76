//! `esker diff`: what changed in a resource between two versions, for people or as JSON.

pub(super) mod changes;

use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use esker_wire::snapshot::{self, Difference, Form};
use serde_json::{Value, json};

use crate::cli::Diff;
use crate::commands::whatif;
use crate::project::Place;
use crate::reach::{Hub, resource, version};
use crate::say::{self, hinted};
use changes::Page;

/// What was taken away, what has come, what is about the rest.
const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();

/// Lines for people.
type Lines = Vec<(Style, String)>;

/// Prints what changed between two versions.
pub(crate) fn diff(place: &Place, diff: &Diff) -> Result<()> {
    let hub = Hub::find(place)?;
    let request = snapshot::Diff {
        resource: resource(&diff.resource)?,
        from: diff.from.as_deref().map(version).transpose()?,
        to: version(&diff.to)?,
        branch: whatif::branch(&hub, &diff.within)?,
        form: form(diff)?,
        key: diff.key.clone(),
    };
    let difference = hub.call(&request)?;
    if diff.json {
        return Ok(say::json(&as_json(&diff.resource, &difference)?)?);
    }
    if difference.body.is_empty() {
        say::note("no difference");
        return Ok(());
    }
    print(&difference, None)
}

fn form(diff: &Diff) -> Result<Form> {
    let form = match &diff.form {
        Some(form) => form.parse()?,
        None if !diff.key.is_empty() => Form::Table,
        None if io::stdout().is_terminal() && !diff.json => Form::Auto,
        None => Form::Text,
    };
    if !diff.key.is_empty() && !matches!(form, Form::Table | Form::Auto) {
        let what = format!("--key names columns of tables, and the form is {form}");
        return Err(hinted(what, "leave --key out, or say --as table"));
    }
    Ok(form)
}

/// A difference as `--json` prints it.
pub(super) fn as_json(resource: &str, difference: &Difference) -> Result<Value> {
    let mut value = json!({ "resource": resource, "as": difference.form.to_string() });
    match difference.form {
        Form::Text => value["diff"] = String::from_utf8_lossy(&difference.body).into(),
        _ => value["changes"] = changes(difference)?.into(),
    }
    Ok(value)
}

/// A difference in one sentence.
pub(super) fn summary(difference: &Difference) -> Result<String> {
    if let (_, Some(summary)) = told(difference)? {
        return Ok(summary);
    }
    let text = String::from_utf8_lossy(&difference.body);
    let count = |sign: char, header: &str| {
        let lines = text.lines().filter(|line| line.starts_with(sign));
        lines.filter(|line| !line.starts_with(header)).count()
    };
    let (added, removed) = (count('+', "+++ "), count('-', "--- "));
    let lines =
        |count: usize| if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    Ok(match (added, removed) {
        (0, 0) => text.lines().next().unwrap_or_default().to_owned(),
        (added, 0) => format!("{} added", lines(added)),
        (0, removed) => format!("{} removed", lines(removed)),
        (added, removed) => format!("{} added, {removed} removed", lines(added)),
    })
}

pub(super) fn changes(difference: &Difference) -> Result<Vec<Value>> {
    let lines = difference.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(serde_json::from_slice).collect::<Result<_, _>>()?)
}

/// Prints a difference for people, or its first lines; a summary of tables and JSON goes beside the data.
pub(super) fn print(difference: &Difference, lines_max: Option<usize>) -> Result<()> {
    let (lines, summary) = told(difference)?;
    let shown = lines_max.unwrap_or(usize::MAX);
    for (style, line) in lines.iter().take(shown) {
        say::line(format!("{style}{line}{style:#}"))?;
    }
    if lines.len() > shown {
        say::note(format!("… and {} lines more", lines.len() - shown));
    }
    if let Some(summary) = summary {
        say::note(summary);
    }
    Ok(())
}

/// A difference as lines, and in one sentence if it is of tables or JSON.
pub(super) fn told(difference: &Difference) -> Result<(Lines, Option<String>)> {
    if difference.form == Form::Text {
        return Ok((unified(&String::from_utf8_lossy(&difference.body)), None));
    }
    let mut page = Page::default();
    changes(difference)?.iter().for_each(|change| page.add(change));
    let (lines, summary) = page.finish();
    Ok((lines, Some(summary)))
}

fn unified(text: &str) -> Lines {
    let styled = text.lines().map(|line| {
        let style = match line.as_bytes().first() {
            Some(b'-') => RED,
            Some(b'+') => GREEN,
            Some(b'@') => CYAN,
            _ => Style::new(),
        };
        (style, line.to_owned())
    });
    styled.collect()
}
