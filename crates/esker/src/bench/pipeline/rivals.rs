//! The same two steps as others run them: make, and DVC.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};

use super::chain::{SUM, result, table};
use crate::bench::peers::{self, Tools};
use crate::bench::process::output;

/// One who runs the two steps in a folder, on files.
pub(super) struct Rival {
    dir: PathBuf,
    program: PathBuf,
    arguments: Vec<&'static str>,
    number: Cell<u64>,
}

/// make, with a rule for each step.
pub(super) fn make(tools: &Tools, dir: &Path) -> Result<Rival> {
    tools.make().map_err(|reason| anyhow!(reason))?;
    fs::create_dir(dir)?;
    let sum = SUM.replace('$', "$$");
    let rules = format!(
        "out.txt: mid.txt\n\tawk '{sum}' mid.txt > out.txt\nmid.txt: raw.txt\n\tsort raw.txt > mid.txt\n"
    );
    fs::write(dir.join("Makefile"), rules)?;
    Rival::new(dir, PathBuf::from("make"), vec!["-s"])
}

/// DVC, with a stage for each step.
pub(super) fn dvc(tools: &Tools, dir: &Path) -> Result<Rival> {
    let program = tools.dvc().map_err(|reason| anyhow!(reason))?.to_owned();
    fs::create_dir(dir)?;
    let stages = format!(
        "stages:\n  sort:\n    cmd: sort raw.txt > mid.txt\n    deps: [raw.txt]\n    outs: [mid.txt]\n  \
         sum:\n    cmd: awk '{SUM}' mid.txt > out.txt\n    deps: [mid.txt]\n    outs: [out.txt]\n"
    );
    fs::write(dir.join("dvc.yaml"), stages)?;
    output(peers::quiet(Command::new(&program).args(["init", "-q", "--no-scm"])).current_dir(dir))?;
    Rival::new(dir, program, vec!["repro", "-q"])
}

impl Rival {
    fn new(dir: &Path, program: PathBuf, arguments: Vec<&'static str>) -> Result<Self> {
        let rival = Self { dir: dir.to_owned(), program, arguments, number: Cell::new(0) };
        rival.change()?;
        Ok(rival)
    }

    /// Another input: from there to the end of the program that makes the result, in seconds.
    pub(super) fn change(&self) -> Result<f64> {
        let number = self.number.get() + 1;
        self.number.set(number);
        let content = table(number);
        let begun = Instant::now();
        fs::write(self.dir.join("raw.txt"), content)?;
        self.go()?;
        let time = begun.elapsed().as_secs_f64();
        let there = fs::read(self.dir.join("out.txt"))?;
        ensure!(there == result(number), "the result of {} is wrong", self.program.display());
        Ok(time)
    }

    /// Nothing has changed.
    pub(super) fn nothing(&self) -> Result<f64> {
        let begun = Instant::now();
        self.go()?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn go(&self) -> Result<()> {
        let mut command = Command::new(&self.program);
        output(peers::quiet(command.args(&self.arguments)).current_dir(&self.dir))?;
        Ok(())
    }
}
