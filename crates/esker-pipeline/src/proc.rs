//! Which processes descend from which, as `/proc` tells.

use std::fs;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// The direct children of a process.
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let family = family();
    let ours = family.into_iter().filter(|(_, above)| *above == parent);
    ours.map(|(pid, _)| pid).collect()
}

/// Every descendant of a process, the nearest first.
pub(crate) fn descendants(ancestor: Pid) -> Vec<Pid> {
    let family = family();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let below = family.iter().filter(|(_, above)| *above == parent);
        found.extend(below.map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// The processes that have this variable, `NAME=value`, in their environment, as they were started.
pub(crate) fn with_variable(variable: &[u8]) -> Vec<OwnedFd> {
    let has = |pid: Pid| {
        let path = format!("/proc/{}/environ", pid.as_raw_nonzero());
        let environment = fs::read(path).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == variable)
    };
    let family = family().into_iter().map(|(pid, _)| pid);
    // Once it is held, the number is that process's: look again before it is taken for the one seen.
    let held = family.filter(|pid| has(*pid)).filter_map(|pid| {
        let leash = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        has(pid).then_some(leash)
    });
    held.collect()
}

/// Every process with its parent.
fn family() -> Vec<(Pid, Pid)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|number: i32| {
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
            Some((Pid::from_raw(number)?, parent(&stat)?))
        })
        .collect()
}

/// The parent in a `stat` line: the second field after the name, which ends at the last parenthesis.
fn parent(stat: &str) -> Option<Pid> {
    let (_, rest) = stat.rsplit_once(')')?;
    let parent = rest.split_whitespace().nth(1)?;
    Pid::from_raw(parent.parse().ok()?)
}
