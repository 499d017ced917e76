//! What the documentation shows is what happens: its definitions are good, its commands run.
//!
//! A block marked `toml` is a definition, or a part of one. The blocks of a page marked `console` are run one after
//! the other in one project: lines after `$ ` are commands for a shell with `esker` in its path, other lines
//! are what they print, with `…` for whatever differs from time to time. A block of another kind that has a word
//! more, as `csv sales.csv`, is the file of that name. `examples` is there. The blocks marked `python` of docs/python.md are one program.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use esker_pipeline::definition::Definition;
use jiff::Timestamp;

use crate::sync_clients::{Model, python, test_program};
use crate::world::{World, esker, repository};

pub(crate) struct Block {
    pub(crate) kind: String,
    line: usize,
    pub(crate) text: String,
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![repository().join("README.md")];
    for entry in fs::read_dir(repository().join("docs")).expect("docs/") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages
}

pub(crate) fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).expect("a page");
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(kind) if !open => {
                blocks.push(Block { kind: kind.to_owned(), line: index + 1, text: String::new() });
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                let block = blocks.last_mut().expect("one is open");
                block.text += line;
                block.text.push('\n');
            }
            None => {}
        }
    }
    blocks
}

#[test]
fn every_definition_is_good() {
    let mut seen = 0;
    for page in pages() {
        for block in blocks(&page).iter().filter(|block| block.kind.starts_with("toml")) {
            let whole = if block.text.contains("[project]") {
                block.text.clone()
            } else {
                format!("[project]\nname = \"p\"\n{}", block.text)
            };
            let (definition, defects) = Definition::parse(&whole, Timestamp::now());
            assert!(definition.is_some(), "{}:{}: {defects:?}", page.display(), block.line);
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} definitions");
}

#[test]
fn every_command_runs() {
    let mut seen = 0;
    for page in pages() {
        let blocks = blocks(&page);
        if blocks.iter().any(|block| block.kind == "console") {
            seen += play(&page, &blocks);
        }
    }
    assert!(seen >= 10, "{seen} commands");
}

/// What the pages of the package for Python show runs, beside a project and a model of one's own.
#[test]
fn the_python_of_pages_runs() {
    let definition = "[project]\nname = \"p\"\n[stage.plan]\ninput = \"raw/plan\"\n\
        run = [\"cat\"]\noutput = \"results/plan\"\n";
    let world = World::new(definition);
    let _up = world.up();
    world.ok_with(&["put", "raw/plan"], b"id,name\n1,ann\n");
    let model = Model::new();
    let _suite = model.serve_with(&[]);
    let project = world.endpoints()["model"]["requests"].clone();
    let project = project.as_str().expect("an address");
    world.wait_for("the stage", || {
        let output = world.run(&["model", "get", "stages", "plan", "state"]);
        output.stdout == b"\"fresh\"\n"
    });
    let pages =
        [("docs/python.md", "5 blocks, 1 values"), ("python/README.md", "1 blocks, 0 values")];
    for (page, wanted) in pages {
        let mut python = python();
        python.arg(test_program("snippets.py")).arg(repository().join(page));
        let output = python.args([project, &model.requests]).output().expect("python3");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}\n{}", world.logs());
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(told.lines().last(), Some(wanted), "{told}");
    }
}

/// Runs a page's commands in one project; how many there were.
fn play(page: &Path, blocks: &[Block]) -> usize {
    let world = World::new("");
    fs::remove_file(world.path("esker.toml")).expect("removed");
    std::os::unix::fs::symlink(repository().join("examples"), world.path("examples"))
        .expect("the examples");
    let mut up = None;
    let mut seen = 0;
    for block in blocks {
        let place = format!("{}:{}", page.display(), block.line);
        if let Some((_, name)) = block.kind.split_once(' ') {
            world.write(name, &block.text);
        }
        if block.kind != "console" {
            continue;
        }
        for (command, expected) in commands(&block.text) {
            seen += 1;
            if command == "esker up" {
                up = Some(world.up());
                continue;
            }
            // What the runner does takes its time; what a page shows is what is there when it has settled.
            let what = format!("{place}: `{command}` to print\n{expected}");
            let printed = RefCell::new(String::new());
            world.wait_for_or(
                &what,
                || printed.borrow().clone(),
                || {
                    printed.replace(run(&world, &command));
                    matches(&printed.borrow(), &expected)
                },
            );
        }
    }
    drop(up);
    seen
}

fn commands(text: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command.to_owned(), String::new())),
            None => {
                let (_, expected) = commands.last_mut().expect("a command first");
                expected.push_str(line);
                expected.push('\n');
            }
        }
    }
    commands
}

fn run(world: &World, command: &str) -> String {
    let program = PathBuf::from(esker().get_program());
    let folder = program.parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("PATH"));
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(world.dir())
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env("USER", "you")
        .output()
        .expect("sh");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { text } else { format!("{text}({})", output.status) }
}

/// Whether a text is as expected, line by line; `…` stands for anything.
fn matches(text: &str, expected: &str) -> bool {
    if expected.is_empty() {
        return !text.ends_with(')');
    }
    let (found, wanted): (Vec<&str>, Vec<&str>) =
        (text.lines().collect(), expected.lines().collect());
    found.len() == wanted.len()
        && found
            .iter()
            .zip(&wanted)
            .all(|(found, wanted)| fits(found.trim_end(), wanted.trim_end()))
}

fn fits(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
        last = Some(part);
    }
    rest.is_empty() || last == Some("")
}
