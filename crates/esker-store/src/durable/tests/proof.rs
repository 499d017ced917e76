//! The proof that nothing acknowledged is lost: a script of all that a store does, its power cut at every deed, and
//! every deed made to fail.
//!
//! `ESKER_PROOF=all` looks at everything; without it a part is looked at, another in every run.

mod failures;
mod model;
mod power;
mod script;

use std::path::Path;
use std::process::Command;

/// Whether everything is looked at.
fn is_whole() -> bool {
    std::env::var("ESKER_PROOF").is_ok_and(|text| text == "all")
}

/// A folder in memory where there is such a thing: a power cut is played, so nothing need reach a disk.
fn folder() -> tempfile::TempDir {
    tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap()
}

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    /// Told in the output, so that a failure can be seen again.
    fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let seed = std::env::var("ESKER_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| now.subsec_nanos().into());
        println!("ESKER_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// What the real git finds wrong.
fn fsck(dir: &Path) -> Result<(), String> {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "fsck", "--strict", "--no-dangling", "--no-progress"]);
    let output = git.env("GIT_CONFIG_NOSYSTEM", "1").current_dir(dir).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    // What has no commit yet is no fault.
    let faults = text.lines().filter(|line| !line.starts_with("notice: "));
    let faults: Vec<&str> = faults.collect();
    if output.status.success() && faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}
