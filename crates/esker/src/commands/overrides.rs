//! `esker override`: the edits that are made again of what a source or stage makes.

use anyhow::Result;
use esker_web::overrides::json;
use esker_wire::fault::Fault;
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides;
use esker_wire::overrides::book::{self, Against, Book, Numbered, listed};
use esker_wire::record::RunRecord;
use esker_wire::snapshot::{Get, List, Put};

use crate::cli::Override;
use crate::commands::put::author;
use crate::commands::whatif::{is_idle, told};
use crate::project::Place;
use crate::reach::{Hub, found, resource};
use crate::say::{self, DIM};

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
    Ok(book.ok_or_else(|| book::none(&of))?)
}

fn book(hub: &Hub, of: Resource, against: &[Against]) -> Result<Option<Book>> {
    let Some(at) = overrides::of(&of) else {
        return Ok(None);
    };
    let Some(content) = found(hub.call(&Get::head(at)))? else {
        return Ok(None);
    };
    Ok(Some(Book::read(of, content, against)?))
}

/// The runs that stopped because what they made contradicts overrides.
fn contradictions(hub: &Hub) -> Result<Vec<Against>> {
    let list = List { prefix: "run/".to_owned(), ..List::all(Branch::records()) };
    let mut all = Vec::new();
    for entry in hub.listing(list)? {
        let content = hub.call(&Get::listed(&entry, Branch::records()))?;
        // A record that cannot be read says nothing of overrides; `esker problems` tells of it.
        let record = RunRecord::from_bytes(&content.bytes.unwrap_or_default()).ok();
        all.extend(record.as_ref().and_then(book::against));
    }
    Ok(all)
}

fn list(books: &[Book], json: bool) -> Result<()> {
    if json {
        return Ok(say::json(&books.iter().map(json::book).collect())?);
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
                if book.said(number).is_some() { "contradicted" } else { "" }.to_owned(),
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
        return Ok(say::json(&json::book(book))?);
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
        book.said(number).map_or(Ok(()), |text| line("against", text))?;
    }
    warn(book);
    Ok(())
}

/// Has them applied whatever is there; which, unless they are already.
fn keep(hub: &Hub, book: &Book, which: &[Numbered]) -> Result<Option<Vec<usize>>> {
    let numbers = book.numbers(which)?;
    let Some(request) = book.keep(&numbers, author())? else {
        return Ok(None);
    };
    put(hub, book, &request)?;
    Ok(Some(numbers))
}

/// Removes them; which.
fn leave(hub: &Hub, book: &Book, which: &[Numbered]) -> Result<Vec<usize>> {
    let numbers = book.numbers(which)?;
    put(hub, book, &book.leave(&numbers, author())?)?;
    Ok(numbers)
}

fn put(hub: &Hub, book: &Book, request: &Put) -> Result<()> {
    match hub.call(request) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(error.downcast::<Fault>().map_or_else(|e| e, |fault| book.told(fault).into()))
        }
    }
}
