//! MOVE: other names for resources, and what the older ones mean.

use std::collections::BTreeMap;

use esker_store::names::Names;
use esker_wire::event::Event;
use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::provenance::Provenance;
use esker_wire::revision::At;
use esker_wire::snapshot::{
    Diff, Entry, Expect, Filter, Form, List, Log, Move, Moved, Put, Stat, Why,
};
use jiff::Timestamp;

use crate::support::{Bench, Dice, events, git, one, options, put, resource};

fn renamed(from: &str, to: &str) -> Move {
    Move {
        resource: resource(from),
        to: resource(to),
        branch: Branch::main(),
        if_head: None,
        message: None,
        author: None,
    }
}

fn mv(bench: &mut Bench, from: &str, to: &str) -> Moved {
    bench.call(&renamed(from, to)).unwrap()
}

fn content(bench: &mut Bench, name: &str, at: &str) -> String {
    let content = bench.get_at(name, at).unwrap();
    String::from_utf8(content.bytes.unwrap().to_vec()).unwrap()
}

fn log(bench: &mut Bench, name: &str) -> Vec<Entry> {
    let ask = Log { resource: Some(resource(name)), ..Log::newest(100) };
    bench.call(&ask).unwrap().entries
}

#[test]
fn every_read_follows_a_rename() {
    let mut bench = Bench::new();
    let first = bench.put("raw/plan", "one\n").revision;
    bench.put("raw/other", "x");
    let second = bench.put("raw/plan", "two\n").revision;
    let moved = mv(&mut bench, "raw/plan", "raw/schedule");
    assert_eq!(moved.previous, second);
    bench.put("raw/schedule", "three\n");
    for name in ["raw/plan", "raw/schedule"] {
        let old = name == "raw/plan";
        let newest = bench.get(name).unwrap();
        assert_eq!(newest.entry.resource, resource("raw/schedule"));
        assert_eq!(newest.entry.asked, old.then(|| resource("raw/plan")));
        assert_eq!(newest.bytes.unwrap(), "three\n");
        for (at, expected) in [(first, "one\n"), (second, "two\n"), (moved.revision, "two\n")] {
            assert_eq!(content(&mut bench, name, &at.to_string()), expected, "{name}@{at}");
        }
        let stat = Stat { resource: resource(name), at: At::from(first), branch: Branch::main() };
        let entry = bench.call(&stat).unwrap();
        assert_eq!(entry.resource, resource("raw/plan"));
        assert_eq!(entry.asked, (!old).then(|| resource("raw/schedule")));
        let entries = log(&mut bench, name);
        let told: Vec<(&str, Option<&str>)> = entries
            .iter()
            .map(|e| (e.resource.as_str(), e.moved_from.as_ref().map(|from| from.as_str())))
            .collect();
        assert_eq!(
            told,
            [
                ("raw/schedule", None),
                ("raw/schedule", Some("raw/plan")),
                ("raw/plan", None),
                ("raw/plan", None)
            ]
        );
        for pair in entries.windows(2) {
            assert_eq!(pair[0].previous, Some(pair[1].revision));
        }
        let diff = |from: Option<&str>, to: &str| Diff {
            resource: resource(name),
            from: from.map(|at| at.parse().unwrap()),
            to: to.parse().unwrap(),
            branch: Branch::main(),
            form: Form::Text,
            key: Vec::new(),
        };
        let across = bench.call(&diff(Some(&first.to_string()), "HEAD")).unwrap();
        let text = String::from_utf8(across.body.to_vec()).unwrap();
        assert!(text.contains("-one\n+three\n"), "{text}");
        let itself = bench.call(&diff(None, &moved.revision.to_string())).unwrap();
        assert_eq!(itself.body, "", "another name is no other content");
    }
    let all = bench.call(&Log::newest(3)).unwrap().entries;
    let names: Vec<&str> = all.iter().map(|entry| entry.resource.as_str()).collect();
    assert_eq!(names, ["raw/schedule", "raw/schedule", "raw/plan"], "a rename is one line");
    let listing = bench.call(&List { older: true, ..List::all(Branch::main()) }).unwrap();
    let names: Vec<&str> = listing.entries.iter().map(|entry| entry.resource.as_str()).collect();
    assert_eq!(names, ["raw/other", "raw/schedule"]);
    assert_eq!(listing.older, [(resource("raw/plan"), resource("raw/schedule"))]);
    assert_eq!(bench.call(&List::all(Branch::main())).unwrap().older, []);
    bench.assert_sound();
}

