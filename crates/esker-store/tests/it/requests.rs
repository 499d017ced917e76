//! Every other request, through the service.

use bytes::Bytes;
use esker_bus::service::Service as _;
use esker_wire::event::Event;
use esker_wire::fault::Code;
use esker_wire::message::{Message, Request as _, answer};
use esker_wire::name::Branch;
use esker_wire::provenance::{Input, Provenance};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{
    Diff, Expect, Form, Get, Health, Item, List, Log, Put, Range, Stat, Why,
};

use crate::support::{Bench, events, one, put, resource};

#[test]
fn a_batch_is_as_if_handled_one_by_one() {
    let mut bench = Bench::new();
    let get = Get::head(resource("raw/plan")).to_message().to_frames();
    let requests = vec![
        get.clone(),
        put("raw/plan", "one").to_message().to_frames(),
        get.clone(),
        put("raw/plan", "two").to_message().to_frames(),
        get,
    ];
    let outcomes = bench.snapshots.handle(&requests);
    let got = |index: usize| answer::<Get>(&Message::from_frames(&outcomes[index].reply).unwrap());
    assert_eq!(got(0).unwrap_err().code, Code::NotFound);
    assert_eq!(got(2).unwrap().bytes.unwrap(), "one");
    let last = got(4).unwrap();
    assert_eq!(last.bytes.unwrap(), "two");
    let (first, second) = (events(&outcomes[1].events), events(&outcomes[3].events));
    assert_eq!((first[0].link().seq, second[0].link().seq), (1, 2));
    assert_eq!(last.entry.previous, got(2).unwrap().entry.previous.or(Some(got(2).unwrap().at)));
    assert_eq!(bench.git_head(), last.at);
}

#[test]
fn large_answers_end_a_batch_early() {
    let mut bench = Bench::new();
    bench.put("raw/large", &"x".repeat(30 << 20));
    let get = Get::head(resource("raw/large")).to_message().to_frames();
    let outcomes = bench.snapshots.handle(&vec![get; 9]);
    let count = outcomes.len();
    assert!((1..=3).contains(&count), "{count}: the rest is asked for when these have left");
}

#[test]
fn what_a_put_says_of_itself_is_bounded() {
    let mut bench = Bench::new();
    let mut ask = put("raw/plan", "x");
    let program = |bytes| {
        let made = made_from("s", &[]).unwrap();
        Some(Provenance { program: "p".repeat(bytes), ..made })
    };
    ask.provenance = program(70_000);
    assert_eq!(bench.call(&ask).unwrap_err().code, Code::TooLarge);
    ask.provenance = program(50_000);
    ask.message = Some("m".repeat(60_000));
    bench.call(&ask).unwrap();
    assert_eq!(bench.get("raw/plan").unwrap().entry.summary.len(), 200);
}

#[test]
fn compare_and_swap() {
    let mut bench = Bench::new();
    let expecting = |content: &str, expect: Expect| {
        let mut ask = put("raw/plan", content);
        ask.items[0].if_head = Some(expect);
        ask
    };
    let first = bench.call(&expecting("one", Expect::Absent)).unwrap();
    let fault = bench.call(&expecting("two", Expect::Absent)).unwrap_err();
    assert_eq!(fault.code, Code::Conflict);
    assert!(
        fault.message.contains("raw/plan") && fault.message.contains(&first.revision.to_string())
    );
    bench.put("raw/other", "x");
    let second = bench.call(&expecting("two", Expect::Revision(first.revision))).unwrap();
    assert!(bench.call(&expecting("three", Expect::Revision(first.revision))).is_err());
    let mut both = expecting("four", Expect::Revision(first.revision));
    both.items.insert(0, put("raw/new", "x").items.remove(0));
    assert_eq!(bench.call(&both).unwrap_err().code, Code::Conflict);
    assert_eq!(bench.get("raw/new").unwrap_err().code, Code::NotFound);
    assert_eq!(bench.get("raw/plan").unwrap().entry.revision, second.revision);
}

