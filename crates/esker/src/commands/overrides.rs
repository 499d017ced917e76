//! `esker override`: the edits that are made again of what a source or stage makes.

use std::collections::BTreeMap;

use anyhow::Result;
use esker_wire::edit::{Before, Deed};
use esker_wire::fault::Code;
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides;
use esker_wire::record::RunRecord;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Expect, Get, Item, List, Put};
use serde_json::{Value, json};

use crate::cli::{Numbered, Override};
use crate::commands::is_fault;
use crate::commands::put::author;
use crate::commands::whatif::{is_idle, told};
use crate::project::Place;
use crate::reach::{Hub, found, resource};
use crate::say::{self, DIM, hinted};

/// The overrides of a resource.
struct Book {
    /// Whose they are.
    of: Resource,
    /// What holds them.
    at: Resource,
    revision: Revision,
    all: Vec<overrides::Override>,
    /// What its maker's last run says against them.
    against: Option<Against>,
}

/// A contradiction, as the record of a run has it.
#[derive(Clone)]
struct Against {
    stage: String,
    summary: String,
    /// What it says of each, by their numbers.
    each: BTreeMap<usize, String>,
}

/// Shows overrides, or settles them.
pub(crate) fn overrides(place: &Place, asked: &Override) -> Result<()> {
    let hub = Hub::find(place)?;
    match asked {
        Override::List { resource: None, json } => list(&books(&hub)?, *json),
        Override::List { resource: Some(name), json } => {
            let of = resource(name)?;
            let mut books = books(&hub)?;
            books.retain(|book| book.of == of || book.at == of);
            list(&books, *json)
        }
        Override::Show { resource, json } => show(&named(&hub, resource)?, *json),
        Override::Keep { resource, which } => {
            let book = named(&hub, resource)?;
            match keep(&hub, &book, which)? {
                Some(numbers) => tell(place, &book, "kept", &numbers),
                None => say::note("they are applied whatever is there already"),
            }
            Ok(())
        }
        Override::Drop { resource, which } => {
            let book = named(&hub, resource)?;
            tell(place, &book, "dropped", &leave(&hub, &book, which)?);
            Ok(())
        }
    }
}

/// Says what was settled, and when that counts.
fn tell(place: &Place, book: &Book, deed: &str, numbers: &[usize]) {
    let when = match is_idle(place) {
        true => "no runner works here: it counts when one does".to_owned(),
        false => format!("whoever makes {} runs again by itself", book.of),
    };
    say::note(format!("{deed}: {}; {when}", listed(numbers)));
}

/// All there are.
fn books(hub: &Hub) -> Result<Vec<Book>> {
    let list = List { prefix: overrides::PREFIX.to_owned(), ..List::all(Branch::main()) };
    let against = contradictions(hub)?;
    let mut books = Vec::new();
    for entry in hub.listing(list)? {
        let Some(of) = overrides::whose(&entry.resource) else {
            continue;
        };
        match book(hub, of, &against) {
            Ok(book) => books.extend(book),
            Err(error) => say::note(format!("{}: {error}", entry.resource)),
        }
    }
    Ok(books)
}

/// Those of the resource that a person names.
fn named(hub: &Hub, name: &str) -> Result<Book> {
    let name = resource(name)?;
    let of = overrides::whose(&name).unwrap_or(name);
    let book = book(hub, of.clone(), &contradictions(hub)?)?;
    book.ok_or_else(|| {
        hinted(format!("{of} has no overrides"), "`esker override list` lists those there are")
    })
}

fn book(hub: &Hub, of: Resource, against: &[(String, Against)]) -> Result<Option<Book>> {
    let Some(at) = overrides::of(&of) else {
        return Ok(None);
    };
    let Some(content) = found(hub.call(&Get::head(at.clone())))? else {
        return Ok(None);
    };
    let (revision, all) =
        (content.entry.revision, overrides::read(&content.bytes.unwrap_or_default())?);
    let against = against.iter().find(|(name, _)| name == of.as_str()).map(|(_, one)| one.clone());
    Ok(Some(Book { of, at, revision, all, against }))
}

/// The runs that stopped because what they made contradicts overrides, by the resource.
fn contradictions(hub: &Hub) -> Result<Vec<(String, Against)>> {
    let list = List { prefix: "run/".to_owned(), ..List::all(Branch::records()) };
    let mut all = Vec::new();
    for entry in hub.listing(list)? {
        let content = hub.call(&Get::listed(&entry, Branch::records()))?;
        // A record that cannot be read says nothing of overrides; `esker problems` tells of it.
        let record = RunRecord::from_bytes(&content.bytes.unwrap_or_default()).ok();
        all.extend(record.as_ref().and_then(against));
    }
    Ok(all)
}

/// What the record of a run says against overrides, and of which resource.
fn against(record: &RunRecord) -> Option<(String, Against)> {
    let failure = record.failure.as_ref()?;
    let (of, _) = failure.summary.split_once(" contradicts override ")?;
    let each = failure.detail.lines().filter_map(|line| {
        let (number, what) = line.strip_prefix("override ")?.split_once(", ")?;
        Some((number.parse().ok()?, what.to_owned()))
    });
    let (stage, summary) = (record.stage.clone(), failure.summary.clone());
    Some((of.to_owned(), Against { stage, summary, each: each.collect() }))
}

impl Book {
    /// What the last run says of one.
    fn of(&self, number: usize) -> Option<&str> {
        self.against.as_ref()?.each.get(&number).map(String::as_str)
    }

