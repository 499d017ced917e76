//! Running a tap: what it is given, and its streams as resources below the source's output.

mod merge;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use esker_wire::name::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::definition::tap::Tap;
use crate::definition::{Program, Source};
use crate::plan::Run;
use crate::run::failure::{self, Broken};
use crate::run::line::Line;
use crate::run::{self, Bench, Halt, Made, SCRATCH, output};

use super::secrets::Secrets;
use super::singer::{self, Said, Stream, Wrong};
use super::state;

/// The most streams of one tap: all of them are stored by one PUT.
const STREAMS_MAX: usize = 900;

/// What is remembered of a tap.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// Where it wants to go on from.
    bookmark: Option<Box<RawValue>>,
    #[serde(default)]
    streams: BTreeMap<String, Known>,
}

/// What is remembered of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// The properties that tell its records apart.
    keys: Vec<String>,
    /// The version all of its records are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Another version that some may be of.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// A run of a tap.
struct Errand<'a> {
    bench: &'a Bench,
    line: &'a Line,
    source: &'a Source,
    tap: &'a Tap,
}

/// Runs the tap, and takes what it says only if it ends well: then the records and the bookmark are stored together.
pub(crate) fn fetch(
    (bench, line): (&Bench, &Line),
    run: &mut Run,
    (source, tap): (&Source, &Tap),
) -> Result<Made, Halt> {
    let mut secrets = Secrets::open(&bench.dir, tap.secrets())?;
    secrets.hide_config(&bench.dir, &tap.program.argv);
    let errand = Errand { bench, line, source, tap };
    errand.fetch(run, &secrets).map_err(|halt| secrets.redact_halt(halt))
}