#[test]
fn several_items_are_one_commit() {
    let mut bench = Bench::new();
    bench.put("raw/old", "old");
    let kept = bench.put("raw/kept", "kept").revision;
    let mut ask = put("raw/a", "a");
    ask.items.push(put("raw/b/c", "c").items.remove(0));
    ask.items.push(put("raw/kept", "kept").items.remove(0));
    ask.items.push(Item { content: None, ..put("raw/old", "").items.remove(0) });
    let outcome = one(&mut bench.snapshots, &ask);
    let stored = answer::<Put>(&Message::from_frames(&outcome.reply).unwrap()).unwrap();
    let revisions: Vec<Option<Revision>> = stored.items.iter().map(|item| item.revision).collect();
    assert_eq!(revisions, [Some(stored.revision), Some(stored.revision), Some(kept), None]);
    let published = events(&outcome.events);
    assert_eq!(published.len(), 4);
    assert!(published[2].is_unchanged() && !published[3].is_unchanged());
    let fault = bench.get("raw/old").unwrap_err();
    assert!(fault.message.contains("was removed"), "{fault}");
    assert_eq!(bench.get_at("raw/old", "HEAD^").unwrap().bytes.unwrap(), "old");
    let listing = bench.call(&List::all(Branch::main())).unwrap();
    let names: Vec<&str> = listing.entries.iter().map(|entry| entry.resource.as_str()).collect();
    assert_eq!(names, ["raw/a", "raw/b/c", "raw/kept"]);
    assert_eq!(listing.entries[0].size, 1);
}

#[test]
fn a_name_is_no_folder() {
    let mut bench = Bench::new();
    bench.put("a/b", "x");
    let fault = bench.call(&put("a/b/c", "y")).unwrap_err();
    assert_eq!(fault.code, Code::BadRequest);
    let mut swap = put("a/b/c", "y");
    swap.items.push(Item { content: None, ..put("a/b", "").items.remove(0) });
    bench.call(&swap).unwrap();
    assert_eq!(bench.call(&put("a/b", "x")).unwrap_err().code, Code::BadRequest);
    assert_eq!(bench.get("a/b/c").unwrap().bytes.unwrap(), "y");
}

#[test]
fn parts_and_conditions_of_get() {
    let mut bench = Bench::new();
    let stored = bench.put("raw/plan", "0123456789");
    let part = |offset, length| Get {
        range: Some(Range { offset, length }),
        ..Get::head(resource("raw/plan"))
    };
    for (offset, length, expected) in [
        (2, 3, "234"),
        (8, 5, "89"),
        (20, 1, ""),
        (0, u64::MAX, "0123456789"),
        (5, u64::MAX, "56789"),
    ] {
        assert_eq!(bench.call(&part(offset, length)).unwrap().bytes.unwrap(), expected);
    }
    let unless = Get { unless: Some(stored.revision), ..Get::head(resource("raw/plan")) };
    assert_eq!(bench.call(&unless).unwrap().bytes, None);
    bench.put("raw/plan", "new");
    assert_eq!(bench.call(&unless).unwrap().bytes.unwrap(), "new");
}

#[test]
fn the_log_of_one_and_of_all() {
    let mut bench = Bench::new();
    bench.put("raw/a", "1");
    bench.put("raw/b", "1");
    bench.put("raw/a", "2");
    let log = |name: Option<&str>, at: &str, limit| Log {
        resource: name.map(resource),
        at: at.parse().unwrap(),
        ..Log::newest(limit)
    };
    let summaries = |entries: Vec<esker_wire::snapshot::Entry>| -> Vec<String> {
        entries.into_iter().map(|entry| format!("{} {}", entry.summary, entry.size)).collect()
    };
    let all = bench.call(&log(None, "HEAD", 10)).unwrap().entries;
    assert_eq!(summaries(all), ["put raw/a 1", "put raw/b 1", "put raw/a 1"]);
    assert_eq!(bench.call(&log(Some("raw/a"), "HEAD~1", 10)).unwrap().entries.len(), 1);
    assert_eq!(bench.call(&log(Some("raw/a"), "HEAD", 1)).unwrap().entries.len(), 1);
    let fault = bench.call(&log(Some("raw/c"), "HEAD", 10)).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert_eq!(fault.candidates, ["raw/a", "raw/b"]);
    let records = Log { branch: Branch::records(), ..log(None, "HEAD", 10) };
    assert_eq!(bench.call(&records).unwrap().entries, []);
}

