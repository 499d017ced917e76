//! The pictures of terminals in docs/images: what the program prints, in its colours, drawn as SVG.
//!
//! Each is drawn anew by its test and compared with the file; `ESKER_GOLDEN=write` writes it. Revisions, times and folders, which are
//! others each time, are always drawn as the same.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{World, esker, repository};

/// How many letters fit into a line; what is longer goes on in the next, as in a terminal.
const COLUMNS: usize = 112;
/// The size of a letter, in pixels.
const LETTER: (f64, f64) = (8.45, 20.0);
/// The room around the text, in pixels.
const MARGIN: f64 = 18.0;

const STYLE: &str = "\
.page{fill:#fbfbfa;stroke:#d5d3cd}text{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#24292f;white-space:pre}\
.p{fill:#6a6f76}.b{font-weight:700}.d{fill:#6a6f76}.r{fill:#b3261e}.g{fill:#1a6e34}.y{fill:#8a5a00}.c{fill:#0b6b8a}\
@media(prefers-color-scheme:dark){.page{fill:#16181c;stroke:#3a3f46}text{fill:#e3e6ea}.p,.d{fill:#9aa2ac}.r{fill:#ff8a80}\
.g{fill:#7ee29a}.y{fill:#f0c36a}.c{fill:#76cfe8}}";

/// A terminal that is being drawn.
struct Terminal {
    /// What is typed is typed here.
    dir: PathBuf,
    /// The first folder of the path.
    bin: PathBuf,
    text: String,
}

impl Terminal {
    fn new(dir: &Path, bin: &Path) -> Self {
        Self { dir: dir.to_owned(), bin: bin.to_owned(), text: String::new() }
    }

    /// Types a command, and takes what it prints.
    fn types(&mut self, command: &str) {
        let printed = self.run(command);
        writeln!(self.text, "\u{1b}[90m$\u{1b}[0m \u{1b}[1m{command}\u{1b}[0m").expect("a text");
        self.text += &printed;
    }

    /// Runs a command that is not drawn; what it prints.
    fn run(&self, command: &str) -> String {
        let program = PathBuf::from(esker().get_program());
        let folder = program.parent().expect("a folder").display();
        let path = std::env::var("PATH").expect("PATH");
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(&self.dir)
            .env("PATH", format!("{}:{folder}:{path}", self.bin.display()))
            .env("CLICOLOR_FORCE", "1")
            .env_remove("NO_COLOR")
            .envs([("USER", "you"), ("COLUMNS", "112")])
            .output()
            .expect("sh");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Compares the picture with the file of this name.
    fn is(&self, name: &str) {
        let file = repository().join("docs/images").join(name);
        let drawn = draw(&steady(&self.text, &[&self.dir, &self.bin]));
        if std::env::var("ESKER_GOLDEN").is_ok_and(|wish| wish == "write") {
            fs::write(&file, &drawn).expect("written");
        }
        let known = fs::read_to_string(&file).expect("the picture");
        assert!(known == drawn, "{name} does not show what is printed now: {}", self.text);
    }
}

/// The text with what is another each time always the same.
fn steady(text: &str, folders: &[&Path]) -> String {
    let mut text = text.to_owned();
    for (folder, shown) in folders.iter().zip(["/home/you/plan", "/usr/local/bin"]) {
        text = text.replace(&folder.display().to_string(), shown);
    }
    let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux");
    text = text.replace(&format!(" on {}\n", host.trim()), " on desk\n");
    text = once_and_for_all(&text);
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        for (before, after, shown) in
            [("done in ", ": ", "0.2 s"), ("esker-excavation-", "", "4kT2vB")]
        {
            if let Some(at) = line.find(before).map(|at| at + before.len()) {
                let rest = line[at..].to_owned();
                let end = if after.is_empty() { rest.len() } else { rest.find(after).unwrap_or(0) };
                line = format!("{}{shown}{}", &line[..at], &rest[end..]);
            }
        }
        out += &line;
        out.push('\n');
    }
    out
}

/// The text with one moment for all, and one id for each that is there.
fn once_and_for_all(text: &str) -> String {
    let (mut out, mut ids, mut rest) = (String::new(), Vec::new(), text);
    while let Some(letter) = rest.chars().next() {
        let count = rest.chars().take_while(char::is_ascii_alphanumeric).count();
        let word = &rest[..count];
        let is_id = matches!(count, 10 | 40)
            && word.chars().all(|one| matches!(one, '0'..='9' | 'a'..='f'));
        let end = if is_moment(rest) { MOMENT.len() } else { count.max(letter.len_utf8()) };
        if is_moment(rest) {
            out += MOMENT;
        } else if is_id {
            let known = ids.iter().position(|known| *known == &word[..10]);
            let number = known.unwrap_or(ids.len());
            ids.extend(known.is_none().then_some(&word[..10]));
            let shown = [
                "8f3a61c0d2",
                "2b7e151628",
                "9d4e1e23bd",
                "7d3a0c8f21",
                "c1a5e90b47",
                "e06f72d8a3",
            ];
            out += &shown[number % shown.len()].repeat(count / 10);
        } else {
            out += &rest[..end];
        }
        rest = &rest[end..];
    }
    out
}