    /// The numbers that are meant.
    fn numbers(&self, which: &[Numbered]) -> Result<Vec<usize>> {
        let mut numbers = Vec::new();
        for which in which {
            match which {
                Numbered::All => numbers.extend(1..=self.all.len()),
                Numbered::One(number) if *number <= self.all.len() => numbers.push(*number),
                Numbered::One(number) => {
                    let hint = format!(
                        "they are numbered from 1 to {}: esker override show {}",
                        self.all.len(),
                        self.of
                    );
                    return Err(hinted(format!("{} has no override {number}", self.of), hint));
                }
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}

fn list(books: &[Book], json: bool) -> Result<()> {
    if json {
        return Ok(say::json(&books.iter().map(as_json).collect())?);
    }
    if books.is_empty() {
        say::note("no overrides: applying a what-if to what a source or stage makes makes them");
        return Ok(());
    }
    let mut rows = Vec::new();
    for book in books {
        for (number, one) in (1..).zip(&book.all) {
            rows.push(vec![
                book.of.to_string(),
                number.to_string(),
                told(&(one.edit.clone(), one.before.clone())),
                one.by.clone().unwrap_or_default(),
                say::time(one.since),
                if book.of(number).is_some() { "contradicted" } else { "" }.to_owned(),
            ]);
        }
    }
    say::table(&["resource", "n", "change", "by", "since", ""], rows)?;
    books.iter().for_each(warn);
    Ok(())
}

/// Tells what stands against overrides, and what to type.
fn warn(book: &Book) {
    let Some(against) = &book.against else {
        return;
    };
    let of = &book.of;
    say::note(format!("{} stopped: {}", against.stage, against.summary));
    say::note(format!("settle it: esker override keep {of} N, or esker override drop {of} N"));
}

fn show(book: &Book, json: bool) -> Result<()> {
    if json {
        return Ok(say::json(&as_json(book))?);
    }
    for (number, one) in (1..).zip(&book.all) {
        say::line(format!("{number:>3}  {}", told(&(one.edit.clone(), one.before.clone()))))?;
        let line = |name: &str, text: &str| say::line(format!("     {DIM}{name:<8}{DIM:#}{text}"));
        if one.before.is_none() {
            line("always", "it is applied whatever is there")?;
        }
        line("since", &say::time(one.since))?;
        for (name, text) in [("by", &one.by), ("why", &one.why), ("what-if", &one.what_if)] {
            text.as_ref().map_or(Ok(()), |text| line(name, text))?;
        }
        book.of(number).map_or(Ok(()), |text| line("against", text))?;
    }
    warn(book);
    Ok(())
}

fn as_json(book: &Book) -> Value {
    let one = |(number, one): (usize, &overrides::Override)| {
        json!({
            "number": number,
            "at": one.edit.at.to_string(),
            "deed": one.edit.deed.word(),
            "text": if let Deed::Set(text) = &one.edit.deed { Some(text) } else { None },
            "found": if let Some(Before::Text(text)) = &one.before { Some(text) } else { None },
            "always": one.before.is_none(),
            "by": one.by,
            "why": one.why,
            "since": one.since.to_string(),
            "what_if": one.what_if,
            "against": book.of(number),
        })
    };
    json!({
        "resource": book.of.as_str(),
        "held": book.at.as_str(),
        "revision": book.revision.to_string(),
        "overrides": (1..).zip(&book.all).map(one).collect::<Vec<_>>(),
        "contradicts": book.against.as_ref().map(|against| &against.summary),
    })
}

/// Has them applied whatever is there; which, unless they are already.
fn keep(hub: &Hub, book: &Book, which: &[Numbered]) -> Result<Option<Vec<usize>>> {
    let numbers = book.numbers(which)?;
    let mut all = book.all.clone();
    for number in &numbers {
        all[number - 1].before = None;
    }
    if all == book.all {
        return Ok(None);
    }
    put(hub, book, &all, &format!("keep {}", listed(&numbers)))?;
    Ok(Some(numbers))
}

/// Removes them; which.
fn leave(hub: &Hub, book: &Book, which: &[Numbered]) -> Result<Vec<usize>> {
    let numbers = book.numbers(which)?;
    let all = (1..).zip(&book.all).filter(|(number, _)| !numbers.contains(number));
    let all: Vec<overrides::Override> = all.map(|(_, one)| one.clone()).collect();
    put(hub, book, &all, &format!("drop {}", listed(&numbers)))?;
    Ok(numbers)
}

/// Puts what is left, unless somebody has changed them meanwhile: their numbers may mean others then.
fn put(hub: &Hub, book: &Book, all: &[overrides::Override], what: &str) -> Result<()> {
    let content = match all {
        [] => None,
        all => Some(overrides::write(all)?.into()),
    };
    let if_head = Some(Expect::Revision(book.revision));
    let resource = book.at.clone();
    let stored = hub.call(&Put {
        items: vec![Item { resource, content, if_head, content_type: None }],
        branch: Branch::main(),
        message: Some(format!("overrides of {}: {what}", book.of)),
        author: author(),
        provenance: None,
        base: None,
    });
    match stored {
        Err(error) if is_fault(&error, Code::Conflict) => Err(hinted(
            format!("the overrides of {} were changed meanwhile", book.of),
            format!("their numbers may be others now: esker override show {}", book.of),
        )),
        stored => stored.map(|_| ()),
    }
}

fn listed(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
