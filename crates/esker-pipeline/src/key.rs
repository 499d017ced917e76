//! The run key: what a run depends on, as one hash. The same key means the same effect.
//!
//! The key is the SHA-256, in lower-case hexadecimal, of these fields in this order:
//!
//! ```text
//! "esker run key 1"             the format's version; a new engine that computes otherwise changes it
//! "stage" | "file" | "folder" | "command" | "tap" | "git" | "http" | "hub" | "jira" | "sql"  what kind of thing runs
//! outputs, N, then each name
//! stage, command, tap: argv, N, then each word
//!                     code, the hash of the program's files, empty if it has none inside the project
//!                     env, N, then each name and the SHA-256 of its value, or "unset"
//!                     if there are any, ok_exit, N, then each exit code besides 0
//!                     if there is one, salt, its text
//! stage:              inputs, N, then each name and the git blob of its content, in the definition's order
//!                     if there is one, split, what it says, "true" or "false": whether some parts may fail
//! file:               format, "workbook" or "bytes"
//!                     sheets, N, then each name
//!                     content, the SHA-256 of the file, or "missing"
//! tap and fetched:    asked, N, then each word of the definition that decides what is asked for; a secret is
//!                     where it is kept, never what it is; then, where a file says more, file and its SHA-256
//! folder:             content, the SHA-256 of its files' names and hashes, or "missing"
//! allow_empty, "true" or "false"
//! gate, the hash of the guards, the checks and their files; left out, with its title, if there are none
//! if there are any, overrides, N, then each output they are for and the git blob of them
//! ```
//! Every field, counts included, is written as its length in decimal, a colon, its bytes and a line feed.
//! The stage's name, the machine and the limits are not part of it: renaming a stage or giving it more time
//! computes nothing anew.

use esker_wire::name::Resource;
use esker_wire::revision::Revision;
use sha2::{Digest, Sha256};

use crate::definition::{Origin, Program, Source, Stage};

/// What a source or stage depends on besides its inputs, as found on this machine just now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Print {
    /// The hash of the program's files inside the project; empty if there are none.
    pub(crate) code: String,
    /// Each declared environment variable and the hash of its value, if it is set.
    pub(crate) env: Vec<(String, Option<String>)>,
    /// The hash of a file source's content; none if the file cannot be read.
    pub(crate) file: Option<String>,
    /// The hash of the gate and of its files; empty if it judges nothing.
    pub(crate) gate: String,
    /// The overrides of its outputs: whose, and their content.
    pub(crate) overrides: Vec<(Resource, Revision)>,
}

/// A hash being computed, field by field.
struct Fields(Sha256);

impl Fields {
    fn new(kind: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.push("esker run key 1");
        fields.push(kind);
        fields
    }

    fn push(&mut self, field: &str) {
        self.0.update(format!("{}:", field.len()));
        self.0.update(field);
        self.0.update("\n");
    }

    fn push_all<'a>(&mut self, title: &str, items: impl ExactSizeIterator<Item = &'a str>) {
        self.push(title);
        self.push(&items.len().to_string());
        items.for_each(|item| self.push(item));
    }

    fn push_program(&mut self, program: &Program, print: &Print) {
        self.push_all("argv", program.argv.iter().map(String::as_str));
        self.push("code");
        self.push(&print.code);
        self.push_env(print);
        if !program.ok_exit.is_empty() {
            let codes: Vec<String> = program.ok_exit.iter().map(i32::to_string).collect();
            self.push_all("ok_exit", codes.iter().map(String::as_str));
        }
        if let Some(salt) = &program.salt {
            self.push("salt");
            self.push(salt);
        }
    }

    fn push_env(&mut self, print: &Print) {
        self.push("env");
        self.push(&print.env.len().to_string());
        for (name, value) in &print.env {
            self.push(name);
            self.push(value.as_deref().unwrap_or("unset"));
        }
    }

    fn finish(mut self, allow_empty: bool, print: &Print) -> String {
        self.push("allow_empty");
        self.push(if allow_empty { "true" } else { "false" });
        if !print.gate.is_empty() {
            self.push("gate");
            self.push(&print.gate);
        }
        if !print.overrides.is_empty() {
            self.push("overrides");
            self.push(&print.overrides.len().to_string());
            for (output, blob) in &print.overrides {
                self.push(output.as_str());
                self.push(&blob.to_string());
            }
        }
        hex(&self.0.finalize())
    }
}

/// The run key of a stage that reads these contents.
pub(crate) fn of_stage(stage: &Stage, print: &Print, inputs: &[(&Resource, Revision)]) -> String {
    let mut fields = Fields::new("stage");
    fields.push_all("outputs", stage.outputs.iter().map(Resource::as_str));
    fields.push_program(&stage.program, print);
    fields.push("inputs");
    fields.push(&inputs.len().to_string());
    for (resource, blob) in inputs {
        fields.push(resource.as_str());
        fields.push(&blob.to_string());
    }
    if let Some(split) = &stage.split {
        fields.push("split");
        fields.push(&split.by.to_string());
        fields.push(if split.partial { "true" } else { "false" });
    }
    fields.finish(stage.allow_empty, print)
}

/// The key of one part of a stage's input: the same program makes the same of the same bytes.
pub(crate) fn of_part(
    stage: &Stage,
    print: &Print,
    (name, stdin): (Option<&str>, &[u8]),
) -> String {
    let mut fields = Fields::new("part");
    fields.push_program(&stage.program, print);
    fields.push("name");
    fields.push(name.unwrap_or_default());
    fields.push("content");
    fields.push(&sha256(stdin));
    hex(&fields.0.finalize())
}

/// The run key of a source as it is now.
pub(crate) fn of_source(source: &Source, print: &Print) -> String {
    let output = std::iter::once(source.output.as_str());
    match &source.origin {
        Origin::Run(program) => {
            let mut fields = Fields::new("command");
            fields.push_all("outputs", output);
            fields.push_program(program, print);
            fields.finish(source.allow_empty, print)
        }
        Origin::Tap(tap) => {
            let mut fields = Fields::new("tap");
            fields.push_all("outputs", output);
            fields.push_program(&tap.program, print);
            fields.push_all("asked", tap.words().iter().map(String::as_str));
            fields.finish(source.allow_empty, print)
        }
        Origin::Pull(pull) => {
            let (kind, words) = pull.words();
            let mut fields = Fields::new(kind);
            fields.push_all("outputs", output);
            fields.push_all("asked", words.iter().map(String::as_str));
            fields.push_env(print);
            if pull.file().is_some() {
                fields.push("file");
                fields.push(print.file.as_deref().unwrap_or("missing"));
            }
            fields.finish(source.allow_empty, print)
        }
        Origin::Folder(_) => {
            let mut fields = Fields::new("folder");
            fields.push_all("outputs", output);
            fields.push("content");
            fields.push(print.file.as_deref().unwrap_or("missing"));
            fields.finish(source.allow_empty, print)
        }
        Origin::File { path, sheets } => {
            let workbook = crate::sheets::is_workbook(path);
            let mut fields = Fields::new("file");
            fields.push_all("outputs", output);
            fields.push("format");
            fields.push(if workbook { "workbook" } else { "bytes" });
            fields.push_all("sheets", sheets.iter().map(String::as_str));
            fields.push("content");
            fields.push(print.file.as_deref().unwrap_or("missing"));
            fields.finish(source.allow_empty, print)
        }
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