#[test]
fn git_sees_a_rename_and_a_clone_knows_it() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one\n");
    let ask = Move { message: Some("as everybody calls it".into()), ..renamed("raw/plan", "a/b") };
    bench.call(&ask).unwrap();
    bench.put("a/b", "two\n");
    let status = bench.git(&["show", "--name-status", "--format=%B", "main~1"]);
    assert!(status.contains("R100\traw/plan\ta/b"), "{status}");
    let said = "as everybody calls it\n\nEsker-Moved: raw/plan: a/b\n";
    assert!(status.starts_with(said), "{status}");
    let follow = bench.git(&["log", "--follow", "--format=%s", "main", "--", "a/b"]);
    assert_eq!(follow.lines().count(), 3, "{follow}");
    let clone = tempfile::tempdir().unwrap();
    let path = clone.path().join("store.git");
    git(bench.path(), &["clone", "-q", "--bare", ".", path.to_str().unwrap()]);
    let mut store = esker_store::store::Store::open(&path, options(&bench.clock)).unwrap();
    let found = store.get(&esker_wire::snapshot::Get::head(resource("raw/plan"))).unwrap();
    assert_eq!((found.entry.resource, found.bytes.unwrap()), (resource("a/b"), "two\n".into()));
    // From the index alone, and without one.
    let mut bench = bench.reopen();
    assert_eq!(log(&mut bench, "raw/plan").len(), 3);
    let closed = bench.close();
    std::fs::remove_dir_all(closed.folder.path().join("esker/index")).unwrap();
    assert_eq!(log(&mut closed.open(), "raw/plan").len(), 3);
}

#[test]
fn puts_by_an_older_name_go_to_the_resource() {
    let mut bench = Bench::new();
    let first = bench.put("raw/plan", "one").revision;
    let moved = mv(&mut bench, "raw/plan", "raw/schedule");
    let stored = bench.put("raw/plan", "two");
    assert_eq!(stored.items[0].resource, resource("raw/plan"));
    assert_eq!(stored.items[0].now, Some(resource("raw/schedule")));
    assert_eq!(stored.items[0].previous, Some(moved.revision));
    assert_eq!(bench.git(&["ls-tree", "-r", "--name-only", "main", "raw/"]), "raw/schedule\n");
    let expecting = |name: &str, expect| {
        let mut ask = put(name, "three");
        ask.items[0].if_head = Some(expect);
        ask
    };
    let stale = bench.call(&expecting("raw/plan", Expect::Revision(first))).unwrap_err();
    assert_eq!(stale.code, Code::Conflict);
    assert!(stale.message.contains("raw/schedule"), "{stale}");
    bench.call(&expecting("raw/plan", Expect::Revision(stored.revision))).unwrap();
    let mut both = put("raw/plan", "x");
    both.items.extend(put("raw/schedule", "y").items);
    assert!(bench.call(&both).unwrap_err().message.contains("twice"));
    // Who says that there is none begins a new one.
    let new = bench.call(&expecting("raw/plan", Expect::Absent)).unwrap();
    assert_eq!((new.items[0].now.clone(), new.items[0].previous), (None, None));
    bench.put("raw/plan", "four");
    bench.put("raw/schedule", "five");
    assert_eq!(content(&mut bench, "raw/plan", "HEAD"), "four");
    assert_eq!(content(&mut bench, "raw/plan", &stored.revision.to_string()), "two");
    let revisions: Vec<_> = log(&mut bench, "raw/plan").iter().map(|e| e.revision).collect();
    assert_eq!(revisions.len(), 2, "what was before is of raw/schedule");
    assert_eq!(log(&mut bench, "raw/schedule").len(), 5);
    // And removed, it is gone: the name does not go back.
    let mut remove = put("raw/plan", "");
    remove.items[0].content = None;
    bench.call(&remove).unwrap();
    let gone = bench.get("raw/plan").unwrap_err();
    assert!(gone.message.contains("was removed"), "{gone}");
}

