//! Holds the rooms of ARCHITECTURE.md and the limits of STYLE.md: who may use whom, who may name what, how
//! long a file may be. Functions and parameters are held by clippy (see clippy.toml).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The longest source file, in lines.
const FILE_LINES_MAX: usize = 500;

/// Which crates of ours each crate may use.
const ROOMS: [(&str, &[&str]); 12] = [
    ("esker-wire", &[]),
    ("qplan", &[]),
    ("esker-cluster", &["esker-wire"]),
    ("esker-bus", &["esker-wire"]),
    ("esker-store", &["esker-wire", "esker-bus"]),
    ("esker-pipeline", &["esker-wire", "esker-bus"]),
    ("esker-replica", &["esker-wire", "esker-bus"]),
    ("esker-bulk", &["esker-wire", "esker-cluster", "esker-bus"]),
    ("esker-web", &["esker-wire", "esker-bus"]),
    ("libesker", &["esker-wire", "esker-cluster", "esker-bus", "esker-bulk"]),
    (
        "esker",
        &[
            "esker-wire",
            "esker-cluster",
            "esker-bus",
            "esker-store",
            "esker-pipeline",
            "esker-replica",
            "esker-bulk",
            "esker-web",
            "qplan",
        ],
    ),
    ("xtask", &[]),
];

/// Which one crate may depend on what stands for an outside thing.
const DEPENDENCY_OWNERS: [(&str, &str); 13] = [
    ("gix", "esker-store"),
    ("object_store", "esker-store"),
    ("omq", "esker-bus"),
    ("zmq", "esker-bus"),
    ("axum", "esker-web"),
    ("hyper", "esker-web"),
    ("calamine", "esker-pipeline"),
    // One writes a history out, the other reads a source.
    ("rusqlite", "esker"),
    ("rusqlite", "esker-pipeline"),
    ("postgres", "esker-pipeline"),
    // One fetches from servers, one asks Consul, one asks who has logged in elsewhere.
    ("ureq", "esker-pipeline"),
    ("ureq", "esker-cluster"),
    ("ureq", "esker-web"),
];

/// Which one crate may name what in its sources; tests drive real programs and are free to.
const NAME_OWNERS: [(&str, &str); 3] = [
    ("std::process::Command", "esker-pipeline"),
    ("process::{Command", "esker-pipeline"),
    ("omq_tokio", "esker-bus"),
];

/// The one file beside them that may name it: there the store runs the user's git.
const NAME_EXCEPTIONS: [(&str, &str); 1] =
    [("std::process::Command", "crates/esker-store/src/mirror/git.rs")];
/// Where processes are started besides: what a benchmark measures against is nothing without its process.
const PEERS: &str = "crates/esker/src/bench/";

/// What must not stand in any file of ours.
const FORBIDDEN: [&str; 3] = ["TODO", "FIXME", "#[ignore"];

/// Checks everything and reports every fault at once.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut faults = Vec::new();
    rooms(root, &mut faults)?;
    let files = tracked(root)?;
    for file in &files {
        if let Ok(text) = std::fs::read_to_string(root.join(file)) {
            source(file, &text, &mut faults);
        }
    }
    map(root, &mut faults)?;
    if faults.is_empty() {
        println!("tidy: {} files, all in order", files.len());
        return Ok(());
    }
    bail!("tidy found {} faults:\n  {}", faults.len(), faults.join("\n  "))
}

/// The workspace's edges are those of [`ROOMS`], and outside things have one owner.
fn rooms(root: &Path, faults: &mut Vec<String>) -> Result<()> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let ours = |name: &str| rooms.contains_key(name);
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = rooms.get(name) else {
            faults.push(format!("{name}: a crate that ROOMS in xtask/src/tidy.rs does not know"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let normal = dependency["kind"].is_null();
            if normal && ours(used) && !allowed.contains(&used) {
                faults.push(format!("{name} uses {used}; allowed are {allowed:?}"));
            }
            let owners = DEPENDENCY_OWNERS.iter().filter(|(prefix, _)| used.starts_with(prefix));
            let owners: Vec<&str> = owners.map(|(_, owner)| *owner).collect();
            if normal && !owners.is_empty() && !owners.contains(&name) {
                faults.push(format!("{name} depends on {used}, which belongs to {owners:?}"));
            }
        }
    }
    Ok(())
}

fn tracked(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("cannot run git ls-files")?;
    let text = String::from_utf8(output.stdout).context("git ls-files")?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn source(file: &str, text: &str, faults: &mut Vec<String>) {
    let code = [".rs", ".ts", ".svelte", ".css", ".mjs", ".py"];
    if !code.iter().any(|ending| file.ends_with(ending)) {
        return;
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        faults.push(format!("{file}: {lines} lines, {FILE_LINES_MAX} are allowed"));
    }
    if file.starts_with("xtask/") {
        return;
    }
    for word in FORBIDDEN {
        if let Some(at) = text.lines().position(|line| line.contains(word)) {
            faults.push(format!("{file}:{}: {word}", at + 1));
        }
    }
    if file.ends_with(".rs") {
        rust(file, text, faults);
    }
}

fn rust(file: &str, text: &str, faults: &mut Vec<String>) {
    if !text.starts_with("//!") {
        faults.push(format!("{file}: begin with `//!` and what the file is for"));
    }
    let test = ["/tests/", "/tests.rs", "/benches/", "/examples/", "build.rs"];
    if test.iter().any(|part| file.contains(part)) {
        return;
    }
    let owner = file.split('/').nth(1).unwrap_or_default();
    for (index, line) in text.lines().enumerate() {
        let place = format!("{file}:{}", index + 1);
        for (name, owned_by) in NAME_OWNERS {
            let is_excepted = NAME_EXCEPTIONS.contains(&(name, file))
                || file.starts_with(PEERS) && owned_by == "esker-pipeline";
            if line.contains(name) && owner != owned_by && !is_excepted {
                faults.push(format!("{place}: {name} belongs to {owned_by}"));
            }
        }
        if line.trim_start().starts_with("pub use esker_") {
            faults.push(format!("{place}: a re-export; one thing has one path"));
        }
        if line.contains("#[allow(") || line.contains("#![allow(") {
            faults.push(format!("{place}: write #[expect(.., reason = ..)] instead"));
        }
    }
}

/// Every crate and every top-level folder has its line in ARCHITECTURE.md.
fn map(root: &Path, faults: &mut Vec<String>) -> Result<()> {
    let map = std::fs::read_to_string(root.join("ARCHITECTURE.md"))
        .context("cannot read ARCHITECTURE.md")?;
    for (name, _) in ROOMS {
        if !map.contains(&format!("`{name}`")) {
            faults.push(format!("ARCHITECTURE.md: the map lacks `{name}`"));
        }
    }
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') || name == "target";
        if entry.path().is_dir() && !hidden && !map.contains(&format!("{name}/")) {
            faults.push(format!("ARCHITECTURE.md: the map lacks {name}/"));
        }
    }
    Ok(())
}
