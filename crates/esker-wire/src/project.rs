//! A project as the store keeps it: on the branch `project` lie the definition and the files that its programs and checks
//! are, as `file/PATH`, and as [`ABOUT`] what else a later run depends on.
//!
//! Every commit of `main` names the commit of that branch it was made under.

use std::fmt::Write as _;

use crate::fault::Fault;
use crate::message::{self, Section};
use crate::name::{BadName, Branch, Resource};
use crate::stacked;

/// The resource that tells about the project.
pub const ABOUT: &str = "about/project";
/// What the names of resources that are files begin with.
pub const FILES: &str = "file/";

/// The branch.
pub fn branch() -> Branch {
    "project".parse().expect("it is a branch's name")
}

/// What a project depends on besides its files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The esker that kept it, for example `esker 0.1.0`.
    pub engine: String,
    /// The machine its programs run on.
    pub host: String,
    /// The programs outside the project.
    pub tools: Vec<Tool>,
    /// The files that may be run, by their paths.
    pub executable: Vec<String>,
    /// The files that are not kept, by their paths, and why.
    pub left_out: Vec<(String, String)>,
}

/// A program outside the project, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    /// As commands name it: `python3`.
    pub name: String,
    /// Where it was found; nothing if it was not.
    pub path: String,
    /// The SHA-256 of its file in hexadecimal, or `esker` and the version for this very program; empty if it cannot be read.
    pub hash: String,
}

impl About {
    /// As a stacked stream.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut section =
            Section::new("project v1").with("engine", &self.engine).with("host", &self.host);
        for tool in &self.tools {
            section.push("tool", [&*tool.name, &*tool.hash, &*tool.path].join("\t"));
        }
        for path in &self.executable {
            section.push("executable", path);
        }
        for (path, why) in &self.left_out {
            section.push("left-out", format!("{path}\t{why}"));
        }
        let fields = section.fields.iter().map(|(key, value)| format!("{key}: {value}\n"));
        let mut out = Vec::new();
        stacked::write(&mut out, &section.name, fields.collect::<String>().as_bytes());
        out
    }

    /// Reads [`About::to_bytes`].
    ///
    /// # Errors
    /// `bad-request` if it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let sections = message::sections(bytes)?;
        let section = sections.iter().find(|section| section.name == "project v1");
        let section = section.ok_or_else(|| {
            Fault::bad_request("cannot read what a project says of itself: no `project v1`")
        })?;
        let tool = |text: &str| {
            let mut words = text.splitn(3, '\t').map(str::to_owned);
            let mut word = || words.next().unwrap_or_default();
            let (name, hash, path) = (word(), word(), word());
            Tool { name, path, hash }
        };
        let pair = |text: &str| {
            let (path, why) = text.split_once('\t').unwrap_or((text, ""));
            (path.to_owned(), why.to_owned())
        };
        Ok(Self {
            engine: section.get("engine").unwrap_or_default().to_owned(),
            host: section.get("host").unwrap_or_default().to_owned(),
            tools: section.all("tool").map(tool).collect(),
            executable: section.all("executable").map(str::to_owned).collect(),
            left_out: section.all("left-out").map(pair).collect(),
        })
    }
}

/// The resource that keeps the file of a path, which is relative and has `/` between its parts. What no resource may be
/// called is written as `%` and two hexadecimal digits.
///
/// # Errors
/// If the path is too long.
pub fn resource(path: &str) -> Result<Resource, BadName> {
    let plain = path.replace('%', "%25");
    if let Ok(resource) = format!("{FILES}{plain}").parse() {
        return Ok(resource);
    }
    let mut name = FILES.to_owned();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'/' => name.push(byte.into()),
            _ => write!(name, "%{byte:02X}").expect("a text takes everything"),
        }
    }
    name.parse()
}

/// The path of the file that a resource keeps; none if it keeps none.
pub fn path(resource: &Resource) -> Option<String> {
    let mut rest = resource.as_str().strip_prefix(FILES)?.as_bytes();
    let mut path = Vec::with_capacity(rest.len());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            path.push(*byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        path.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(path).ok().filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests;