/// When everything happens.
const MOMENT: &str = "2026-11-20 17:00:03";

/// Whether a text begins with a day and a time.
fn is_moment(text: &str) -> bool {
    let fits = |(one, wanted): (u8, u8)| match wanted.is_ascii_digit() {
        true => one.is_ascii_digit(),
        false => one == wanted,
    };
    text.len() >= MOMENT.len() && text.bytes().zip(MOMENT.bytes()).all(fits)
}

/// Draws a text with the escapes of a terminal.
fn draw(text: &str) -> String {
    let rows: Vec<Vec<(String, char)>> = text.lines().flat_map(cells).collect();
    let width = rows.iter().map(Vec::len).max().unwrap_or(0) as f64 * LETTER.0 + 2.0 * MARGIN;
    let height = rows.len() as f64 * LETTER.1 + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"8\"/>\n",
        width - 1.0,
        height - 1.0
    );
    for (index, row) in rows.iter().enumerate() {
        let y = MARGIN + (index as f64 + 0.75) * LETTER.1;
        write!(out, "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">").expect("a text");
        for run in row.chunk_by(|one, other| one.0 == other.0) {
            let letters: String = run.iter().map(|(_, letter)| *letter).collect();
            let letters = letters.replace('&', "&amp;").replace('<', "&lt;");
            match run[0].0.as_str() {
                "" => out += &letters,
                class => write!(out, "<tspan class=\"{class}\">{letters}</tspan>").expect("a text"),
            }
        }
        out += "</text>\n";
    }
    out + "</svg>\n"
}

/// The letters of a line with their classes, in rows that fit.
fn cells(line: &str) -> Vec<Vec<(String, char)>> {
    let (mut all, mut class) = (Vec::new(), String::new());
    let mut parts = line.split("\u{1b}[");
    let plain = parts.next().unwrap_or_default();
    let parts = parts.map(|part| part.split_once('m').unwrap_or(("", part)));
    for (code, letters) in std::iter::once((" ", plain)).chain(parts) {
        for number in code.split(';') {
            let known = [
                ("1", "b"),
                ("2", "d"),
                ("31", "r"),
                ("32", "g"),
                ("33", "y"),
                ("36", "c"),
                ("90", "p"),
            ];
            match known.iter().find(|(known, _)| *known == number) {
                Some((_, name)) if class.is_empty() => class.push_str(name),
                Some((_, name)) => class = format!("{class} {name}"),
                None if matches!(number, "" | "0") => class.clear(),
                None => {}
            }
        }
        for letter in letters.chars() {
            let count = if letter == '\t' { 4 - all.len() % 4 } else { 1 };
            let letter = if letter == '\t' { ' ' } else { letter };
            all.extend((0..count).map(|_| (class.clone(), letter)));
        }
    }
    if all.is_empty() {
        return vec![all];
    }
    all.chunks(COLUMNS).map(<[_]>::to_vec).collect()
}

#[test]
fn three_what_ifs_side_by_side() {
    let (world, bin) = (World::example("qplan"), tempfile::tempdir().expect("a folder"));
    world.ok(&["run"]);
    let mut terminal = Terminal::new(world.dir(), bin.path());
    terminal
        .types("esker whatif new 'Two more weeks' --set 'raw/plan:Params[End].Value=2027-04-09'");
    terminal.types("esker whatif new 'No vacation' --set 'raw/plan:Staff[12].Vacation='");
    terminal.types(
        "esker whatif new 'Small checkout' --set 'raw/plan:Work[CHK-1].Estimate=Server:3, Web:4'",
    );
    terminal.types("esker whatif diff two no small raw/plan");
    terminal.types("esker whatif diff two results/plan | grep -m2 'Forecast of demand'");
    terminal.types("esker whatif apply small --why 'agreed on Monday'");
    terminal.is("what-if.svg");
}

#[test]
fn a_plan_of_then_is_dug_out_of_a_clone() {
    let (world, bin) = (World::example("qplan"), tempfile::tempdir().expect("a folder"));
    let toml = fs::read_to_string(world.path("esker.toml")).expect("there");
    let stage =
        "[stage.late]\ninput = \"results/plan\"\nrun = [\"late\"]\noutput = \"results/late\"\n";
    world.write("esker.toml", format!("{toml}\n{stage}"));
    let mut terminal = Terminal::new(world.dir(), bin.path());
    let write = |text: &str| {
        let script = format!(
            "printf '#!/bin/sh\\n{text}\\n' > {0} && chmod +x {0}",
            bin.path().join("late").display()
        );
        assert_eq!(terminal.run(&script), "");
    };
    write("grep -c DNF");
    terminal.run("esker run && esker tag reported");
    write("grep DNF | wc -w");
    terminal.types("git clone -q .esker/store.git copy && cd copy");
    let inside = terminal.dir.join("copy");
    let outside = std::mem::replace(&mut terminal.dir, inside);
    terminal.types("esker excavate reported --rerun --diff");
    terminal.dir = outside;
    terminal.is("excavate.svg");
}
