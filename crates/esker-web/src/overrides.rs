//! Overrides over HTTP: which there are, and settling them.

pub mod json;

use axum::Json;
use axum::extract::{Extension, State};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides;
use esker_wire::overrides::book::{self, Against, Book, Numbered};
use esker_wire::record::RunRecord;
use esker_wire::snapshot::{Get, List, Put};
use serde::Deserialize;
use serde_json::Value;

use crate::access::Who;
use crate::answer::{Asked, Failed, Said};
use crate::hub::Hub;
use crate::{api, problems};

#[derive(Deserialize)]
pub(crate) struct Wanted {
    resource: Option<String>,
}

/// Which overrides are to be settled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settled {
    /// Whose they are.
    resource: String,
    /// The numbers, as the list has them; all if there are none.
    numbers: Option<Vec<usize>>,
    /// The version of the list that the numbers are from: another is refused.
    revision: Option<String>,
}

/// `GET /api/overrides`: all of them, by resource.
pub(crate) async fn list(
    State(hub): State<Hub>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Value>, Failed> {
    let against = contradictions(&hub).await?;
    if let Some(name) = &wanted.resource {
        let book = find(&hub, api::resource(name)?, &against).await?;
        return Ok(Json(book.iter().map(json::book).collect()));
    }
    let list = List { prefix: overrides::PREFIX.to_owned(), ..List::all(Branch::main()) };
    let mut books = Vec::new();
    for entry in hub.listing(list).await?.entries {
        if let Some(of) = overrides::whose(&entry.resource) {
            books.extend(find(&hub, of, &against).await?);
        }
    }
    Ok(Json(books.iter().map(json::book).collect()))
}

/// `POST /api/overrides/keep`: has them applied whatever is there.
pub(crate) async fn keep(
    State(hub): State<Hub>,
    Extension(who): Extension<Who>,
    Said(settled): Said<Settled>,
) -> Result<Json<Value>, Failed> {
    let (book, numbers) = named(&hub, &settled).await?;
    if let Some(put) = book.keep(&numbers, who.author())? {
        store(&hub, &book, &put).await?;
    }
    told(&hub, book.of).await
}

/// `POST /api/overrides/drop`: what is made counts again.
pub(crate) async fn leave(
    State(hub): State<Hub>,
    Extension(who): Extension<Who>,
    Said(settled): Said<Settled>,
) -> Result<Json<Value>, Failed> {
    let (book, numbers) = named(&hub, &settled).await?;
    if !numbers.is_empty() {
        store(&hub, &book, &book.leave(&numbers, who.author())?).await?;
    }
    told(&hub, book.of).await
}

async fn store(hub: &Hub, book: &Book, put: &Put) -> Result<(), Fault> {
    hub.call(put).await.map(drop).map_err(|fault| book.told(fault))
}

/// What is left of those of a resource.
async fn told(hub: &Hub, of: Resource) -> Result<Json<Value>, Failed> {
    let book = find(hub, of, &contradictions(hub).await?).await?;
    Ok(Json(book.iter().map(json::book).collect()))
}

async fn named(hub: &Hub, settled: &Settled) -> Result<(Book, Vec<usize>), Fault> {
    let name = api::resource(&settled.resource)?;
    let of = overrides::whose(&name).unwrap_or(name);
    let book = find(hub, of.clone(), &[]).await?.ok_or_else(|| book::none(&of))?;
    if settled.revision.as_ref().is_some_and(|known| *known != book.revision.to_string()) {
        return Err(book.told(Fault::new(Code::Conflict, "")));
    }
    let which = match &settled.numbers {
        None => vec![Numbered::All],
        Some(numbers) => numbers.iter().copied().map(Numbered::One).collect(),
    };
    let numbers = book.numbers(&which)?;
    Ok((book, numbers))
}

async fn find(hub: &Hub, of: Resource, against: &[Against]) -> Result<Option<Book>, Fault> {
    let of = overrides::whose(&of).unwrap_or(of);
    let Some(at) = overrides::of(&of) else {
        return Ok(None);
    };
    match hub.call(&Get::head(at)).await {
        Ok(content) => Book::read(of, content, against).map(Some),
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The runs that stopped because what they made contradicts overrides.
async fn contradictions(hub: &Hub) -> Result<Vec<Against>, Fault> {
    let mut all = Vec::new();
    problems::read(hub, "run/", |_, bytes| {
        all.extend(book::against(&RunRecord::from_bytes(bytes)?));
        Ok(())
    })
    .await?;
    Ok(all)
}
