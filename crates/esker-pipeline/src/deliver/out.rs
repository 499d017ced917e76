//! Where events go: to a file, or to a server; and in which form.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::definition::Definition;
use crate::definition::deliver::{LineageFile, Server, Webhook};
use crate::pull::http::post::{Answer, Post};
use crate::run::failure::Broken;

use super::facts::Facts;
use super::tale::{Happening, is_destination};
use super::{cloudevent, openlineage};

/// How many older files of lineage there are: `lineage.ndjson.1` is the newest of them.
const FILES_MAX: u32 = 4;
/// How much of a file's end is looked at for a line that was not finished.
const TAIL: u64 = 1 << 20;

/// Somebody who is told, as the definition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// What it is called: no source or stage can be called so.
    pub(crate) name: String,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Lines(LineageFile),
    Lineage(Server),
    Webhook(Webhook),
}

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Outcome {
    Taken,
    /// It will never be taken, though others may be.
    Refused(Broken),
    /// It may be taken later.
    Failed(Broken),
}

impl Destination {
    /// Everybody whom a definition names.
    pub(crate) fn all(definition: &Definition) -> Vec<Self> {
        let lineage = definition.lineage.as_ref();
        let file = lineage.and_then(|lineage| lineage.file.clone()).map(Form::Lines);
        let server = lineage.and_then(|lineage| lineage.server.clone()).map(Form::Lineage);
        let of_lineage = |name: &str, form| Self { name: format!("lineage.{name}"), form };
        let file = file.map(|form| of_lineage("file", form));
        let server = server.map(|form| of_lineage("url", form));
        let webhooks = definition.webhooks.iter().map(Self::of_webhook);
        file.into_iter().chain(server).chain(webhooks).collect()
    }

    pub(crate) fn of_webhook(webhook: &Webhook) -> Self {
        Self { name: webhook_name(&webhook.name), form: Form::Webhook(webhook.clone()) }
    }

    /// How often an event is sent again before it is a problem.
    pub(crate) fn retry(&self) -> u32 {
        match &self.form {
            Form::Lines(_) => 0,
            Form::Lineage(server) => server.retry,
            Form::Webhook(webhook) => webhook.server.retry,
        }
    }

    /// The events of what has happened that it wants to be told, the first of them with this place in the sequence.
    pub(crate) fn events(
        &self,
        happening: &Happening,
        facts: &Facts<'_>,
        sequence: u64,
    ) -> Vec<Value> {
        match &self.form {
            Form::Lines(_) | Form::Lineage(_) => openlineage::events(happening, facts),
            Form::Webhook(webhook) => {
                let draft = cloudevent::draft(happening, facts.project());
                let wanted = draft.is_for(webhook).then(|| draft.numbered(sequence));
                wanted.into_iter().collect()
            }
        }
    }

    /// Tells one event, and waits for what becomes of it, no longer than this.
    pub(crate) fn tell(&self, dir: &Path, event: &Value, most: Duration) -> Outcome {
        let (server, key, content_type) = match &self.form {
            Form::Lines(file) => return append(dir, file, event),
            Form::Lineage(server) => (server, None, "application/json"),
            Form::Webhook(webhook) => {
                (&webhook.server, webhook.secret.as_ref(), cloudevent::CONTENT_TYPE)
            }
        };
        let server = Server { timeout: server.timeout.min(most), ..server.clone() };
        let post = match Post::open(dir, &server, key) {
            Ok(post) => post,
            Err(broken) => return Outcome::Failed(broken),
        };
        match post.send(content_type, &event.to_string()) {
            Ok(answer) if answer.is_taken() => Outcome::Taken,
            Ok(answer) if answer.is_refused() => Outcome::Refused(post.refused(&answer)),
            Ok(answer) => Outcome::Failed(post.refused(&answer)),
            Err(broken) => Outcome::Failed(broken),
        }
    }

    /// Has what was told outlive the machine.
    pub(crate) fn settle(&self, dir: &Path) -> io::Result<()> {
        match &self.form {
            Form::Lines(file) => match File::open(dir.join(&file.path)) {
                Ok(file) => file.sync_data(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            },
            Form::Lineage(_) | Form::Webhook(_) => Ok(()),
        }
    }
}

/// What a webhook is called among all that are told.
pub(crate) fn webhook_name(name: &str) -> String {
    let name = format!("webhook.{name}");
    debug_assert!(is_destination(&name), "a name with a full stop");
    name
}

/// Sends one event now that only tells that events arrive, whatever the webhook wants.
pub(crate) fn test(
    dir: &Path,
    project: &str,
    webhook: &Webhook,
) -> Result<(String, Answer), Broken> {
    let event = cloudevent::test(project, &webhook.name, Timestamp::now()).numbered(0);
    let post = Post::open(dir, &webhook.server, webhook.secret.as_ref())?;
    let answer = post.send(cloudevent::CONTENT_TYPE, &event.to_string())?;
    Ok((post.named().to_owned(), answer))
}

fn append(dir: &Path, file: &LineageFile, event: &Value) -> Outcome {
    let path = dir.join(&file.path);
    let line = format!("{event}\n");
    match write(&path, file.size_max, line.as_bytes()) {
        Ok(()) => Outcome::Taken,
        Err(error) => Outcome::Failed(Broken::new(
            format!("cannot write {}: {error}", file.path),
            "is there room, and may this user write there?",
        )),
    }
}

fn write(path: &Path, size_max: u64, line: &[u8]) -> io::Result<()> {
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let size = mend(&mut file)?;
    if size > 0 && size + line.len() as u64 > size_max {
        file.sync_data()?;
        drop(file);
        rotate(path)?;
        file = File::options().create(true).append(true).open(path)?;
    }
    file.write_all(line)
}

/// Removes what a process that died has left of a line at the end: it is told again. Gives the size.
fn mend(file: &mut File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let from = size.saturating_sub(TAIL);
    file.seek(SeekFrom::End(-1)).or_else(|_| file.seek(SeekFrom::Start(0)))?;
    let mut last = [0];
    if file.read(&mut last)? == 0 || last == *b"\n" {
        return Ok(size);
    }
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(TAIL).read_to_end(&mut tail)?;
    let kept = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at as u64 + 1);
    file.set_len(from + kept)?;
    Ok(from + kept)
}

/// Makes room for a new file: the oldest goes.
fn rotate(path: &Path) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for number in (1..FILES_MAX).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests;
