//! An excavation that is served: what was, for reading, with what-ifs on top, while the project goes on beside it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::time::SystemTime;

use super::*;
use crate::world::signal;

/// An `esker excavate` that serves.
pub(super) struct Served {
    child: Child,
    told: Value,
    folder: PathBuf,
}

impl Served {
    pub(super) fn start(world: &World, (from, at): (&Path, &str)) -> Self {
        let (out, log) = (world.path("told.json"), world.path("excavation.log"));
        let (told, words) =
            (fs::File::create(&out).expect("made"), fs::File::create(log).expect("made"));
        let mut command = esker();
        command.args(["excavate", at, "--json"]).current_dir(from).process_group(0);
        let child =
            command.stdin(Stdio::null()).stdout(told).stderr(words).spawn().expect("starts");
        let line = || fs::read_to_string(&out).expect("there").lines().next().map(str::to_owned);
        world.wait_for("the first line", || line().is_some_and(|line| line.ends_with('}')));
        let told: Value = serde_json::from_str(&line().expect("just seen")).expect("JSON");
        let folder = PathBuf::from(told["folder"].as_str().expect("a folder"));
        let served = Self { child, told, folder };
        world.wait_for("the page", || served.endpoints()["web"].is_string());
        served
    }

    fn endpoints(&self) -> Value {
        let text = fs::read_to_string(self.folder.join(".esker/endpoints.json"));
        serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
    }

    /// Runs a command in its folder; whether it went well, what it printed, what it said.
    pub(super) fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let output = esker().args(arguments).current_dir(&self.folder).output().expect("esker");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    /// Asks the page for something.
    fn page(&self, path: &str) -> String {
        let endpoints = self.endpoints();
        let host = endpoints["web"].as_str().and_then(|url| url.strip_prefix("http://"));
        let host = host.expect("an address");
        let mut stream = TcpStream::connect(host).expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    /// Ends it as Ctrl-C does.
    pub(super) fn interrupt(&mut self) {
        signal(&self.child.id().to_string(), "INT");
        assert!(self.child.wait().expect("waited").success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Every file below a folder, when it was changed, and its bytes.
fn all(dir: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let about = entry.metadata().expect("there");
            if about.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let changed = about.modified().expect("a time");
            found.insert(entry.path(), (changed, fs::read(entry.path()).expect("read")));
        }
    }
    found
}

const PROJECT: &str = "[project]\nname = \"p\"\n[stage.upper]\ninput = \"raw/a\"\n\
    run = [\"tr\", \"a-z\", \"A-Z\"]\noutput = \"results/a\"\n[view.then]\nresource = \"results/a\"\n\
    title = \"As it was\"\n";

#[test]
fn an_excavation_is_served_beside_the_project_and_takes_only_what_ifs() {
    let world = World::new(PROJECT);
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"id,name\n1,ann\n");
    world.wait_for_content("results/a", |content| content == "ID,NAME\n1,ANN\n");
    world.ok(&["tag", "then"]);
    world.ok_with(&["put", "raw/a"], b"id,name\n1,eve\n");
    world.wait_for_content("results/a", |content| content.contains("EVE"));
    let clone = cloned(&world.store());
    let from = clone.path().join("clone");
    let (before, refs) =
        (all(&from), world.git(&["for-each-ref", "refs/heads", "refs/esker/project"]));
    for from in [from.clone(), world.store()] {
        let mut served = Served::start(&world, (&from, "then"));
        assert_eq!(served.told["stages"][0]["verdict"], "reproducible");
        assert_eq!(served.run(&["get", "results/a"]).1, "ID,NAME\n1,ANN\n");
        assert!(served.run(&["get", "raw/a@HEAD"]).1.contains("ann"));
        let page = served.page("/api/get?resource=results/a");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("1,ANN"), "{page}");
        let text = served.run(&["model", "get", "views", "then", "title"]);
        assert_eq!(text.1, "\"As it was\"\n", "{}", text.2);
        for refused in
            [&["put", "raw/a", "esker.toml"][..], &["tag", "mine"], &["mv", "raw/a", "raw/b"]]
        {
            let (is_done, _, words) = served.run(refused);
            assert!(!is_done && words.contains("this is an excavation of"), "{refused:?}: {words}");
        }
        let set = ["whatif", "new", "Bob", "--set", "raw/a:[1].name=bob", "--json"];
        let (is_done, what_if, words) = served.run(&set);
        assert!(is_done && what_if.contains("\"state\":\"done\""), "{what_if}{words}");
        assert_eq!(served.run(&["get", "results/a", "--whatif", "bob"]).1, "ID,NAME\n1,BOB\n");
        let (is_done, _, words) = served.run(&["whatif", "apply", "bob"]);
        assert!(!is_done, "what was is not changed: {words}");
        assert_eq!(served.run(&["get", "results/a"]).1, "ID,NAME\n1,ANN\n");
        // The project goes on meanwhile, and knows nothing of it.
        assert!(world.content("results/a").expect("there").contains("EVE"));
        assert_eq!(world.json(&["whatif", "list", "--json"]), json!([]));
        served.interrupt();
        assert!(!served.folder.exists(), "its folder is gone");
    }
    assert!(all(&from) == before, "the clone is as it was");
    assert_eq!(world.git(&["for-each-ref", "refs/heads", "refs/esker/project"]), refs);
    world.ok_with(&["put", "raw/a"], b"id,name\n1,fay\n");
    world.wait_for_content("results/a", |content| content.contains("FAY"));
    up.stop();
}
