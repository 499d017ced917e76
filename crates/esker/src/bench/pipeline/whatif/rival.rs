//! The same change as an experiment of DVC.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};

use super::{SUM, result, rows};
use crate::bench::peers::{self, Tools, git};
use crate::bench::process::output;

/// A repository with the two stages.
pub(super) struct Experiments {
    dir: PathBuf,
    program: PathBuf,
    number: Cell<u64>,
}

impl Experiments {
    /// The two stages, run once and committed.
    pub(super) fn new(tools: &Tools, dir: &Path) -> Result<Self> {
        let program = tools.dvc().map_err(|reason| anyhow!(reason))?.to_owned();
        tools.git().map_err(|reason| anyhow!(reason))?;
        fs::create_dir(dir)?;
        let stages = format!(
            "stages:\n  sort:\n    cmd: sort raw.txt params.toml > mid.txt\n    deps: [raw.txt]\n    \
             params:\n    - params.toml:\n      - value\n    outs: [mid.txt]\n  \
             sum:\n    cmd: awk '{SUM}' mid.txt > out.txt\n    deps: [mid.txt]\n    outs: [out.txt]\n"
        );
        fs::write(dir.join("dvc.yaml"), stages)?;
        fs::write(dir.join("raw.txt"), rows())?;
        fs::write(dir.join("params.toml"), super::parameters(0))?;
        output(&mut git(dir, &["init", "--quiet"]))?;
        for (key, value) in [("user.name", "bench"), ("user.email", "bench@example.org")] {
            output(&mut git(dir, &["config", key, value]))?;
        }
        let experiments = Self { dir: dir.to_owned(), program, number: Cell::new(0) };
        experiments.dvc(&["init", "--quiet"])?;
        experiments.dvc(&["repro", "--quiet"])?;
        output(&mut git(dir, &["add", "--all"]))?;
        output(&mut git(dir, &["commit", "--quiet", "--message", "the stages"]))?;
        experiments.run()?;
        Ok(experiments)
    }

    fn dvc(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        output(peers::quiet(command.args(arguments)).current_dir(&self.dir))?;
        Ok(())
    }

    /// Another experiment, to the end of the program that makes its result, in seconds.
    pub(super) fn run(&self) -> Result<f64> {
        let number = self.number.get() + 1;
        self.number.set(number);
        let change = format!("params.toml:value={number}");
        let begun = Instant::now();
        self.dvc(&["exp", "run", "--quiet", "--set-param", &change])?;
        let time = begun.elapsed().as_secs_f64();
        let there = fs::read(self.dir.join("out.txt"))?;
        ensure!(there == result(number), "the result of an experiment of DVC is wrong");
        Ok(time)
    }
}
