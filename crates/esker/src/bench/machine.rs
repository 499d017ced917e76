//! What was measured on: the machine, the disk and the versions, without which no number means anything.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// File systems that keep nothing: a flush there is free, and a ratio to it says nothing.
const MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// The machine, as far as this one tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    cores: usize,
    cpu: String,
    kernel: String,
    file_system: String,
    memory: u64,
}

impl Machine {
    /// This machine, and the file system of a folder.
    pub(crate) fn here(dir: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kernel = rustix::system::uname();
        let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            kernel: format!("{} {}", text(kernel.sysname()), text(kernel.release())),
            file_system: file_system(&read("/proc/self/mounts"), dir).unwrap_or_else(unknown),
            memory: field(&read("/proc/meminfo"), "MemTotal").map_or(0, |text| kilobytes(&text)),
        }
    }

    /// Whether the folder is in memory, where nothing can be made durable.
    pub(crate) fn is_in_memory(&self) -> bool {
        MEMORY.contains(&self.file_system.as_str())
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let Self { cores, cpu, kernel, file_system, .. } = self;
        let memory = crate::say::size(self.memory);
        format!("{cores} cores ({cpu}), {kernel}, {file_system}, {memory} of memory")
    }

    /// The same for machines.
    pub(crate) fn json(&self) -> Value {
        json!({
            "cores": self.cores,
            "cpu": self.cpu,
            "kernel": self.kernel,
            "file_system": self.file_system,
            "memory": self.memory,
        })
    }
}

/// The bytes of memory that nobody uses, or would give back at once.
pub(crate) fn available() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    field(&told, "MemAvailable").map_or(0, |text| kilobytes(&text))
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The value of a line `NAME : VALUE`.
pub(crate) fn field(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}

/// The bytes of a value like `24 kB`.
pub(crate) fn kilobytes(text: &str) -> u64 {
    let number = text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    number.unwrap_or_default() * 1024
}

/// The type of the file system that holds a folder, by the longest mount point above it; a later mount hides
/// an earlier one.
fn file_system(mounts: &str, dir: &Path) -> Option<String> {
    let mut found: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(point), Some(kind)) = (words.next(), words.next()) else {
            continue;
        };
        let point = point.replace("\\040", " ");
        if dir.starts_with(&point) && found.is_none_or(|(length, _)| point.len() >= length) {
            found = Some((point.len(), kind));
        }
    }
    found.map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests;
