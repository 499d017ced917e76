//! Showing backfills: which there are, and what one has made of each version beside what there was then.

use anyhow::Result;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::Stat;
use serde_json::{Value, json};

use super::book::{Book, Done};
use super::versions::{self, Span, Version};
use crate::commands::{input_json, past};
use crate::reach::Hub;
use crate::say;

/// Prints every backfill.
pub(super) fn list(hub: &Hub, json: bool) -> Result<()> {
    let books = Book::all(hub)?;
    if json {
        return Ok(say::json(&books.iter().map(about_json).collect())?);
    }
    if books.is_empty() {
        say::note("no backfills: `esker backfill STAGE` computes one");
        return Ok(());
    }
    let rows = books.iter().map(|book| {
        let (good, failed) = book.counts();
        vec![
            book.id.clone(),
            say::time(book.about.begun),
            book.about.stage.clone(),
            good.to_string(),
            failed.to_string(),
            book.about.adopted.map_or_else(|| "no".to_owned(), say::time),
        ]
    });
    let headings = ["backfill", "begun", "stage", "results", "failed", "adopted"];
    Ok(say::table(&headings, rows.collect())?)
}

fn about_json(book: &Book) -> Value {
    let ((good, failed), about) = (book.counts(), &book.about);
    json!({
        "id": book.id,
        "branch": book.branch.as_str(),
        "stage": about.stage,
        "inputs": about.inputs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "outputs": about.outputs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "from": about.from.map(|from| from.to_string()),
        "begun": about.begun.to_string(),
        "adopted": about.adopted.map(|time| time.to_string()),
        "results": good,
        "failed": failed,
    })
}

/// Prints what has come of each version.
pub(super) fn show(hub: &Hub, book: &Book, json: bool) -> Result<()> {
    let from = book.about.from.map(At::from);
    let versions = versions::all(hub, &book.about, &Span { from, to: None })?;
    let mut told = Vec::new();
    for (place, version) in versions.iter().enumerate() {
        let next = versions.get(place + 1).map(|next| next.commit);
        told.push((version, word(hub, book, (version, next))?));
    }
    if json {
        let mut value = about_json(book);
        value["versions"] =
            told.iter().map(|(version, told)| version_json(version, told)).collect();
        return Ok(say::json(&value)?);
    }
    let rows = told.iter().map(|(version, told)| {
        let result = match &told.done {
            Some(Done { failed: Some(why), .. }) => why.clone(),
            _ => told.word.to_owned(),
        };
        vec![say::time(version.time), past::named(&version.inputs()), result]
    });
    say::table(&["time", "inputs", "result"], rows.collect())?;
    let counted = |word: &str| told.iter().filter(|(_, told)| told.word == word).count();
    let words = ["same", "other", "new", "failed", "missing"].map(|word| (counted(word), word));
    let words = words.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = words.map(|(count, word)| format!("{count} {word}")).collect();
    say::note(words.join(", "));
    Ok(())
}

/// What has come of one version.
struct Told {
    done: Option<Done>,
    /// Beside what there was when these inputs gave way to others: `same`, `other`, `new`; or `failed`, `missing`.
    word: &'static str,
}

fn word(hub: &Hub, book: &Book, (version, next): (&Version, Option<Revision>)) -> Result<Told> {
    let done = book.done.get(&version.inputs()).cloned();
    let result = match &done {
        None => return Ok(Told { done, word: "missing" }),
        Some(Done { failed: Some(_), .. }) => return Ok(Told { done, word: "failed" }),
        Some(result) => result.revision,
    };
    let then = match next {
        Some(next) => format!("{next}~1").parse()?,
        None => At::head(),
    };
    let (mut is_new, mut is_same) = (true, true);
    for resource in &book.about.outputs {
        let (at, branch) = (At::from(result), book.branch.clone());
        let made = hub.call(&Stat { resource: resource.clone(), at, branch })?.blob;
        let was = past::stat(hub, resource, &then)?.and_then(|was| was.blob);
        is_new &= was.is_none();
        is_same &= was == made;
    }
    let word = match (is_new, is_same) {
        (true, _) => "new",
        (_, true) => "same",
        _ => "other",
    };
    Ok(Told { done, word })
}

fn version_json(version: &Version, told: &Told) -> Value {
    let done = told.done.as_ref();
    json!({
        "commit": version.commit.to_string(),
        "time": version.time.to_string(),
        "inputs": version.inputs().iter().map(input_json).collect::<Vec<_>>(),
        "result": told.word,
        "revision": done.map(|done| done.revision.to_string()),
        "failure": done.and_then(|done| done.failed.clone()),
    })
}
