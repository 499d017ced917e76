//! Which processes descend from which, as `/proc` tells.

use std::fs;

use rustix::process::Pid;

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