impl Errand<'_> {
    fn fetch(&self, run: &mut Run, secrets: &Secrets) -> Result<Made, Halt> {
        let Some((kept, head)) = run.outputs.first().cloned() else {
            return Err(Halt::Again("the source has no state".to_owned()));
        };
        let memory = self.memory(run, &kept)?;
        let said = self.listen(run, (&memory, secrets))?;
        let mut outputs = Vec::new();
        let mut contents = Vec::new();
        let mut next =
            Memory { bookmark: bookmark(&said, &memory)?, streams: memory.streams.clone() };
        let mut is_empty = true;
        for (resource, name, stream) in self.resources(&said)? {
            let known = memory.streams.get(name);
            let before = state::at((self.bench, self.line), run, &resource)?;
            let bytes = before.as_ref().map(|(_, bytes)| bytes.clone());
            let how = merge::How { known, replace: self.tap.replace.has(name) };
            let (text, known) = merge::merge(stream, bytes.as_deref(), &how)
                .map_err(|why| self.broken(&format!("{resource}: {why}"), MEMORY))?;
            next.streams.insert(name.clone(), known);
            is_empty &= text.is_empty();
            if bytes.as_deref() != Some(text.as_bytes()) {
                outputs.push((resource.clone(), before.map(|(revision, _)| revision)));
                contents.push((resource, Bytes::from(text)));
            }
        }
        if is_empty && !self.source.allow_empty {
            return Err(output::empty(self.source.output.as_str()).into());
        }
        if contents.is_empty() && head.is_some() && same_streams(&memory, &next) {
            return Err(Halt::Unchanged);
        }
        outputs.push((kept.clone(), head));
        run.outputs = outputs;
        let state = Some((kept, memory_text(&next)?.into()));
        Ok(Made::new(contents, None).with_state(state))
    }

    fn memory(&self, run: &Run, kept: &Resource) -> Result<Memory, Halt> {
        let Some(bytes) = state::read((self.bench, self.line), run, kept)? else {
            return Ok(Memory::default());
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            self.broken(&format!("{kept} is not what was left there: {error}"), MEMORY).into()
        })
    }

    /// Runs the tap; what it says.
    fn listen(&self, run: &Run, (memory, secrets): (&Memory, &Secrets)) -> Result<Said, Halt> {
        let folder = self.bench.dir.join(SCRATCH);
        std::fs::create_dir_all(&folder)?;
        let folder = tempfile::Builder::new().prefix("tap-").tempdir_in(folder)?;
        let program = self.program((memory, secrets), &folder)?;
        let input = (Bytes::new().into(), self.line);
        let printed = run::execute_with(self.bench, run, (&program, secrets), input);
        let printed = printed.map_err(|halt| self.renamed(halt, &program))?;
        singer::read(&printed).map_err(|wrong| {
            let Wrong { line, what, hint } = wrong;
            self.broken(&format!("line {line} that it prints is {what}"), hint).into()
        })
    }

    /// The program with the files it is given.
    fn program(
        &self,
        (memory, secrets): (&Memory, &Secrets),
        folder: &TempDir,
    ) -> Result<Program, Halt> {
        let mut program = self.tap.program.clone();
        let mut give = |option: &str, name: &str, text: &str| -> Result<(), Halt> {
            let path = folder.path().join(name);
            write(&path, text)?;
            program.argv.extend([option.to_owned(), path.display().to_string()]);
            Ok(())
        };
        if let Some(config) = &self.tap.config {
            let mut config = config.clone();
            for (place, secret) in &self.tap.secrets {
                if let Some(value) = config.pointer_mut(place) {
                    *value = Value::from(secrets.of(secret));
                }
            }
            give("--config", "config.json", &config.to_string())?;
        }
        if let Some(bookmark) = &memory.bookmark {
            give("--state", "state.json", bookmark.get())?;
        }
        Ok(program)
    }

    /// A failure by the name under which people know the tap.
    fn renamed(&self, halt: Halt, program: &Program) -> Halt {
        let Halt::Broken(broken) = halt else {
            return halt;
        };
        let known = failure::name(&self.tap.program.argv);
        let summary = broken.summary.replace(&failure::name(&program.argv), &known);
        let told = &broken.detail;
        let is_told = |words: &[&str]| words.iter().any(|word| told.contains(word));
        if is_told(&["429", "Too Many Requests", "rate limit", "RateLimit"]) {
            let hint = "the server wants to be asked less often: a longer `every`";
            return Halt::Broken(Broken { summary, hint: hint.to_owned(), ..broken }.temporary());
        }
        let hint = match is_told(&["401", "403", "nauthorized", "orbidden"]) {
            true => "are the secrets in its config still valid?".to_owned(),
            false => broken.hint,
        };
        Halt::Broken(Broken { summary, hint, ..broken })
    }

    fn broken(&self, what: &str, hint: &str) -> Broken {
        let name = failure::name(&self.tap.program.argv);
        Broken::new(format!("cannot take what {name} brings: {what}"), hint)
    }

    /// What the streams are kept as, each as one of its own.
    fn resources<'s>(
        &self,
        said: &'s Said,
    ) -> Result<Vec<(Resource, &'s String, &'s Stream)>, Halt> {
        let mut all: Vec<(Resource, &String, &Stream)> = Vec::new();
        for (name, stream) in &said.streams {
            let resource = self.resource(name)?;
            if let Some((_, other, _)) = all.iter().find(|(known, _, _)| *known == resource) {
                let what = format!("the streams {other:?} and {name:?} would both be {resource}");
                return Err(self.broken(&what, "leave one of them out with a `catalog`").into());
            }
            all.push((resource, name, stream));
        }
        if all.len() > STREAMS_MAX {
            let what = format!("more than {STREAMS_MAX} streams");
            return Err(self.broken(&what, "leave some of them out with a `catalog`").into());
        }
        Ok(all)
    }

    fn resource(&self, stream: &str) -> Result<Resource, Broken> {
        let plain = |c: char| if c.is_control() || "\\@:/".contains(c) { '_' } else { c };
        let name: String = stream.chars().map(plain).collect();
        let name = format!("{}/{name}", self.source.output);
        name.parse().map_err(|error| {
            self.broken(&format!("the stream {stream:?}: {error}"), "leave it out with a `catalog`")
        })
    }
}

const MEMORY: &str = "put back an earlier version of it, or {} in state/NAME to begin anew";

/// A file for the tap alone: the folder is this user's.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::File::create_new(path)?.write_all(text.as_bytes())
}

fn bookmark(said: &Said, memory: &Memory) -> Result<Option<Box<RawValue>>, Halt> {
    let Some(bookmark) = &said.bookmark else {
        return Ok(memory.bookmark.clone());
    };
    let raw = RawValue::from_string(bookmark.clone());
    raw.map(Some)
        .map_err(|error| Broken::new(format!("cannot keep the bookmark: {error}"), "").into())
}

fn same_streams(one: &Memory, other: &Memory) -> bool {
    one.streams == other.streams
}

fn memory_text(memory: &Memory) -> Result<String, Halt> {
    let text = serde_json::to_string_pretty(memory);
    text.map(|text| text + "\n")
        .map_err(|error| Broken::new(format!("cannot keep what is remembered: {error}"), "").into())
}
