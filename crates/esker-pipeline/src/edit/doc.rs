//! What a content is taken for: tables, JSON, TOML; told by its content type, else by its looks.
//!
//! A stacked stream is one whatever it is said to be. Without a content type, what begins with a bracket and is JSON is
//! that; rows under a heading, none longer than it, are a table; what is TOML with at least one entry is that.
//! All else is text, which has no places.

use esker_wire::edit::address::{Place, Row};
use esker_wire::edit::{Before, Edit};

use super::json::Json;
use super::miss::Miss;
use super::scan::{Writing, is_heading};
use super::streams::regions;
use super::tables::Tables;
use super::toml_text::Toml;
use super::{CONTENT_MAX, Content, Refused};

/// The rows at the beginning of a text by which it is known to be a table.
const LOOKED_MAX: usize = 50;
/// How much is told of a text in a conflict, in characters.
const TOLD_MAX: usize = 2_000;
const BOM: &str = "\u{feff}";

/// A content that can be edited.
pub(super) enum Doc<'a> {
    Tables(Tables<'a>),
    Json(Json<'a>),
    Toml(Toml<'a>),
    /// A newer content that is something else than the older one, and what.
    Other {
        bytes: &'a [u8],
        why: String,
    },
}

/// What a content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Tables,
    Json,
    Toml,
    Text,
}

/// What a text is taken for.
fn form(text: &str, body: &str, content_type: Option<&str>) -> Form {
    let told = content_type.unwrap_or_default().to_ascii_lowercase();
    if regions(text).is_some() {
        return Form::Tables;
    }
    if told.contains("json") && !told.contains("lines") {
        return Form::Json;
    }
    if told.contains("toml") {
        return Form::Toml;
    }
    if ["csv", "tab-separated-values", "tsv"].iter().any(|kind| told.contains(kind)) {
        return Form::Tables;
    }
    if body.trim_start().starts_with(['{', '[']) && Json::is_one(body) {
        return Form::Json;
    }
    if looks_like_table(body) {
        return Form::Tables;
    }
    if Toml::is_one(body) { Form::Toml } else { Form::Text }
}

fn looks_like_table(body: &str) -> bool {
    let writing = Writing::guess(body);
    let mut rows = Vec::new();
    let mut rest = 0..body.len();
    while rows.len() < LOOKED_MAX && rest.start < rest.end {
        let bytes = body.as_bytes();
        if !writing.is_tabs() && matches!(bytes[rest.start], b'\r' | b'\n') {
            rest.start += 1;
            continue;
        }
        let cells: Vec<_> = writing.cells(bytes, rest.clone()).collect();
        rest.start = cells.last().map_or(rest.end, |cell| cell.end) + 1;
        if writing.is_tabs() && bytes.get(rest.start - 1) == Some(&b'\r') {
            rest.start += 1;
        }
        rows.push(cells.into_iter().map(|cell| writing.decode(&body[cell])).collect::<Vec<_>>());
    }
    let [first, second, ..] = rows.as_slice() else {
        return false;
    };
    is_heading(first, Some(second)) && rows.iter().all(|row| row.len() <= first.len())
}

impl<'a> Doc<'a> {
    /// Takes a newer content for what the older one is. What is something else now is not refused: each edit of it is in
    /// conflict.
    pub(super) fn open_like(content: Content<'a>, older: &Self) -> Self {
        let bytes = content.bytes;
        let table = Content { content_type: Some("text/csv"), ..content };
        let newer = match (Self::open(content), older) {
            (Err(_), Self::Tables(_)) => Self::open(table),
            (newer, _) => newer,
        };
        let mut newer = match newer {
            Ok(newer) if newer.form() == older.form() => newer,
            Ok(newer) => {
                let why = format!("the content is {} now, and was {}", newer.form(), older.form());
                Self::Other { bytes, why }
            }
            Err(refused) => Self::Other { bytes, why: refused.why },
        };
        if let (Self::Tables(newer), Self::Tables(older)) = (&mut newer, older) {
            newer.know(older);
        }
        newer
    }

    /// What it is, in words.
    fn form(&self) -> &'static str {
        match self {
            Self::Tables(_) => "tables",
            Self::Json(_) => "JSON",
            Self::Toml(_) => "TOML",
            Self::Other { .. } => "something else",
        }
    }

    pub(super) fn open(content: Content<'a>) -> Result<Self, Refused> {
        if content.bytes.len() > CONTENT_MAX {
            let most = CONTENT_MAX / 1024 / 1024;
            return Err(Refused::content(&format!(
                "it is over {most} MiB; edit it where it is made"
            )));
        }
        let text = std::str::from_utf8(content.bytes)
            .map_err(|_| Refused::content(&"it is not UTF-8; replace it as a whole"))?;
        let body = text.strip_prefix(BOM).unwrap_or(text);
        let start = text.len() - body.len();
        match form(text, body, content.content_type) {
            Form::Tables => Ok(Self::Tables(Tables::open(text, start, content.key))),
            Form::Json => Json::open(text, start, content.key).map(Self::Json),
            Form::Toml => Toml::open(text, start, content.key).map(Self::Toml),
            Form::Text => {
                Err("it is neither a table nor JSON nor TOML; replace it as a whole, or \
                say what it is by its content type"
                    .to_owned())
            }
        }
        .map_err(|why| Refused::content(&why))
    }

    pub(super) fn now(&mut self, edit: &Edit) -> Result<Before, Miss> {
        match self {
            Self::Tables(tables) => tables.now(edit),
            Self::Json(json) => json.now(edit),
            Self::Toml(toml) => toml.now(edit),
            Self::Other { why, .. } => Err(Miss::Kind(why.clone())),
        }
    }

    /// Whether the content is already as an edit wants it, given what it finds.
    pub(super) fn says(&mut self, edit: &Edit, found: &Before) -> Result<bool, Miss> {
        match self {
            Self::Tables(tables) => tables.says(edit, found),
            Self::Json(json) => json.says(edit, found),
            Self::Toml(toml) => toml.says(edit, found),
            Self::Other { why, .. } => Err(Miss::Kind(why.clone())),
        }
    }

    /// Whether a row just like a new one is there, of which no key can tell.
    pub(super) fn has_like(&mut self, edit: &Edit) -> Result<bool, Miss> {
        match self {
            Self::Tables(tables) => tables.has_like(edit),
            _ => Ok(false),
        }
    }

    /// Does what an edit says. A row whose neighbour is gone comes last if that is allowed.
    pub(super) fn apply(&mut self, edit: &Edit, is_lenient: bool) -> Result<(), Miss> {
        match self {
            Self::Tables(tables) => tables.apply(edit, is_lenient),
            Self::Json(json) => json.apply(edit),
            Self::Toml(toml) => toml.apply(edit),
            Self::Other { why, .. } => Err(Miss::Kind(why.clone())),
        }
    }

    pub(super) fn read(&mut self, place: &Place) -> Option<String> {
        match self {
            Self::Tables(tables) => tables.read(place),
            Self::Json(json) => json.read(place),
            Self::Toml(toml) => toml.read(place),
            Self::Other { .. } => None,
        }
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Miss> {
        match self {
            Self::Tables(tables) => tables.finish(),
            Self::Json(json) => Ok(json.finish()),
            Self::Toml(toml) => Ok(toml.finish()),
            Self::Other { bytes, .. } => Ok(bytes.to_vec()),
        }
    }

    /// Whether its values may hold others.
    pub(super) fn is_tree(&self) -> bool {
        !matches!(self, Self::Tables(_))
    }

    /// The rows above the one that is to be moved, the nearest first.
    pub(super) fn above(&mut self, edit: &Edit) -> Vec<Row> {
        match self {
            Self::Tables(tables) => tables.above(edit).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether the table that an edit is of has a row.
    pub(super) fn has(&mut self, edit: &Edit, row: &Row) -> bool {
        match self {
            Self::Tables(tables) => tables.has(edit, row),
            _ => false,
        }
    }
}

/// Whether what was found is an object or an array.
pub(super) fn is_nested(found: &Before) -> bool {
    matches!(found, Before::Text(text) if text.starts_with(['{', '[']))
}

/// What was found, for people.
pub(super) fn tell(found: &Before) -> String {
    let all = match found {
        Before::Absent => "absent".to_owned(),
        Before::Text(text) => text.clone(),
        Before::Row(cells) => tell_cells(cells),
        Before::First => "first".to_owned(),
        Before::Behind(row) => format!("after {row}"),
        Before::Rank(rank) => rank.map_or("no rank".to_owned(), |rank| rank.to_string()),
    };
    match all.char_indices().nth(TOLD_MAX) {
        Some((end, _)) => format!("{}…", &all[..end]),
        None => all,
    }
}

pub(super) fn tell_cells(cells: &[(String, String)]) -> String {
    let cells = cells.iter().map(|(column, text)| format!("{column}: {text}"));
    cells.collect::<Vec<_>>().join(", ")
}
