//! `esker put`: a new version of a resource.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_wire::message::CONTENT_MAX;
use esker_wire::name::{Branch, Resource};
use esker_wire::snapshot::{self, Expect, Item};
use serde_json::json;

use crate::cli::Put;
use crate::commands::large;
use crate::planes::maker;
use crate::project::Place;
use crate::reach::{Hub, resource};
use crate::say::{self, hinted};

/// Stores what stands in a file or on standard input; prints the revision.
pub(crate) fn put(place: &Place, put: &Put) -> Result<()> {
    let content = read(place, put)?;
    let if_head = if_head(put.if_head.as_deref())?;
    let resource = resource(&put.resource)?;
    let hub = Hub::find(place)?;
    let (hub, content) = match content {
        Content::Small(bytes) => (hub, bytes),
        Content::Large(mut file) => large::bring(place, hub, &mut file)?,
    };
    let item =
        Item { resource, content: Some(content), if_head, content_type: put.content_type.clone() };
    let stored = hub.call(&snapshot::Put {
        items: vec![item],
        branch: Branch::main(),
        message: put.message.clone(),
        author: author(),
        provenance: None,
        base: None,
    })?;
    let item = &stored.items[0];
    let revision = item.revision.unwrap_or(stored.revision).to_string();
    warn_if_made(place, &item.resource);
    if put.json {
        return Ok(say::json(&json!({
            "resource": item.resource.as_str(),
            "now": item.now.as_ref().map(Resource::as_str),
            "revision": revision,
            "previous": item.previous.map(|revision| revision.to_string()),
            "changed": item.is_changed(),
        }))?);
    }
    if let Some(now) = &item.now {
        let name = &item.resource;
        say::note(format!("{name} is called {now} now; `--if-head none` begins a new {name}"));
    }
    if !item.is_changed() {
        say::note("unchanged: the newest version has the same bytes");
    }
    say::line(revision)?;
    Ok(())
}

/// What `--if-head` says.
pub(super) fn if_head(text: Option<&str>) -> Result<Option<Expect>> {
    text.map(str::parse).transpose().map_err(|error| {
        hinted(
            format!("cannot read --if-head: {error}"),
            "give the full revision that `esker get --json` prints, or `none`",
        )
    })
}

/// Says so if the runner will make this resource again, in place of what was put.
fn warn_if_made(place: &Place, resource: &Resource) {
    if let Some(maker) = maker(place, resource) {
        say::note(format!(
            "warning: {resource} is made by {maker}, whose next run replaces this version"
        ));
    }
}

/// What is put: in one message, or in pieces before it.
enum Content {
    Small(Bytes),
    Large(File),
}

fn read(place: &Place, put: &Put) -> Result<Content> {
    let mut content = Vec::new();
    let (mut from, name): (Box<dyn Read>, String) = match &put.file {
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
            let data = file.metadata().with_context(|| format!("cannot read {name}"))?;
            if data.is_file() && data.len() > CONTENT_MAX as u64 {
                return Ok(Content::Large(file));
            }
            (Box::new(file), name)
        }
        None => (Box::new(std::io::stdin().lock()), "standard input".to_owned()),
    };
    from.by_ref()
        .take(CONTENT_MAX as u64 + 1)
        .read_to_end(&mut content)
        .with_context(|| format!("cannot read {name}"))?;
    if content.len() <= CONTENT_MAX {
        return Ok(Content::Small(content.into()));
    }
    // It is read twice: for its hash, then to be sent.
    let kept = spool(place, &mut content.as_slice().chain(from));
    Ok(Content::Large(kept.with_context(|| format!("cannot keep {name} beside"))?))
}

/// Keeps what comes only once in a file without a name, on the project's disk if there is a project here.
fn spool(place: &Place, from: &mut impl Read) -> Result<File> {
    let mut file = match place.project().and_then(|project| project.hidden()) {
        Ok(folder) => tempfile::tempfile_in(folder)?,
        Err(_) => tempfile::tempfile()?,
    };
    std::io::copy(from, &mut file)?;
    Ok(file)
}

/// Who puts: `ESKER_AUTHOR`, or the user on this machine.
pub(super) fn author() -> Option<String> {
    if let Ok(author) = std::env::var("ESKER_AUTHOR") {
        return Some(author);
    }
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty())?;
    let system = rustix::system::uname();
    let host = system.nodename().to_str().unwrap_or("localhost").to_owned();
    Some(format!("{user} <{user}@{host}>"))
}
