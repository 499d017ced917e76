//! What a program printed, as the contents of its outputs.

use std::collections::BTreeMap;

use bytes::Bytes;
use esker_wire::stacked;

use crate::plan::Run;

use super::failure::Broken;
use super::{Halt, Made};

/// One output is all that was printed; several are the streams of a stacked stream, named like the resources.
pub(super) fn take(run: &Run, printed: Bytes, allow_empty: bool) -> Result<Made, Halt> {
    let contents = match run.outputs.as_slice() {
        [(only, _)] => vec![(only.clone(), printed)],
        several => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            let parts = split(&names, &printed)?;
            let outputs = several.iter().map(|(name, _)| name.clone());
            outputs.zip(parts).collect()
        }
    };
    for (name, content) in &contents {
        if content.is_empty() && !allow_empty {
            return Err(empty(name.as_str()).into());
        }
    }
    Ok(Made::new(contents, None))
}

/// What it means that there is nothing.
pub(crate) fn empty(output: &str) -> Broken {
    let summary = format!("nothing came out for {output}");
    let hint = "if that is right, write allow_empty = true; until then the last version stays";
    Broken::new(summary, hint)
}

/// The contents of exactly these streams, in this order.
pub(super) fn split(names: &[&str], printed: &[u8]) -> Result<Vec<Bytes>, Broken> {
    let hint =
        "print one stream per output: a line =====NAME, then its lines with a tab before each";
    let broken = |why: String| Broken::new(format!("cannot split the outputs: {why}"), hint);
    let streams = stacked::parse(printed).map_err(|error| broken(error.to_string()))?;
    let mut found = BTreeMap::new();
    for stream in &streams {
        let name = String::from_utf8_lossy(stream.name).into_owned();
        if !names.contains(&name.as_str()) {
            return Err(broken(format!(
                "line {}: the stream {name:?} is no output of this stage",
                stream.line
            )));
        }
        if found.contains_key(&name) {
            let line = stream.line;
            return Err(broken(format!("line {line}: the stream {name:?} comes twice")));
        }
        found.insert(name, Bytes::from(stream.content()));
    }
    names
        .iter()
        .map(|name| {
            let content = found.remove(*name);
            content.ok_or_else(|| broken(format!("the stream {name:?} is missing")))
        })
        .collect()
}
