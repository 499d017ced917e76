//! DIFF: what changed in a resource between two versions: as a unified diff, as the cells of tables, or as the paths
//! of JSON. How contents are compared is pure, in the files below; what is read for it is here.

pub mod json;
pub mod lines;
mod order;
pub mod table;
mod text;

use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::CONTENT_MAX;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Diff, Difference, Form};

use crate::diff::lines::Stop;
use crate::store::Store;

/// The largest content compared line by line, in bytes.
const TEXT_MAX: u64 = 4 * 1024 * 1024;
/// How long tables or JSON may be compared.
const COMPARE_MAX: Duration = Duration::from_secs(2);
/// How many columns may name a row.
const KEY_MAX: usize = 16;

/// The two contents to compare, read. Comparing them takes a while and needs nothing of the store.
pub struct Sides {
    name: String,
    content_type: Option<String>,
    old: Side,
    new: Side,
    form: Form,
    key: Vec<String>,
}

/// One version.
#[derive(Default)]
struct Side {
    /// None if the resource is not there.
    blob: Option<Revision>,
    size: u64,
    /// Empty if it is too large to be compared.
    bytes: Bytes,
}

impl Store {
    /// The difference; empty if there is none.
    ///
    /// # Errors
    /// As [`Store::sides`] and [`Sides::compare`].
    pub fn diff(&mut self, ask: &Diff) -> Result<Difference, Fault> {
        self.sides(ask)?.compare()
    }

    /// Reads what is to be compared.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`; `bad-request` if the key has too many columns.
    pub fn sides(&mut self, ask: &Diff) -> Result<Sides, Fault> {
        if ask.key.len() > KEY_MAX {
            let text = format!("{} columns in the key, {KEY_MAX} are allowed", ask.key.len());
            return Err(Fault::bad_request(text));
        }
        let to = self.place(&ask.branch, &ask.to)?;
        let found = self.find(&to.branch, to.position, &ask.resource)?;
        let (change, before) = found.pair;
        let old = match &ask.from {
            None => before.and_then(|change| change.blob),
            Some(from) => {
                let from = self.place(&ask.branch, from)?;
                self.blob_then(&ask.branch, (&found.resource, &to), &from)?
            }
        };
        let entry = self.entry(&to.branch, &found.resource, found.pair)?;
        let max = if ask.form == Form::Text { TEXT_MAX } else { CONTENT_MAX as u64 };
        let (mut old, mut new) = (self.side(old)?, self.side(change.blob)?);
        if old.blob != new.blob && old.size.max(new.size) <= max {
            for side in [&mut old, &mut new] {
                side.bytes = side.blob.map_or(Ok(Bytes::new()), |blob| self.whole(blob))?;
            }
        }
        let (name, content_type) = (found.resource.to_string(), entry.content_type);
        Ok(Sides { name, content_type, old, new, form: ask.form, key: ask.key.clone() })
    }

    fn side(&mut self, blob: Option<Revision>) -> Result<Side, Fault> {
        let size = blob.map_or(Ok(0), |blob| self.size_of(blob).map(|(size, _)| size))?;
        Ok(Side { blob, size, bytes: Bytes::new() })
    }
}

impl Sides {
    /// Two contents that need not be stored, under the name they have in common.
    #[must_use]
    pub fn of(name: &str, (old, new): (Bytes, Bytes)) -> Self {
        let is_same = old == new;
        let side = |mark: u8, bytes: Bytes| {
            let blob = Some(Revision::from_bytes([mark; 20]));
            let size = bytes.len() as u64;
            let bytes = if size > CONTENT_MAX as u64 { Bytes::new() } else { bytes };
            Side { blob, size, bytes }
        };
        Self {
            name: name.to_owned(),
            content_type: None,
            old: side(0, old),
            new: side(u8::from(!is_same), new),
            form: Form::Auto,
            key: Vec::new(),
        }
    }

    /// Compares rows by these columns.
    #[must_use]
    pub fn by(self, key: Vec<String>) -> Self {
        Self { key, ..self }
    }

    /// The difference; empty if there is none.
    ///
    /// # Errors
    /// `bad-request` if the contents are not of the form asked for; `too-large` if they cannot be compared in time.
    pub fn compare(&self) -> Result<Difference, Fault> {
        if self.old.blob == self.new.blob {
            let form = if self.form == Form::Auto { Form::Text } else { self.form };
            return Ok(Difference { form, body: Bytes::new() });
        }
        if self.form == Form::Text || self.larger() > CONTENT_MAX as u64 {
            return Ok(self.as_text());
        }
        let (old, new) = (&self.old.bytes, &self.new.bytes);
        if self.form != Form::Auto {
            let body = structured(self.form, (old, new), &self.key);
            let body = body.map_err(|stop| refused(&self.name, self.form, &stop))?;
            return Ok(Difference { form: self.form, body });
        }
        for form in candidates(self.content_type.as_deref(), old, new) {
            match structured(form, (old, new), &self.key) {
                Ok(body) => return Ok(Difference { form, body }),
                Err(stop @ Stop::NoColumn(_)) => return Err(refused(&self.name, form, &stop)),
                // What only looked like one is a text.
                Err(_) => {}
            }
        }
        Ok(self.as_text())
    }

    fn larger(&self) -> u64 {
        self.old.size.max(self.new.size)
    }

    fn as_text(&self) -> Difference {
        let side = |letter: char, side: &Side| {
            side.blob.map_or("/dev/null".to_owned(), |_| format!("{letter}/{}", self.name))
        };
        let (a, b) = (side('a', &self.old), side('b', &self.new));
        let body = if self.larger() > TEXT_MAX {
            format!("Files {a} and {b} differ (over {TEXT_MAX} bytes, not compared)\n").into()
        } else {
            text::compare(&self.old.bytes, &self.new.bytes, (&a, &b))
        };
        Difference { form: Form::Text, body }
    }
}

fn structured(form: Form, (old, new): (&[u8], &[u8]), key: &[String]) -> Result<Bytes, Stop> {
    let until = Instant::now() + COMPARE_MAX;
    match form {
        Form::Json => json::compare(old, new, until),
        _ => table::compare((old, new), key, until),
    }
}

/// The forms that suit two contents, the likeliest first.
fn candidates(content_type: Option<&str>, old: &[u8], new: &[u8]) -> Vec<Form> {
    let told = content_type.unwrap_or_default().to_ascii_lowercase();
    if told.contains("json") {
        return vec![Form::Json];
    }
    if json::looks_like(new) && (old.is_empty() || json::looks_like(old)) {
        return vec![Form::Json];
    }
    if table::suits(content_type, new) && (old.is_empty() || table::suits(content_type, old)) {
        return vec![Form::Table];
    }
    Vec::new()
}

fn refused(name: &str, form: Form, stop: &Stop) -> Fault {
    let what = match form {
        Form::Json => "JSON",
        _ => "tables",
    };
    match stop {
        Stop::Unreadable(why) => {
            Fault::bad_request(format!("cannot compare {name} as {what}: {why}"))
                .hint("compare it as text")
        }
        Stop::NoColumn(why) => Fault::bad_request(format!("cannot compare {name} so: {why}"))
            .hint("name columns of the first row, or leave the key out"),
        Stop::TooLarge(why) => {
            Fault::new(Code::TooLarge, format!("cannot compare {name} as {what}: {why}"))
                .hint("get both versions and compare them there")
        }
        Stop::Late | Stop::Full => {
            let text = format!("cannot compare {name} as {what} within {COMPARE_MAX:?}");
            Fault::new(Code::TooLarge, text).hint("get both versions and compare them there")
        }
    }
}
