//! Excavations of a project that has lived: through renames, other programs, other definitions and another tool, from a
//! plain clone alone; served beside the project; and whatever can go wrong.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{World, esker};

mod serving;
mod trouble;

/// What is known only here; it must never be kept.
const SECRET: &str = "horse-staple-battery";

/// Counts lines; the second is another file that prints the same, the third prints something else.
const TALLIES: [&str; 3] = ["#!/bin/sh\nwc -l\n", "#!/bin/sh\nexec wc -l\n", "#!/bin/sh\nwc -c\n"];

/// A store in the first form that stores had.
const FIRST_STORE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../esker-store/tests/golden/store-0.bundle");

/// How many are dug out at once.
const AT_ONCE: usize = 4;

/// A program whose file has an odd name, and may be run itself.
const ODD: &str = "bin/loud & clär #1.sh";

/// What was there at a commit.
struct Note {
    revision: String,
    time: String,
    /// Every resource, by its name of then.
    contents: BTreeMap<String, Vec<u8>>,
    /// The files of the project, if an esker ran that keeps them.
    files: Option<BTreeMap<PathBuf, Vec<u8>>>,
    /// Who made each resource last.
    makers: BTreeMap<String, String>,
    /// Which of [`TALLIES`] was in the path when the project was kept.
    tally: usize,
    /// Which of them made the count that is there.
    counted: Option<usize>,
}

/// A project, and all that was noted of it.
struct Life {
    world: World,
    /// Beside the project: the first folder of the path, and what is read from outside.
    outside: TempDir,
    /// The project as it was when it ran last, and which of [`TALLIES`] was there.
    kept: Option<(BTreeMap<PathBuf, Vec<u8>>, usize)>,
    /// Which is there now.
    tally: usize,
    notes: Vec<Note>,
}

impl Life {
    fn new() -> Self {
        let world = World::new("[project]\nname = \"life\"\n");
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("token"), SECRET).expect("written");
        fs::write(outside.path().join("feed"), "one\n").expect("written");
        let mut life = Self { world, outside, kept: None, tally: 0, notes: Vec::new() };
        life.tool(0);
        life
    }

    fn define(&self, people: &str, stages: &str) {
        let outside = self.outside.path().display();
        let text = format!(
            "[project]\nname = \"life\"\n[source.feed]\nrun = [\"cat\", \"{outside}/feed\"]\noutput = \"raw/feed\"\n\
             secret = {{ TOKEN = {{ file = \"{outside}/token\" }} }}\n[stage.count]\ninput = \"mid/names\"\n\
             run = [\"tally\"]\noutput = \"results/count\"\n[stage.names]\ninput = \"{people}\"\n\
             run = [\"sh\", \"names.sh\"]\noutput = \"mid/names\"\n{stages}"
        );
        self.world.write("esker.toml", text);
    }

    /// Puts another program in the path.
    fn tool(&mut self, tally: usize) {
        write_tool(self.outside.path(), TALLIES[tally]);
        self.tally = tally;
    }

    fn esker(&self, arguments: &[&str], input: &str) {
        fs::write(self.outside.path().join("input"), input).expect("written");
        let input = fs::File::open(self.outside.path().join("input")).expect("there");
        let mut command = esker();
        command.args(arguments).current_dir(self.world.dir()).stdin(input);
        said_well(command.env("PATH", path(self.outside.path())), arguments);
    }

    fn put(&mut self, resource: &str, content: &str) {
        self.esker(&["put", resource], content);
        self.note();
    }

    /// Runs what is stale: by then the project is kept as it is now.
    fn run(&mut self) {
        self.esker(&["run"], "");
        self.kept = Some((files(self.world.dir()), self.tally));
        self.note();
    }

    fn moved(&mut self, from: &str, to: &str) {
        self.esker(&["mv", from, to], "");
        self.note();
    }

    /// Notes what is there at every new commit.
    fn note(&mut self) {
        let known =
            self.notes.last().map_or("main".to_owned(), |last| format!("{}..main", last.revision));
        let new =
            self.world.git(&["log", "--first-parent", "--reverse", "--format=%H %cI", &known]);
        for line in new.lines() {
            let (revision, time) = line.split_once(' ').expect("two words");
            let list = listed(self.world.dir(), Some(revision));
            let entries = list.as_array().expect("a list");
            let contents = read(self.world.dir(), Some(revision), &list);
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let maker =
                |entry: &Value| (text(&entry["resource"]), text(&entry["provenance"]["stage"]));
            let is_counted = |entry: &Value| {
                entry["resource"] == "results/count" && entry["revision"] == revision
            };
            let before = self.notes.last().and_then(|note| note.counted);
            let is_foreign = entries
                .iter()
                .any(|entry| entry["resource"] == "raw/copy" && entry["revision"] == revision);
            let (files, tally) = self.kept.clone().filter(|_| !is_foreign).unzip();
            self.notes.push(Note {
                revision: revision.to_owned(),
                time: time.to_owned(),
                contents,
                files,
                makers: entries.iter().map(maker).collect(),
                tally: tally.unwrap_or_default(),
                counted: if entries.iter().any(is_counted) { Some(self.tally) } else { before },
            });
        }
    }
}

