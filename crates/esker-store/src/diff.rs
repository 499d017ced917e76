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
/// How long tables or JSON may be compared; the service answers nobody else meanwhile.
const COMPARE_MAX: Duration = Duration::from_secs(2);
/// How many columns may name a row.
const KEY_MAX: usize = 16;

/// The two contents to compare.
struct Sides {
    name: String,
    old: Option<Revision>,
    new: Option<Revision>,
    content_type: Option<String>,
}

impl Store {
    /// The difference; empty if there is none.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`; `bad-request` if the contents are not of the form asked for; `too-large` if they
    /// cannot be compared in time.
    pub fn diff(&mut self, ask: &Diff) -> Result<Difference, Fault> {
        if ask.key.len() > KEY_MAX {
            let text = format!("{} columns in the key, {KEY_MAX} are allowed", ask.key.len());
            return Err(Fault::bad_request(text));
        }
        let sides = self.sides(ask)?;
        if sides.old == sides.new {
            let form = if ask.form == Form::Auto { Form::Text } else { ask.form };
            return Ok(Difference { form, body: Bytes::new() });
        }
        if ask.form == Form::Text || self.larger(&sides)? > CONTENT_MAX as u64 {
            return self.as_text(&sides);
        }
        let (old, new) = (self.content(sides.old)?, self.content(sides.new)?);
        if ask.form != Form::Auto {
            let body = structured(ask.form, (&old, &new), &ask.key);
            let body = body.map_err(|stop| refused(&sides.name, ask.form, &stop))?;
            return Ok(Difference { form: ask.form, body });
        }
        for form in candidates(sides.content_type.as_deref(), &old, &new) {
            match structured(form, (&old, &new), &ask.key) {
                Ok(body) => return Ok(Difference { form, body }),
                Err(stop @ Stop::NoColumn(_)) => return Err(refused(&sides.name, form, &stop)),
                // What only looked like one is a text.
                Err(_) => {}
            }
        }
        self.as_text(&sides)
    }

    fn sides(&mut self, ask: &Diff) -> Result<Sides, Fault> {
        let to = self.position(&ask.branch, &ask.to)?;
        let found = self.find(&ask.branch, to, &ask.resource)?;
        let (change, before) = found.pair;
        let old = match &ask.from {
            None => before.and_then(|change| change.blob),
            Some(from) => {
                let from = self.position(&ask.branch, from)?;
                self.blob_then(&ask.branch, (&found.resource, to), from)?
            }
        };
        let entry = self.entry(&ask.branch, &found.resource, found.pair)?;
        let name = ask.resource.as_str().to_owned();
        Ok(Sides { name, old, new: change.blob, content_type: entry.content_type })
    }

    fn as_text(&mut self, sides: &Sides) -> Result<Difference, Fault> {
        let side = |letter: char, blob: Option<Revision>| {
            blob.map_or("/dev/null".to_owned(), |_| format!("{letter}/{}", sides.name))
        };
        let (a, b) = (side('a', sides.old), side('b', sides.new));
        if self.larger(sides)? > TEXT_MAX {
            let text = format!("Files {a} and {b} differ (over {TEXT_MAX} bytes, not compared)\n");
            return Ok(Difference { form: Form::Text, body: text.into() });
        }
        let (old, new) = (self.content(sides.old)?, self.content(sides.new)?);
        Ok(Difference { form: Form::Text, body: text::compare(&old, &new, (&a, &b)) })
    }

    /// The larger side's size.
    fn larger(&mut self, sides: &Sides) -> Result<u64, Fault> {
        let mut larger = 0;
        for blob in [sides.old, sides.new].into_iter().flatten() {
            larger = larger.max(self.size_of(blob)?.0);
        }
        Ok(larger)
    }

    fn content(&mut self, blob: Option<Revision>) -> Result<Bytes, Fault> {
        match blob {
            Some(blob) => self.whole(blob),
            None => Ok(Bytes::new()),
        }
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
