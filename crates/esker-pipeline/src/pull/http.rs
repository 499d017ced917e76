//! A GET of an address, with what makes the server say in few bytes that nothing has changed.

pub(super) mod ask;
mod fail;
pub(crate) mod post;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::definition::pull::{Header, Http};
use crate::definition::secret::Text;
use crate::run::failure::Broken;
use crate::run::{Halt, Made, file, output};
use crate::sheets;

use self::ask::{Answer, Request, Validators};
use super::place::{self, Place};
use super::secrets::Secrets;
use super::{Errand, state};

/// Asks the server. The validators are kept with what they are of; an answer that brings what is there already
/// changes neither.
pub(super) fn fetch(errand: &Errand<'_>, http: &Http) -> Result<Made, Halt> {
    let place = place(errand, http)?;
    let known = state::known(errand)?;
    let headers = headers(errand, &http.headers);
    let mut secrets = errand.secrets.clone();
    hide(&mut secrets, &headers);
    let request = Request {
        headers,
        validators: known.as_ref().map(|known| validators(http, known)).unwrap_or_default(),
        secrets,
        ca: http.ca.as_ref().map(|path| errand.bench.dir.join(path)),
        timeout: errand.pull.timeout,
        size_max: errand.pull.output_max,
        named: match &http.url {
            Text::Plain(_) => place.to_string(),
            Text::Secret(secret) => secret.to_string(),
        },
        place,
    };
    let name = request.place.file_name();
    let answer = errand.aside(&http.url.to_string(), move || ask::ask(&request))??;
    let Answer::Content { bytes, validators, content_type } = answer else {
        return Err(Halt::Unchanged);
    };
    let bytes = match sheets::is_workbook(&name) {
        true => file::convert(&bytes, &called(&http.url, &name), &http.sheets)?,
        false => bytes,
    };
    let output = &errand.source.output;
    if bytes.is_empty() && !errand.source.allow_empty {
        return Err(output::empty(output.as_str()).into());
    }
    let content_type = file::content_type(&name).or(content_type);
    let kept = json!({ "etag": validators.etag, "last_modified": validators.last_modified });
    state::made(errand, known.as_ref(), (bytes, content_type), kept)
}

/// What a file is called in front of people: a part of a secret address is a secret, too.
fn called(url: &Text, name: &str) -> String {
    match (url, name.rsplit_once('.')) {
        (Text::Secret(secret), Some((_, ending))) => format!("{secret}.{ending}"),
        _ => name.to_owned(),
    }
}

fn place(errand: &Errand<'_>, http: &Http) -> Result<Place, Broken> {
    place::parse(errand.secrets.text(&http.url)).map_err(|(why, hint)| {
        let summary = format!("cannot use the address in {}: {why}", http.url);
        Broken::new(summary, hint)
    })
}

/// Headers with what is secret in them.
pub(super) fn headers(errand: &Errand<'_>, headers: &[Header]) -> Vec<ask::Header> {
    filled(errand.secrets, headers)
}

fn filled(secrets: &Secrets, headers: &[Header]) -> Vec<ask::Header> {
    let authorization = |value: String| ("authorization".to_owned(), value);
    let header = |header: &Header| {
        let (name, value) = match header {
            Header::Named(name, text) => (name.clone(), secrets.text(text).to_owned()),
            Header::Token(token) => authorization(format!("Bearer {}", secrets.of(token))),
            Header::Basic(user, password) => {
                let user = secrets.text(user);
                let pair = format!("{user}:{}", secrets.of(password));
                authorization(format!("Basic {}", STANDARD.encode(pair)))
            }
        };
        ask::Header { name, value, is_secret: header.is_secret() }
    };
    headers.iter().map(header).collect()
}

/// Keeps headers out of what is said: whole, and without the word before what lets in.
pub(super) fn hide(secrets: &mut Secrets, headers: &[ask::Header]) {
    for header in headers.iter().filter(|header| header.is_secret) {
        secrets.hide(&header.value);
        if let Some((_, rest)) = header.value.split_once(' ') {
            secrets.hide(rest);
        }
    }
}

/// By what the server knows the last version again.
fn validators(http: &Http, known: &Value) -> Validators {
    let text = |key: &str| known.get(key).and_then(Value::as_str).map(str::to_owned);
    match http.url {
        Text::Plain(_) => Validators { etag: text("etag"), last_modified: text("last_modified") },
        // Of a secret address it is not known whether it is still the same.
        Text::Secret(_) => Validators::default(),
    }
}

#[cfg(test)]
mod tests;