/// Every resource and its bytes.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    read(dir, None, &listed(dir, None))
}

/// Every resource, at a revision or at the head.
fn listed(dir: &Path, revision: Option<&str>) -> Value {
    let at = revision.map(|revision| ["--at", revision]);
    let mut list = vec!["ls", "--json"];
    list.extend(at.iter().flatten());
    json_of(esker().args(&list).current_dir(dir), &list)
}

fn read(dir: &Path, revision: Option<&str>, list: &Value) -> BTreeMap<String, Vec<u8>> {
    let entries = list.as_array().expect("a list").iter();
    let bytes = |entry: &Value| {
        let name = entry["resource"].as_str().expect("a name").to_owned();
        let asked = revision.map_or(name.clone(), |revision| format!("{name}@{revision}"));
        let bytes = said_well(esker().args(["get", &asked]).current_dir(dir), &["get"]).stdout;
        (name, bytes)
    };
    entries.map(bytes).collect()
}

/// The files of a project, but for what is esker's own and the logs of the tests.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with(".esker") {
                folders.push(path);
            } else if path.is_file() && path.extension().is_none_or(|extension| extension != "log")
            {
                let name = path.strip_prefix(dir).expect("below it").to_owned();
                found.insert(name, fs::read(&path).expect("read"));
            }
        }
    }
    found
}

fn write_tool(folder: &Path, text: &str) {
    fs::write(folder.join("tally"), text).expect("written");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.join("tally"), mode).expect("it may be run");
}

/// The path with a folder before all others.
fn path(first: &Path) -> String {
    format!("{}:{}", first.display(), std::env::var("PATH").expect("PATH"))
}

fn said_well(command: &mut Command, what: &[&str]) -> Output {
    let output = command.output().expect("esker starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what:?}: {}\n{stderr}", output.status);
    output
}

fn json_of(command: &mut Command, what: &[&str]) -> Value {
    let output = said_well(command, what);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{what:?}: {error}"))
}

/// Runs plain git; its standard output.
fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = said_well(Command::new("git").arg("-C").arg(dir).args(arguments), arguments);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Commits a file on a branch of a store, as plain git does.
fn commit(store: &Path, branch: &str, file: &str, content: &str) {
    let script = format!(
        "export GIT_INDEX_FILE=$(mktemp -u) GIT_DIR='{}' GIT_COMMITTER_NAME=ann GIT_COMMITTER_EMAIL=ann@example.org\n\
         export GIT_AUTHOR_NAME=ann GIT_AUTHOR_EMAIL=ann@example.org; set -e; git read-tree {branch}\n\
         git update-index --add --cacheinfo 100644,$(git hash-object -w --stdin),'{file}'\n\
         git update-ref {branch} $(git commit-tree -p {branch} -m by-hand $(git write-tree)); rm $GIT_INDEX_FILE",
        store.display()
    );
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("content"), content).expect("written");
    let input = fs::File::open(folder.path().join("content")).expect("there");
    said_well(Command::new("sh").args(["-c", &script]).stdin(input), &[&script]);
}

/// A plain clone of a store, as anybody makes one.
fn cloned(store: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let from = format!("file://{}", store.display());
    git(folder.path(), &["clone", "-q", &from, "clone"]);
    folder
}

