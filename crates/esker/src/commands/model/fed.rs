//! A model that a program writes on our standard input: JSON lines, each of them one transaction.

use std::io::{BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use esker_replica::json::{self, Json};
use esker_replica::live::Source;
use esker_replica::model::Model;
use esker_replica::op::{Act, Op};
use esker_replica::path;
use esker_replica::publisher::{Now, Options, Publisher};

use crate::say::hinted;
use crate::stop::Stop;

/// The longest line: what is read takes many times as much memory.
const LINE_MAX: u64 = 32 * 1024 * 1024;

/// The lines that are read ahead.
const AHEAD_MAX: usize = 4;

/// How often to look whether it is to end while nothing comes.
const WAIT: Duration = Duration::from_millis(100);

/// Transactions as they come.
pub(super) struct Fed {
    lines: Receiver<Result<Vec<Op>>>,
}

impl Fed {
    /// Begins to read.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start() -> Result<Self> {
        let (told, lines) = sync_channel(AHEAD_MAX);
        std::thread::Builder::new().name("standard input".to_owned()).spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut number = 0;
            while let Some(line) = next(&mut input, &mut number, LINE_MAX).transpose() {
                let is_over = line.is_err();
                if told.send(line).is_err() || is_over {
                    return;
                }
            }
        })?;
        Ok(Self { lines })
    }

    /// The model that the first line makes, which is there before anybody hears of it: so one that is started again
    /// with what it had costs its replicas nothing.
    ///
    /// # Errors
    /// If the line is no transaction.
    pub(super) fn first(&self, options: &Options, stop: &Stop) -> Result<Option<Model>> {
        let Some(ops) = self.next(stop)? else { return Ok(None) };
        let mut publisher = Publisher::new(options.clone());
        publisher.change(&ops, Now::default()).map_err(anyhow::Error::from)?;
        Ok(Some(publisher.model().clone()))
    }

    /// Changes the model by all that comes, until there is no more or it is to stop.
    ///
    /// # Errors
    /// If a line is no transaction.
    pub(super) fn feed(&self, source: &Source, stop: &Stop) -> Result<()> {
        while let Some(ops) = self.next(stop)? {
            source.push(ops)?;
        }
        // What was pushed is published before this is answered.
        source.model()?;
        Ok(())
    }

    /// The next transaction; nothing if there is none, or if it is to stop.
    fn next(&self, stop: &Stop) -> Result<Option<Vec<Op>>> {
        while !stop.is_pulled() {
            match self.lines.recv_timeout(WAIT) {
                Ok(line) => return line.map(Some),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// The next line's operations, and the line's number; blank lines are passed over.
fn next(input: &mut impl BufRead, number: &mut u64, most: u64) -> Result<Option<Vec<Op>>> {
    let mut line = Vec::new();
    let mut bytes = 0;
    while line.trim_ascii().is_empty() {
        line.clear();
        *number += 1;
        bytes =
            input.take(most).read_until(b'\n', &mut line).context("cannot read standard input")?;
        if bytes == 0 || bytes as u64 == most {
            break;
        }
    }
    match bytes {
        0 => Ok(None),
        bytes if bytes as u64 == most => {
            bail!(hinted(format!("line {number} has {most} bytes or more"), "more transactions"))
        }
        _ => {
            let hint = r#"for example {"op": "set", "path": ["tasks", "a"], "value": 1}, or several of them in [ ]"#;
            let ops = transaction(&line);
            ops.map(Some).map_err(|error| hinted(format!("line {number}: {error:#}"), hint))
        }
    }
}

/// The operations of a line: of one as `esker model watch --json` prints it, or of a list of them.
fn transaction(line: &[u8]) -> Result<Vec<Op>> {
    let line: Json = serde_json::from_slice(line).context("not JSON")?;
    let mut ops = Vec::new();
    match &line {
        Json::Array(all) => all.iter().try_for_each(|one| add(one, &mut ops))?,
        one => add(one, &mut ops)?,
    }
    Ok(ops)
}

fn add(said: &Json, ops: &mut Vec<Op>) -> Result<()> {
    let keys = said["path"].as_array().context("no path: that is an array of texts")?;
    let keys: Option<Vec<&str>> = keys.iter().map(Json::as_str).collect();
    let mut path = path::path(keys.context("a path is a list of texts")?);
    let act = match said["op"].as_str() {
        Some("set") => {
            let value = said.get("value").context("a set without a value")?;
            json::tree(value).set(&mut path, ops);
            return Ok(());
        }
        Some("remove") => Act::Delete,
        Some("dict") => Act::Dict,
        Some("clear") => Act::Clear,
        _ => bail!("an op is set, remove, dict or clear"),
    };
    ops.push(Op { path, act });
    Ok(())
}

#[cfg(test)]
mod tests;