#[test]
fn differences() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "a\nb\nc\n");
    bench.put("raw/plan", "a\nB\nc");
    let diff = |from: Option<&str>| Diff {
        resource: resource("raw/plan"),
        from: from.map(|from| from.parse().unwrap()),
        to: At::head(),
        branch: Branch::main(),
        form: Form::Text,
        key: Vec::new(),
    };
    let text = bench.call(&diff(None)).unwrap().body;
    let expected = "--- a/raw/plan\n+++ b/raw/plan\n@@ -1,3 +1,3 @@\n a\n-b\n-c\n+B\n+c\n\\ No newline at end of file\n";
    assert_eq!(text, expected);
    assert_eq!(bench.call(&diff(Some("HEAD"))).unwrap().body, "");
    let first = bench.call(&diff(Some("HEAD~2"))).unwrap().body;
    assert!(first.starts_with(b"--- /dev/null\n+++ b/raw/plan\n"));
    bench.put("raw/plan", "\0binary");
    assert_eq!(
        bench.call(&diff(None)).unwrap().body,
        "Binary files a/raw/plan and b/raw/plan differ\n"
    );
    bench.put("raw/plan", &"x\n".repeat(5_000_000));
    assert!(bench.call(&diff(None)).unwrap().body.ends_with(b"not compared)\n"));
}

#[test]
fn differences_take_the_form_that_suits() {
    let mut bench = Bench::new();
    let ask = |name: &str, form: Form, key: &[&str]| Diff {
        resource: resource(name),
        from: None,
        to: At::head(),
        branch: Branch::main(),
        form,
        key: key.iter().map(|column| (*column).to_owned()).collect(),
    };
    let versions = [
        ("raw/csv", "id,n\n1,a\n", "id,n\n1,b\n", Form::Table),
        ("raw/json", "{\"a\": 1}", "{\"a\": 2}", Form::Json),
        ("raw/streams", "=====s\n\tx\n", "=====s\n\ty\n", Form::Table),
        ("raw/prose", "Dear all,\n", "Dear you,\n", Form::Text),
        ("raw/braces", "{a}\n", "{b}\n", Form::Text),
    ];
    for (name, old, new, form) in versions {
        bench.put(name, old);
        bench.put(name, new);
        let found = bench.call(&ask(name, Form::Auto, &[])).unwrap();
        assert_eq!(found.form, form, "{name}");
        assert!(!found.body.is_empty());
    }
    let first = Diff { from: Some("HEAD~8".parse().unwrap()), ..ask("raw/csv", Form::Table, &[]) };
    assert!(bench.call(&first).unwrap().body.is_empty(), "HEAD~8 is its second version");
    let refused = bench.call(&ask("raw/prose", Form::Json, &[])).unwrap_err();
    assert_eq!(refused.code, Code::BadRequest);
    assert!(refused.message.contains("cannot compare raw/prose as JSON"), "{refused}");
    let refused = bench.call(&ask("raw/csv", Form::Auto, &["who"])).unwrap_err();
    assert!(refused.message.contains("there is no column \"who\""), "{refused}");
    let refused = bench.call(&ask("raw/csv", Form::Table, &["a"; 17])).unwrap_err();
    assert!(refused.message.contains("16 are allowed"), "{refused}");
    bench.put("raw/large", &format!("id,n\n{}", "1,2\n".repeat(1_100_000)));
    bench.put("raw/large", "id,n\n1,2\n");
    let refused = bench.call(&ask("raw/large", Form::Table, &[])).unwrap_err();
    assert_eq!(refused.code, Code::TooLarge, "{refused}");
    assert_eq!(bench.call(&ask("raw/large", Form::Auto, &[])).unwrap().form, Form::Text);
}

