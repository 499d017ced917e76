//! `esker cache`: the contents that a cluster holds.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_bulk::client::Init;
use serde_json::json;

use crate::cli::{Cache, CacheInit, CacheWrite};
use crate::commands::cluster::join;
use crate::project::Place;
use crate::say::{self, hinted};

/// The most that is read of a file or of standard input: it is held in memory while it is sent.
const CONTENT_MAX: u64 = 8 << 30;

/// Does what was asked.
pub(crate) fn cache(place: &Place, asked: &Cache) -> Result<()> {
    match asked {
        Cache::Set(write) => set(place, write),
        Cache::Append(write) => append(place, write),
        Cache::Init(asked) => init(place, asked),
        Cache::Get { id, offset, length, joining } => {
            let (client, _cluster) = join(place, joining)?;
            let length = length.unwrap_or(u64::MAX);
            let found = client.block_on(client.get_range(id.clone(), *offset, length))?;
            let found = found.ok_or_else(|| absent(id))?;
            Ok(say::bytes(&found)?)
        }
        Cache::Stat { ids, told } => {
            let (client, _cluster) = join(place, &told.joining)?;
            let mut lengths = Vec::new();
            for id in ids {
                lengths.push((id.clone(), client.block_on(client.stat(id.clone()))?));
            }
            list(&lengths, told.json)
        }
        Cache::Rm { ids, joining } => {
            let (client, _cluster) = join(place, joining)?;
            let all = ids.iter().map(|id| Bytes::from(id.clone())).collect();
            let removed = client.block_on(client.remove_all(all))?;
            say::note(format!("{removed} of {} removed", say::count(ids.len(), "content")));
            Ok(())
        }
        Cache::Ls { prefix, limit, told } => {
            let (client, _cluster) = join(place, &told.joining)?;
            let ids = client.block_on(client.list(prefix, "", *limit))?;
            let text = |id: &Bytes| String::from_utf8_lossy(id).into_owned();
            let ids: Vec<_> = ids.iter().map(|(id, length)| (text(id), Some(*length))).collect();
            if ids.is_empty() && !told.json {
                say::note(format!(
                    "no ids begin with {prefix:?}; those of a space need its name and a slash"
                ));
                return Ok(());
            }
            list(&ids, told.json)
        }
        Cache::Seal { space, winners, joining } => {
            let winners = winners.iter().map(|text| winner(text)).collect::<Result<Vec<_>>>()?;
            let (client, _cluster) = join(place, joining)?;
            Ok(client.block_on(client.seal(space, &winners))?)
        }
        Cache::Drop { space, joining } => {
            let (client, _cluster) = join(place, joining)?;
            Ok(client.block_on(client.drop_space(space))?)
        }
    }
}

fn winner(text: &str) -> Result<(u32, u16)> {
    let read = || {
        let (task, attempt) = text.split_once(':')?;
        Some((task.parse().ok()?, attempt.parse().ok()?))
    };
    read().ok_or_else(|| {
        hinted(format!("{text:?} is no attempt"), "write TASK:ATTEMPT, for example 7:0")
    })
}

fn absent(id: &str) -> anyhow::Error {
    hinted(format!("there is no {id}"), "`esker cache ls` lists what there is")
}

fn content(file: Option<&Path>) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let (read, name) = match file {
        Some(path) => {
            let file = std::fs::File::open(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            (file.take(CONTENT_MAX + 1).read_to_end(&mut bytes), path.display().to_string())
        }
        None => {
            let input = std::io::stdin().lock();
            (input.take(CONTENT_MAX + 1).read_to_end(&mut bytes), "standard input".to_owned())
        }
    };
    read.with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > CONTENT_MAX {
        return Err(hinted(
            format!("{name} is longer than {}", say::size(CONTENT_MAX)),
            "append it in parts",
        ));
    }
    Ok(bytes.into())
}

fn set(place: &Place, write: &CacheWrite) -> Result<()> {
    let content = content(write.file.as_deref())?;
    let (client, _cluster) = join(place, &write.joining)?;
    Ok(client.block_on(client.set(write.id.clone(), content))?)
}

fn append(place: &Place, write: &CacheWrite) -> Result<()> {
    let content = content(write.file.as_deref())?;
    let (client, _cluster) = join(place, &write.joining)?;
    let length = client.block_on(client.append(write.id.clone(), content))?;
    say::note(format!("{} has {} now", write.id, say::size(length)));
    Ok(())
}

fn init(place: &Place, asked: &CacheInit) -> Result<()> {
    let init = Init { strategy: asked.strategy.into(), keep: asked.keep.into() };
    let (client, _cluster) = join(place, &asked.joining)?;
    if let Some(count) = asked.count {
        let [pattern] = asked.ids.as_slice() else {
            return Err(hinted(
                "a count belongs to one pattern",
                "write for example 's1/part-{}' --count 1000",
            ));
        };
        return Ok(client.block_on(client.init_numbered(pattern, count, &init))?);
    }
    let ids: Vec<Bytes> = match asked.ids.as_slice() {
        [dash] if dash == "-" => {
            let text =
                String::from_utf8(content(None)?.to_vec()).context("standard input is no text")?;
            text.lines().map(|line| Bytes::from(line.to_owned())).collect()
        }
        [pattern] if pattern.contains("{}") => {
            let hint = "say with --count how many numbers to put in place of {}";
            return Err(hinted(format!("{pattern} is a pattern without a count"), hint));
        }
        ids => ids.iter().map(|id| Bytes::from(id.clone())).collect(),
    };
    Ok(client.block_on(client.init(&ids, &init))?)
}

fn list(ids: &[(String, Option<u64>)], as_json: bool) -> Result<()> {
    if as_json {
        let row = |(id, length): &(String, Option<u64>)| json!({ "id": id, "length": length });
        return Ok(say::json(&ids.iter().map(row).collect())?);
    }
    let length = |length: &Option<u64>| length.map_or("absent".to_owned(), |it| it.to_string());
    let rows = ids.iter().map(|(id, bytes)| vec![id.clone(), length(bytes)]);
    say::table(&["ID", "BYTES"], rows.collect())?;
    Ok(())
}