/// Digs out what there was at a version, into a folder that must not be there; its exit code and what it told.
fn dug(from: &Path, at: &str, into: &Path, (bin, more): (&Path, &[&str])) -> (Option<i32>, Value) {
    let mut command = esker();
    command.env("PATH", path(bin));
    command.args(["excavate", at, "--serve", "no", "--json", "--into"]).arg(into).args(more);
    let output = command.current_dir(from).output().expect("esker starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let told = serde_json::from_slice(&output.stdout);
    (output.status.code(), told.unwrap_or_else(|error| panic!("{at}: {error}\n{stderr}")))
}

/// A life of more than thirty versions. Its beginning is a store as the first esker wrote them, whose commits say of
/// no project; then comes one that kept none.
fn lived() -> Life {
    let mut life = Life::new();
    git(life.world.dir(), &["clone", "-q", "--mirror", FIRST_STORE, ".esker/store.git"]);
    life.note();
    assert_eq!(life.notes.len(), 6, "the commits of the first store");
    life.put("raw/people", "id,name\n1,ann\n");
    life.put("raw/people", "id,name\n1,ann\n2,bob\n");
    life.put("raw/notes", "what a beginning\n");
    life.esker(&["tag", "old"], "");
    life.world.write("names.sh", "cut -d, -f2\n");
    life.define("raw/people", "");
    life.run();
    for name in ["cyd", "dan", "eve"] {
        life.put("raw/people", &format!("id,name\n1,ann\n2,bob\n3,{name}\n"));
        life.run();
    }
    life.moved("raw/people", "raw/staff");
    life.define("raw/staff", "");
    life.put("raw/staff", "id,name\n1,ann\n2,fay\n");
    life.run();
    life.world.write("names.sh", "cut -d, -f2 | tr a-z A-Z\n");
    life.run();
    // A commit of plain git: nobody says which project it was made under.
    commit(&life.world.store(), "refs/heads/main", "raw/copy", "by plain git\n");
    life.note();
    life.tool(1);
    life.put("raw/staff", "id,name\n1,ann\n2,gil\n");
    life.run();
    fs::create_dir(life.world.path("bin")).expect("made");
    life.world.write(ODD, "#!/bin/sh\nsed s/$/!/\n");
    fs::set_permissions(life.world.path(ODD), fs::Permissions::from_mode(0o755)).expect("set");
    let loud = format!(
        "[stage.loud]\ninput = \"mid/names\"\nrun = [\"./{ODD}\"]\noutput = \"results/loud\"\n"
    );
    life.define("raw/staff", &loud);
    life.run();
    life.tool(2);
    for name in ["hal", "ida"] {
        life.put("raw/staff", &format!("id,name\n1,ann\n2,{name}\n"));
        life.run();
    }
    life.moved("raw/notes", "notes/all");
    let renamed = fs::read_to_string(life.world.path("esker.toml")).expect("there");
    life.world.write("esker.toml", renamed.replace("[stage.names]", "[stage.who]"));
    life.put("raw/staff", "id,name\n1,ann\n2,jon\n");
    life.run();
    fs::remove_dir_all(life.world.path("bin")).expect("removed");
    life.define("raw/staff", "");
    fs::write(life.outside.path().join("feed"), "two\n").expect("written");
    life.run();
    life.put("raw/staff", "id,name\n1,ann\n2,kim\n");
    life.run();
    life
}

/// Holds what is dug out of a commit against what was noted.
fn holds(from: &Path, bin: &Path, (note, into): (&Note, &Path), rerun: bool) {
    let at = &note.revision;
    let more: &[&str] = if rerun { &["--rerun"] } else { &[] };
    let (code, told) = dug(from, at, into, (bin, more));
    assert_eq!(told["revision"], **at);
    assert!(contents(into) == note.contents, "the contents at {at}");
    let Some(wanted) = &note.files else {
        assert_eq!((&told["project"], &told["stages"]), (&Value::Null, &json!([])), "{at}");
        return;
    };
    assert!(files(into) == *wanted, "the files at {at}");
    if wanted.contains_key(Path::new(ODD)) {
        let mode = fs::metadata(into.join(ODD)).expect("there").permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{at}");
    }
    for stage in told["stages"].as_array().expect("stages") {
        let is_other = stage["stage"] == "count" && note.tally != 2;
        let verdict = if is_other { "tool-differs" } else { "reproducible" };
        assert_eq!(stage["verdict"], verdict, "{stage} at {at}");
    }
    let Some(results) = told["rerun"].as_array() else {
        return;
    };
    let output = [("count", "results/count"), ("names", "mid/names"), ("loud", "results/loud")];
    for result in results {
        let name = result["stage"].as_str().expect("a stage");
        let output =
            output.iter().find(|(stage, _)| *stage == name).map_or("mid/names", |known| known.1);
        let is_made = note.makers.get(output).is_some_and(|maker| maker == name);
        let wanted = match (is_made, name == "count" && note.counted != Some(2)) {
            (false, _) => "not-run",
            (true, true) => "differs",
            (true, false) => "identical",
        };
        assert_eq!(result["result"], wanted, "{result} at {at}");
    }
    let is_all = results.iter().all(|result| result["result"] == "identical");
    assert_eq!(code, Some(i32::from(!is_all)), "{at}");
}

#[test]
fn every_version_of_a_life_is_dug_out_of_a_clone_as_it_was() {
    let Life { world, outside, notes, .. } = lived();
    assert!(notes.len() >= 30, "{} versions", notes.len());
    let clone = cloned(&world.store());
    let (from, bin) = (clone.path().join("clone"), outside.path());
    // An index is derived: a store that has none yet is dug in like any other.
    let bare = clone.path().join("bare");
    git(clone.path(), &["clone", "-q", "--mirror", world.store().to_str().expect("UTF-8"), "bare"]);
    assert!(!bare.join("esker").exists());
    drop(world);
    let numbered: Vec<(usize, &Note)> = notes.iter().enumerate().collect();
    thread::scope(|scope| {
        for share in numbered.chunks(notes.len().div_ceil(AT_ONCE)) {
            let (from, into) = (&from, clone.path());
            scope.spawn(move || {
                for (number, note) in share {
                    let into = into.join(number.to_string());
                    holds(from, bin, (note, &into), number % 6 == 5);
                }
            });
        }
    });
    holds(&from, bin, (notes.last().expect("many"), &clone.path().join("last")), true);
    let last = notes.last().expect("many");
    holds(&bare, bin, (last, &clone.path().join("of-bare")), false);
    // A date is the newest commit of that second; a tag is what it was put on.
    let middle = &notes[notes.len() / 2];
    let newest = notes.iter().rev().find(|note| note.time == middle.time).expect("itself");
    let before =
        notes.iter().take_while(|note| note.files.is_none()).last().expect("an older esker");
    for (at, wanted) in [(&*middle.time, newest), ("old", before)] {
        let (_, told) = dug(&from, at, &clone.path().join(format!("at-{}", at.len())), (bin, &[]));
        assert_eq!(told["revision"], wanted.revision, "{at}");
    }
    // Another file that prints the same: told as another tool, and what comes out is the same.
    let first = notes.iter().find(|note| note.counted.is_some()).expect("it was counted");
    write_tool(bin, TALLIES[1]);
    let (code, told) = dug(&from, &first.revision, &clone.path().join("same"), (bin, &["--rerun"]));
    assert_eq!(stage(&told, "stages", "count")["verdict"], "tool-differs");
    assert_eq!((code, &stage(&told, "rerun", "count")["result"]), (Some(0), &json!("identical")));
    fs::remove_file(bin.join("tally")).expect("removed");
    let (code, told) = dug(&from, &first.revision, &clone.path().join("none"), (bin, &["--rerun"]));
    assert_eq!(stage(&told, "stages", "count")["verdict"], "tool-missing");
    let result = stage(&told, "rerun", "count");
    assert_eq!((code, &result["result"]), (Some(1), &json!("not-run")));
    assert!(result["summary"].as_str().expect("words").contains("there is no tally here"));
    let objects = Command::new("git")
        .args(["cat-file", "--batch", "--batch-all-objects"])
        .current_dir(&from)
        .output()
        .expect("git runs");
    let is_secret = |window: &[u8]| window == SECRET.as_bytes();
    assert!(objects.stdout.windows(6).any(|window| window == b"tally\""), "all is looked at");
    assert!(!objects.stdout.windows(SECRET.len()).any(is_secret), "the secret is kept");
}

/// What is told of a stage.
fn stage<'a>(told: &'a Value, list: &str, name: &str) -> &'a Value {
    let all = told[list].as_array().expect("a list");
    all.iter().find(|one| one["stage"] == name).expect("it is told")
}
