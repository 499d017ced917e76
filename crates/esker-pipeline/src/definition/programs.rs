//! Whether what a definition names is there on this machine: programs and source files.

use std::collections::HashMap;
use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::defect::{Defect, Severity};
use super::gate::Judge;
use super::read::Places;
use super::{Definition, ESKER, Origin, Program};
use crate::gate::file::{Rules, Unusable};

pub(super) fn check(dir: &Path, definition: &Definition, places: &Places) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut add = |name: &str, severity, message: String, hint: String| {
        let (line, column) = places.origins.get(name).copied().unwrap_or((1, 1));
        defects.push(Defect { line, column, severity, message, hint });
    };
    let mut found: HashMap<&str, Result<(), (String, String)>> = HashMap::new();
    for (name, program) in definition.programs() {
        let word = program.argv[0].as_str();
        if let Err((message, hint)) = found.entry(word).or_insert_with(|| find(dir, word)).clone() {
            add(name, Severity::Error, message, hint);
        }
        for word in missing(dir, program) {
            let message = format!("{name} runs with {word}, which is not in the project");
            add(name, Severity::Warning, message, "correct the name, or write the file".into());
        }
        for path in program.code.iter().flatten() {
            if !dir.join(path).exists() {
                let message = format!("`code` of {name}: there is no {path} in the project");
                let hint = "correct the path, or remove it".to_owned();
                add(name, Severity::Error, message, hint);
            }
        }
    }
    for source in &definition.sources {
        if let Origin::File { path, .. } = &source.origin
            && !dir.join(path).is_file()
        {
            let message = format!("the file {path} of source {} does not exist", source.name);
            let hint = "the source waits until it does".to_owned();
            add(&source.name, Severity::Warning, message, hint);
        }
        if let Origin::Folder(pattern) = &source.origin
            && !dir.join(pattern.folder()).is_dir()
        {
            let message = format!("the folder of source {} does not exist", source.name);
            add(
                &source.name,
                Severity::Warning,
                message,
                "the source waits until it does".to_owned(),
            );
        }
        let secrets = match &source.origin {
            Origin::Pull(pull) => pull.secrets(),
            Origin::Tap(tap) => tap.secrets(),
            Origin::Run(program) => program.secrets.iter().map(|(_, secret)| secret).collect(),
            Origin::File { .. } | Origin::Folder(_) => Vec::new(),
        };
        for secret in secrets.into_iter().filter(|secret| !secret.is_there(dir)) {
            let message = format!("the secret {secret} of source {} is not there", source.name);
            let hint = "set it where esker is started, or correct the name".to_owned();
            add(&source.name, Severity::Warning, message, hint);
        }
    }
    let secrets = definition.told_secrets().chain(definition.let_in_secrets());
    for (name, secret) in secrets.filter(|(_, secret)| !secret.is_there(dir)) {
        let message = format!("the secret {secret} of {name} is not there");
        let hint = "set it where esker is started, or correct the name".to_owned();
        add(name, Severity::Warning, message, hint);
    }
    defects.extend(check_gates(dir, definition, places));
    defects
}

/// Whether the checks can be made: their files are schemas, their programs are there.
fn check_gates(dir: &Path, definition: &Definition, places: &Places) -> Vec<Defect> {
    let mut defects = Vec::new();
    let mut add = |place: (usize, usize), severity, (message, hint): (String, String)| {
        let (line, column) = place;
        defects.push(Defect { line, column, severity, message, hint });
    };
    for (name, gate) in definition.gates() {
        let places = places.checks.get(name).map(Vec::as_slice).unwrap_or_default();
        for (index, check) in gate.checks.iter().enumerate() {
            let place = places.get(index).copied().unwrap_or((1, 1));
            let program = match &check.judge {
                Judge::File(path) => {
                    if let Err(Unusable { message, hint }) = Rules::load(dir, path) {
                        add(place, Severity::Error, (message, hint));
                    }
                    continue;
                }
                Judge::Run(program) => program,
            };
            if let Err(wrong) = find(dir, &program.argv[0]) {
                add(place, Severity::Error, wrong);
            }
            for word in missing(dir, program) {
                let message = format!("a check of {name} runs {word}, which is not in the project");
                let hint = "correct the name, or write the file".to_owned();
                add(place, Severity::Warning, (message, hint));
            }
        }
    }
    defects
}

/// The arguments of a program that are most likely its files, and are not there.
fn missing<'p>(dir: &Path, program: &'p Program) -> impl Iterator<Item = &'p String> {
    let dir = dir.to_owned();
    let words = program.argv[1..].iter();
    words.filter(move |word| is_script(word) && !dir.join(word).exists())
}

/// Whether an argument is most likely a program's file.
fn is_script(word: &str) -> bool {
    const ENDINGS: [&str; 9] = ["awk", "jl", "js", "lua", "pl", "py", "r", "rb", "sh"];
    let name = word.rsplit_once('.').filter(|(name, _)| !name.is_empty());
    let is_plain = !word.starts_with('-') && !word.contains(char::is_whitespace);
    is_plain && name.is_some_and(|(_, end)| ENDINGS.contains(&end.to_lowercase().as_str()))
}

/// Whether the program can be started: what is wrong and what to do, if not.
fn find(dir: &Path, program: &str) -> Result<(), (String, String)> {
    if program == ESKER {
        return Ok(());
    }
    if program.contains('/') {
        let path = dir.join(program);
        return match (path.is_file(), is_executable(&path)) {
            (true, true) => Ok(()),
            (true, false) => {
                Err((format!("{program} is not executable"), format!("run: chmod +x {program}")))
            }
            (false, _) => Err((
                format!("the program {program} does not exist"),
                "correct the path; it is relative to the project's folder".to_owned(),
            )),
        };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = env::split_paths(&path).collect();
    if places.iter().any(|place| is_executable(&place.join(program))) {
        return Ok(());
    }
    let hint = if dir.join(program).is_file() {
        format!("write \"./{program}\" for the file in the project")
    } else {
        "install it, or correct the name".to_owned()
    };
    Err((format!("the program {program} is not in PATH"), hint))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
