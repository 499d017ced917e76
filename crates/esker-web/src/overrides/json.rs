//! Overrides as JSON: for the page, for scripts, and for the command line.

use esker_wire::edit::{Before, Deed};
use esker_wire::overrides::Override;
use esker_wire::overrides::book::Book;
use serde_json::{Value, json};

/// All of one resource.
pub fn book(book: &Book) -> Value {
    let one = |(number, one): (usize, &Override)| {
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
            "against": book.said(number),
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