#[test]
fn what_cannot_be_moved_is_refused() {
    let mut bench = Bench::new();
    let first = bench.put("raw/plan", "one").revision;
    bench.put("raw/other", "x");
    let mut refused = |from: &str, to: &str| bench.call(&renamed(from, to)).unwrap_err();
    assert_eq!(refused("raw/plan", "raw/other").code, Code::Conflict);
    assert_eq!(refused("raw/plan", "raw/plan").code, Code::BadRequest);
    assert_eq!(refused("raw/plam", "raw/new").code, Code::NotFound);
    assert_eq!(refused("raw/plan", "raw/other/deep").code, Code::BadRequest);
    let head = bench.get("raw/plan").unwrap().at;
    let mut ask = renamed("raw/plan", "raw/new");
    ask.if_head = Some(Expect::Revision(head));
    assert_eq!(bench.call(&ask).unwrap_err().code, Code::Conflict);
    let records = Move { branch: Branch::records(), ..renamed("run/a", "run/b") };
    assert_eq!(bench.call(&records).unwrap_err().code, Code::BadRequest);
    let author = Move { author: Some("nobody".into()), ..ask.clone() };
    assert_eq!(bench.call(&author).unwrap_err().code, Code::BadRequest);
    ask.if_head = Some(Expect::Revision(first));
    let moved = bench.call(&ask).unwrap();
    ask.if_head = None;
    let again = bench.call(&ask).unwrap();
    assert_eq!((again.is_changed(), again.revision), (false, moved.revision));
    let elsewhere = bench.call(&renamed("raw/plan", "raw/third")).unwrap_err();
    assert!(elsewhere.message.contains("raw/plan is called raw/new now"), "{elsewhere}");
    // A file may take the place of its own folder, and the other way round.
    mv(&mut bench, "raw/new", "raw/new/deep");
    mv(&mut bench, "raw/new/deep", "raw/new");
    bench.assert_sound();
}

#[test]
fn provenance_is_understood_across_renames() {
    let mut bench = Bench::new();
    let raw = bench.put("raw/plan", "one").revision;
    let made = |input: &str| Provenance {
        stage: "s".into(),
        run_key: "k".into(),
        inputs: vec![esker_wire::provenance::Input::from_text(input).unwrap()],
        program: "p".into(),
        code: String::new(),
        engine: "e".into(),
        host: "h".into(),
        started: Timestamp::UNIX_EPOCH,
        duration_ms: 1,
        exit: 0,
        failed_parts: Vec::new(),
    };
    let run = |name: &str, content: &str, input: String| Put {
        provenance: Some(made(&input)),
        ..put(name, content)
    };
    let mut first = run("out/plan", "ONE", format!("raw/plan {raw}"));
    first.items[0].content_type = Some("text/x".into());
    bench.call(&first).unwrap();
    mv(&mut bench, "raw/plan", "raw/schedule");
    let moved = mv(&mut bench, "out/plan", "results/plan");
    mv(&mut bench, "results/plan", "results/final");
    let why = |bench: &mut Bench, name: &str| {
        let ask = Why { resource: resource(name), at: At::head(), branch: Branch::main() };
        let nodes = bench.call(&ask).unwrap();
        let told = nodes.iter();
        told.map(|n| format!("{} {} {}", n.depth, n.entry.resource, n.entry.revision.short()))
            .collect::<Vec<_>>()
    };
    for name in ["out/plan", "results/plan", "results/final"] {
        let told = why(&mut bench, name);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("0 results/final"));
        assert_eq!(told[1], format!("1 raw/plan {}", raw.short()));
    }
    let entry = bench.get("results/final").unwrap().entry;
    assert_eq!(entry.provenance.unwrap().run_key, "k");
    assert_eq!(entry.content_type.as_deref(), Some("text/x"));
    assert_eq!(entry.previous, Some(moved.revision));
    // A definition not yet changed still says the older names.
    let mv_raw = bench.get("raw/plan").unwrap().entry.revision;
    bench.call(&run("out/plan", "TWO", format!("raw/plan {mv_raw}"))).unwrap();
    let told = why(&mut bench, "results/final");
    assert_eq!(told[1], format!("1 raw/schedule {}", mv_raw.short()));
}

