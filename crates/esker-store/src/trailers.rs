//! A commit's message: what people read, then what esker must find again.
//!
//! The last paragraph is esker's if every line of it begins with `Esker-` and esker is the committer. A
//! message of a user's that ends in such a paragraph gets one more after it, so that theirs is never the last.

use esker_wire::message::Section;
use esker_wire::name::Resource;
use esker_wire::provenance::Provenance;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Item, Put};

/// What every trailer of ours begins with.
const PREFIX: &str = "Esker-";
/// The trailer that only keeps the user's own last paragraph from being the last.
const NOTHING: &str = "Esker-Message: as given";
/// How many resources a summary line names.
const NAMED_MAX: usize = 3;

/// What the trailers of a commit say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Trailers {
    pub(crate) provenance: Option<Provenance>,
    /// The head of the branch `project` when it was made.
    pub(crate) project: Option<Revision>,
    content_types: Vec<(String, String)>,
}

impl Trailers {
    /// What the PUT said the resource's content is.
    pub(crate) fn content_type(&self, resource: &Resource) -> Option<String> {
        let mut types = self.content_types.iter();
        types
            .find(|(name, _)| name == resource.as_str())
            .map(|(_, content_type)| content_type.clone())
    }
}

/// The message of a PUT's commit; `changed` are the items it changes, `project` what it was made under.
pub(crate) fn write(put: &Put, changed: &[&Item], project: Option<Revision>) -> String {
    let text = put.message.as_deref().map(plain).unwrap_or_default();
    let text = if text.is_empty() { summary(put, changed) } else { text };
    let mut lines = Vec::new();
    for item in changed {
        if let Some(content_type) = &item.content_type {
            lines.push(line("content-type", &format!("{}: {content_type}", item.resource)));
        }
    }
    if let Some(provenance) = &put.provenance {
        let mut section = Section::default();
        provenance.write(&mut section);
        lines.extend(section.fields.iter().map(|(key, value)| line(key, &one_line(value))));
    }
    lines.extend(project.map(of_project));
    if lines.is_empty() && last_paragraph(&text).any(|line| line.starts_with(PREFIX)) {
        lines.push(NOTHING.to_owned());
    }
    if lines.is_empty() { text } else { format!("{text}\n\n{}", lines.join("\n")) }
}

/// The message of a commit that gives a resource another name. A name holds no `: `, so that the trailer can be read.
pub(crate) fn moved(
    message: Option<&str>,
    (from, to): (&Resource, &Resource),
    project: Option<Revision>,
) -> String {
    let text = message.map(plain).unwrap_or_default();
    let text = if text.is_empty() { format!("move {from} to {to}") } else { text };
    let mut text = format!("{text}\n\n{}", line("moved", &format!("{from}: {to}")));
    if let Some(project) = project {
        text.extend(["\n", &of_project(project)]);
    }
    text
}

/// The message of what someone committed with git as `head` and esker puts again.
pub(crate) fn again(message: &str, head: Revision, project: Option<Revision>) -> String {
    let mut text = format!(
        "{message}\n\nCommitted with git as {head} while esker was putting; put again on top."
    );
    if let Some(project) = project {
        text.extend(["\n\n", &of_project(project)]);
    }
    text
}

fn of_project(project: Revision) -> String {
    line("project", &project.to_string())
}

/// Reads the trailers of a message of esker's own. What cannot be read strictly is not there.
pub(crate) fn read(message: &str) -> Trailers {
    let mut section = Section::default();
    let (mut content_types, mut project) = (Vec::new(), None);
    if !message.contains("\n\n") {
        return Trailers::default();
    }
    for text in last_paragraph(message) {
        let Some((key, value)) = split(text) else {
            return Trailers::default();
        };
        if key == "content-type" {
            let named = value.split_once(": ");
            content_types.extend(named.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
        } else if key == "project" {
            project = value.parse().ok();
        } else {
            section.push(key, value);
        }
    }
    let provenance = Provenance::read(&section).unwrap_or_default();
    Trailers { provenance, project, content_types }
}

/// `run-key` and a value as `Esker-Run-Key: value`.
fn line(key: &str, value: &str) -> String {
    let mut name = String::from(PREFIX);
    let mut upper = true;
    for letter in key.chars() {
        name.push(if upper { letter.to_ascii_uppercase() } else { letter });
        upper = letter == '-';
    }
    let blank = if value.is_empty() { "" } else { " " };
    format!("{name}:{blank}{value}")
}

fn split(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.strip_prefix(PREFIX)?.split_once(':')?;
    let value = value.strip_prefix(' ').unwrap_or(value);
    Some((key.to_ascii_lowercase(), value))
}

fn last_paragraph(text: &str) -> impl Iterator<Item = &str> {
    let start = text.rfind("\n\n").map_or(0, |end| end + 2);
    text[start..].lines()
}

/// The line esker writes where the user has no words.
fn summary(put: &Put, changed: &[&Item]) -> String {
    let names: Vec<&str> =
        changed.iter().take(NAMED_MAX).map(|item| item.resource.as_str()).collect();
    let mut list = names.join(", ");
    if changed.len() > NAMED_MAX {
        list.push_str(&format!(" and {} more", changed.len() - NAMED_MAX));
    }
    if let Some(provenance) = &put.provenance {
        return format!("{}: {list}", one_line(&provenance.stage));
    }
    let removes = changed.iter().all(|item| item.content.is_none());
    format!("{} {list}", if removes { "remove" } else { "put" })
}

/// A user's text as a message: line feeds only, no blank lines around, blank lines in it truly empty.
pub(crate) fn plain(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
