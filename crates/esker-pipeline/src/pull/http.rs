//! A GET of an address, with what makes the server say in few bytes that nothing has changed.

mod ask;
mod fail;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::definition::pull::{Header, Http};
use crate::definition::secret::Text;
use crate::key::sha256;
use crate::run::failure::Broken;
use crate::run::{Halt, Made, file, output};
use crate::sheets;

use self::ask::{Answer, Request, Validators};
use super::place::{self, Place};
use super::{Errand, state};

/// Asks the server. The validators are kept with what they are of; an answer that brings what is there already
/// changes neither.
pub(super) fn fetch(errand: &Errand<'_>, http: &Http) -> Result<Made, Halt> {
    let place = place(errand, http)?;
    let known = known(errand, http)?;
    let request = Request {
        headers: headers(errand, http),
        validators: known.as_ref().map(|known| known.validators.clone()).unwrap_or_default(),
        secrets: errand.secrets.clone(),
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
        true => file::convert(&bytes, &name, &http.sheets)?,
        false => bytes,
    };
    let output = &errand.source.output;
    if bytes.is_empty() && !errand.source.allow_empty {
        return Err(output::empty(output.as_str()).into());
    }
    let hash = sha256(&bytes);
    if known.is_some_and(|known| known.hash == hash) {
        return Err(Halt::Unchanged);
    }
    let contents = vec![(output.clone(), bytes)];
    let kept = kept_text(errand, &validators, &hash);
    let state = errand.source.state().map(|name| (name, kept.into()));
    let content_type = file::content_type(&name).or(content_type);
    Ok(Made::new(contents, content_type).with_state(state))
}

fn place(errand: &Errand<'_>, http: &Http) -> Result<Place, Broken> {
    place::parse(errand.secrets.text(&http.url)).map_err(|(why, hint)| {
        let summary = format!("cannot use the address in {}: {why}", http.url);
        Broken::new(summary, hint)
    })
}

fn headers(errand: &Errand<'_>, http: &Http) -> Vec<ask::Header> {
    let authorization = |value: String| ("authorization".to_owned(), value);
    let header = |header: &Header| {
        let (name, value) = match header {
            Header::Named(name, text) => (name.clone(), errand.secrets.text(text).to_owned()),
            Header::Token(token) => authorization(format!("Bearer {}", errand.secrets.of(token))),
            Header::Basic(user, password) => {
                let user = errand.secrets.text(user);
                let pair = format!("{user}:{}", errand.secrets.of(password));
                authorization(format!("Basic {}", STANDARD.encode(pair)))
            }
        };
        ask::Header { name, value, is_secret: header.is_secret() }
    };
    http.headers.iter().map(header).collect()
}

/// What is known of the newest version.
struct Known {
    validators: Validators,
    hash: String,
}

/// What the last pull has left, if it is of the version that is there, and was asked for as it would be now.
fn known(errand: &Errand<'_>, http: &Http) -> Result<Option<Known>, Halt> {
    let [(_, Some(output)), (kept, Some(state))] = errand.run.outputs.as_slice() else {
        return Ok(None);
    };
    if output != state {
        return Ok(None);
    }
    let bytes = state::read((errand.bench, errand.line), errand.run, kept)?;
    let value: Value = serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or_default();
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let Some(hash) =
        text("content").filter(|_| text("run_key") == Some(errand.run.run_key.clone()))
    else {
        return Ok(None);
    };
    let validators = match http.url {
        Text::Plain(_) => Validators { etag: text("etag"), last_modified: text("last_modified") },
        // Of a secret address it is not known whether it is still the same.
        Text::Secret(_) => Validators::default(),
    };
    Ok(Some(Known { validators, hash }))
}

/// What is kept beside the content.
fn kept_text(errand: &Errand<'_>, validators: &Validators, hash: &str) -> String {
    let value = json!({
        "content": hash,
        "etag": validators.etag,
        "last_modified": validators.last_modified,
        "run_key": errand.run.run_key,
    });
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests;