#[test]
fn events_are_told_by_every_name() {
    let names = Names {
        aliases: BTreeMap::from([("the plan".to_owned(), resource("raw/plan"))]),
        ..Names::default()
    };
    let mut bench = Bench::named(names);
    let first = bench.put("raw/plan", "one").revision;
    let told = |published: &[esker_bus::service::Frames]| {
        let told = events(published).into_iter().map(|event| match event {
            Event::Put { resource, now, previous, revision, link, .. } => {
                (link.seq, resource.to_string(), now.map(|n| n.to_string()), previous, revision)
            }
            Event::Heartbeat { .. } => panic!("a heartbeat"),
        });
        told.collect::<Vec<_>>()
    };
    let outcome = one(&mut bench.snapshots, &renamed("raw/plan", "raw/schedule"));
    let moved = bench.get("raw/schedule").unwrap().entry.revision;
    let now = Some("raw/schedule".to_owned());
    assert_eq!(
        told(&outcome.events),
        [
            (2, "raw/schedule".to_owned(), None, Some(first), Some(moved)),
            (3, "raw/plan".to_owned(), now.clone(), Some(first), Some(moved)),
        ]
    );
    // The first clients go on, by their alias and by words, whoever puts.
    let (reply, published) = bench.seed(b"=====PUT the plan\n\ttwo\n");
    assert_eq!(reply, "OK");
    assert!(published.iter().any(|frames| frames[0] == "=====the plan"));
    assert_eq!(told(&published).len(), 2);
    let (reply, _) = bench.seed(b"=====GET plan raw\n");
    assert!(reply.ends_with("=====data\n\ttwo"), "{reply}");
    let outcome = one(&mut bench.snapshots, &put("raw/schedule", "three"));
    assert!(outcome.events.iter().any(|frames| frames[0] == "=====the plan"));
    assert_eq!(told(&outcome.events)[1].2, now);
}

#[test]
fn what_a_clone_has_moved_is_taken_in() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.git");
    bench.git(&["clone", "-q", "--bare", ".", path.to_str().unwrap()]);
    let store = esker_store::store::Store::open(&path, options(&bench.clock)).unwrap();
    let mut other = esker_store::service::Snapshots::new(store, bench.names.clone());
    crate::support::call(&mut other, &renamed("raw/plan", "raw/schedule")).unwrap();
    other.settle().unwrap();
    bench.git(&["fetch", "-q", path.to_str().unwrap(), "main:main"]);
    let published = esker_bus::service::Service::tick(&mut bench.snapshots);
    let told: Vec<String> = events(&published)
        .into_iter()
        .filter_map(|event| match event {
            Event::Put { resource, now, .. } => Some(format!("{resource} {}", now.is_some())),
            Event::Heartbeat { .. } => None,
        })
        .collect();
    assert_eq!(told, ["raw/schedule false", "raw/plan true"]);
    assert_eq!(bench.get("raw/plan").unwrap().entry.resource, resource("raw/schedule"));
}

#[test]
fn pages_of_a_log_go_through_renames() {
    let mut bench = Bench::new();
    let mut name = "raw/n0".to_owned();
    let mut dice = Dice::new(7);
    for step in 0..60 {
        bench.pass(60);
        if dice.below(3) == 0 {
            let next = format!("raw/n{step}x");
            mv(&mut bench, &name, &next);
            name = next;
        } else {
            bench.put(&name, &format!("{step}"));
        }
        bench.put("raw/noise", &format!("{step}"));
    }
    let whole = log(&mut bench, &name);
    for limit in [1, 7, 59] {
        let mut ask = Log { resource: Some(resource(&name)), ..Log::newest(limit) };
        let mut entries = Vec::new();
        loop {
            let page = bench.call(&ask).unwrap();
            entries.extend(page.entries);
            let Some(next) = page.next else { break };
            ask.after = Some(next);
        }
        assert_eq!(entries, whole, "{limit} a page");
    }
    let since = whole[20].revision;
    let filter = Filter { since: Some(At::from(since)), ..Filter::default() };
    let ask = Log { resource: Some(resource(&name)), filter, ..Log::newest(100) };
    assert_eq!(bench.call(&ask).unwrap().entries, whole[..20]);
}

#[test]
fn overrides_go_with_what_they_are_of() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one\n");
    bench.put("overrides/raw/plan", "held");
    bench.put("raw/other", "x");
    mv(&mut bench, "raw/plan", "raw/schedule");
    for name in ["overrides/raw/plan", "overrides/raw/schedule"] {
        let held = bench.get(name).unwrap();
        assert_eq!(held.entry.resource, resource("overrides/raw/schedule"), "{name}");
        assert_eq!(content(&mut bench, name, "HEAD"), "held");
    }
    // What cannot go along stays, and so does what it is of.
    bench.put("overrides/raw/another", "there already");
    bench.put("overrides/raw/other", "held too");
    let fault = bench.call(&renamed("raw/other", "raw/another")).unwrap_err();
    assert_eq!(fault.code, Code::Conflict, "{fault}");
    assert_eq!(content(&mut bench, "raw/other", "HEAD"), "x");
    assert_eq!(content(&mut bench, "overrides/raw/other", "HEAD"), "held too");
}
