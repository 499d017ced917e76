//! The processes of this machine, as far as the kernel tells: who was started by whom, and who still lives.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal};

/// A process, told from a later one of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pid: i32,
    /// When it started, in the kernel's ticks since boot.
    start: u64,
}

impl Process {
    pub(super) fn is_alive(self) -> bool {
        read(self.pid).is_some_and(|(process, _, state)| process == self && state != "Z")
    }

    /// Kills it, as a loss of power would.
    pub(super) fn kill(self) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.is_alive()) {
            // It may end by itself at this moment.
            let _ended = rustix::process::kill_process(pid, Signal::KILL);
        }
    }

    /// Whether it works in a folder.
    fn is_in(self, dir: &Path) -> bool {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).is_ok_and(|cwd| cwd.starts_with(dir))
    }
}

/// A process, its parent, and its state.
fn read(pid: i32) -> Option<(Process, i32, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let start = fields.get(19)?.parse().ok()?;
    Some((Process { pid, start }, fields.get(1)?.parse().ok()?, (*fields.first()?).to_owned()))
}

fn all() -> Vec<(Process, i32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(read).map(|(process, parent, _)| (process, parent)).collect()
}

/// All that a process has started, and what that has.
pub(super) fn below(pid: u32) -> BTreeSet<Process> {
    let all = all();
    let mut found = BTreeSet::new();
    let mut parents = vec![i32::try_from(pid).unwrap_or_default()];
    while let Some(parent) = parents.pop() {
        let children = all.iter().filter(|(_, above)| *above == parent);
        for (child, _) in children {
            if found.insert(*child) {
                parents.push(child.pid);
            }
        }
    }
    found
}

/// All that work in a folder.
pub(super) fn inside(dir: &Path) -> BTreeSet<Process> {
    all().into_iter().map(|(process, _)| process).filter(|process| process.is_in(dir)).collect()
}
