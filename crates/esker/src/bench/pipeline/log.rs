//! What the runner tells in its log: of each look, and of what comes into force.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use crate::bench::process::PATIENCE;

/// How often to look for another line.
const LOOK: Duration = Duration::from_micros(500);

/// A log that is read as it grows.
pub(super) struct Tail {
    file: BufReader<File>,
    line: String,
}

impl Tail {
    /// From its end on, or its beginning if it is yet to be.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut file = File::options().create(true).append(true).read(true).open(path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file: BufReader::new(file), line: String::new() })
    }

    /// Waits for a line that is wanted.
    pub(super) fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            self.file.read_line(&mut self.line)?;
            if !self.line.ends_with('\n') {
                std::thread::sleep(LOOK);
                continue;
            }
            let said: Value = serde_json::from_str(&self.line).unwrap_or_default();
            self.line.clear();
            if wanted(&said) {
                return Ok(said);
            }
        }
        bail!("the runner does not tell what is waited for within {PATIENCE:?}");
    }

    /// Waits for the next look.
    pub(super) fn look(&mut self) -> Result<Look> {
        self.wait(|said| said["message"] == "looked").map(Look)
    }

    /// Waits for a look that finds nothing to do.
    pub(super) fn fresh(&mut self) -> Result<Look> {
        self.wait(|said| said["message"] == "looked" && said["fresh"] == said["parts"]).map(Look)
    }

    /// Forgets what was said up to now.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.line.clear();
        self.file.seek(SeekFrom::End(0))?;
        Ok(())
    }
}

/// What a look has cost and found.
pub(super) struct Look(Value);

impl Look {
    /// What one part of it took, in seconds.
    pub(super) fn took(&self, part: &str) -> f64 {
        self.0[format!("{part}_us")].as_f64().unwrap_or(f64::NAN) / 1e6
    }

    /// How many runs it has started.
    pub(super) fn started(&self) -> u64 {
        self.0["started"].as_u64().unwrap_or(u64::MAX)
    }
}