fn made_from(stage: &str, inputs: &[(&str, Revision)]) -> Option<Provenance> {
    let input = |(name, revision): &(&str, Revision)| Input {
        resource: resource(name),
        revision: *revision,
    };
    Some(Provenance {
        stage: stage.to_owned(),
        run_key: "key".to_owned(),
        inputs: inputs.iter().map(input).collect(),
        program: "cat".to_owned(),
        code: String::new(),
        engine: "esker".to_owned(),
        host: "host".to_owned(),
        started: "2025-11-20T12:00:00.5Z".parse().unwrap(),
        duration_ms: 1,
        exit: 0,
        failed_parts: Vec::new(),
    })
}

#[test]
fn why_goes_back_to_the_sources() {
    let mut bench = Bench::new();
    let raw = bench.put("raw/plan", "1").revision;
    let mut step = |name: &str, inputs: &[(&str, Revision)]| {
        let ask = Put { provenance: made_from(name, inputs), ..put(name, name) };
        bench.call(&ask).unwrap().revision
    };
    let left = step("left/plan", &[("raw/plan", raw)]);
    let right = step("right/plan", &[("raw/plan", raw)]);
    step("results/plan", &[("left/plan", left), ("right/plan", right)]);
    bench.put("raw/plan", "2");
    let ask = Why { resource: resource("results/plan"), at: At::head(), branch: Branch::main() };
    let nodes = bench.call(&ask).unwrap();
    let tree: Vec<(u32, &str)> =
        nodes.iter().map(|node| (node.depth, node.entry.resource.as_str())).collect();
    let expected = [
        (0, "results/plan"),
        (1, "left/plan"),
        (2, "raw/plan"),
        (1, "right/plan"),
        (2, "raw/plan"),
    ];
    assert_eq!(tree, expected);
    assert_eq!(nodes[2].entry.revision, raw);
    assert_eq!(
        nodes[0].entry.provenance,
        made_from("results/plan", &[("left/plan", left), ("right/plan", right)])
    );
}

#[test]
fn what_no_store_could_take_is_refused() {
    let mut bench = Bench::new();
    let twice = Put {
        items: vec![put("a/b", "x").items.remove(0), put("a/b", "y").items.remove(0)],
        ..put("a/b", "")
    };
    let author = |author: &str| Put { author: Some(author.to_owned()), ..put("a/b", "x") };
    let refused =
        [twice, author("Ann"), author("Ann <a@b> <c>"), author("Ann\n <a@b>"), author(" <a@b>")];
    for ask in refused {
        assert_eq!(bench.call(&ask).unwrap_err().code, Code::BadRequest, "{ask:?}");
    }
    let outcome = bench.snapshots.handle(&[vec![Bytes::from_static(b"=====esker/1 FLY\n")]]);
    assert!(outcome[0].reply[0].starts_with(b"=====esker/1 ERROR bad-request\n"));
    let outcome = bench.snapshots.handle(&[vec![]]);
    assert!(outcome[0].reply[0].starts_with(b"ERROR: "));
}

#[test]
fn branches_do_not_mix() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "main");
    let record = Put { branch: Branch::records(), ..put("run/condition", "one") };
    let outcome = one(&mut bench.snapshots, &record);
    let [Event::Put { branch, .. }] = &events(&outcome.events)[..] else {
        panic!("expected one event");
    };
    assert_eq!(branch, &Branch::records());
    let stat = |branch| Stat { resource: resource("run/condition"), at: At::head(), branch };
    assert_eq!(bench.call(&stat(Branch::main())).unwrap_err().code, Code::NotFound);
    let entry = bench.call(&stat(Branch::records())).unwrap();
    let mut bench = bench.reopen();
    assert_eq!(bench.call(&stat(Branch::records())).unwrap(), entry);
}

#[test]
fn every_start_has_a_larger_epoch() {
    let mut bench = Bench::new();
    let first = bench.call(&Health).unwrap();
    bench.put("raw/plan", "x");
    assert_eq!(bench.call(&Health).unwrap().link.seq, 1);
    bench.pass(-3600);
    let mut bench = bench.reopen();
    let second = bench.call(&Health).unwrap();
    assert!(second.link.epoch > first.link.epoch && second.link.seq == 0);
    assert_eq!(second.project, "test");
    assert_eq!(events(&bench.snapshots.tick()), [Event::Heartbeat { link: second.link }]);
}
