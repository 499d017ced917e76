//! Branches that begin at a commit of `main`: what they hold, for esker and for plain git.

use esker_bus::service::Service as _;
use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::provenance::{Input, Provenance};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{
    Diff, DropBranch, Expect, Form, Get, List, Log, Move, Put, Resolve, Stat, Stored, Why,
};

use crate::support::{Bench, git, put, resource};

fn branch(name: &str) -> Branch {
    name.parse().unwrap()
}

fn begin(name: &str, base: Revision, content: &str) -> Put {
    let put = put("whatif/about", content);
    Put { branch: branch(name), base: Some(base), ..put }
}

fn on(name: &str, resource: &str, content: &str) -> Put {
    Put { branch: branch(name), ..put(resource, content) }
}

fn get(bench: &mut Bench, name: &str, what: &str, at: &str) -> Result<String, Code> {
    let ask = Get { branch: branch(name), at: at.parse().unwrap(), ..Get::head(resource(what)) };
    let got = bench.call(&ask).map_err(|fault| fault.code)?;
    Ok(String::from_utf8(got.bytes.unwrap().to_vec()).unwrap())
}

fn listed(bench: &mut Bench, name: &str) -> Vec<String> {
    let listing = bench.call(&List::all(branch(name))).unwrap();
    listing.entries.iter().map(|entry| entry.resource.to_string()).collect()
}

/// `main` with something removed, renamed, and changed again; its commits, oldest first.
fn main(bench: &mut Bench) -> Vec<Revision> {
    let mut all = vec![bench.put("raw/a", "a1").revision, bench.put("raw/b", "b1").revision];
    all.push(bench.put("raw/gone", "x").revision);
    all.push(bench.put("raw/a", "a2").revision);
    let mut gone = put("raw/gone", "");
    gone.items[0].content = None;
    all.push(bench.call(&gone).unwrap().revision);
    let moved = Move {
        resource: resource("raw/b"),
        to: resource("raw/bee"),
        branch: Branch::main(),
        if_head: None,
        message: None,
        author: None,
    };
    all.push(bench.call(&moved).unwrap().revision);
    all.push(bench.put("raw/c", "c1").revision);
    bench.pass(60);
    all
}

fn check_reads(bench: &mut Bench, all: &[Revision], own: &Stored) {
    let it = "whatif/x";
    assert_eq!(listed(bench, it), ["raw/a", "raw/bee", "raw/c", "whatif/about"]);
    assert_eq!(get(bench, it, "raw/a", "HEAD").unwrap(), "a2");
    assert_eq!(get(bench, it, "raw/b", "HEAD").unwrap(), "b1");
    assert_eq!(get(bench, it, "whatif/about", "HEAD").unwrap(), "one");
    // What the branch has from before its base is that of main.
    assert_eq!(get(bench, it, "raw/a", &all[2].to_string()).unwrap(), "a1");
    assert_eq!(get(bench, it, "raw/gone", &all[2].to_string()[..12]).unwrap(), "x");
    assert_eq!(get(bench, it, "raw/a", "HEAD~6").unwrap(), "a1");
    assert_eq!(get(bench, it, "raw/gone", "HEAD"), Err(Code::NotFound));
    let stat = |name: &str, what: &str| Stat {
        branch: branch(name),
        at: At::head(),
        resource: resource(what),
    };
    for what in ["raw/a", "raw/bee"] {
        let (there, here) = (bench.call(&stat("main", what)), bench.call(&stat(it, what)));
        assert_eq!(there.unwrap(), here.unwrap());
    }
    let about = bench.call(&stat(it, "whatif/about")).unwrap();
    assert_eq!((about.revision, about.previous), (own.revision, None));
    let resolved = |bench: &mut Bench, at: &str| {
        let ask = Resolve { branch: branch(it), at: at.parse().unwrap(), zone: None };
        bench.call(&ask).map(|resolved| resolved.revision).map_err(|fault| fault.code)
    };
    assert_eq!(resolved(bench, "HEAD").unwrap(), own.revision);
    assert_eq!(resolved(bench, "HEAD~1").unwrap(), all[6]);
    assert_eq!(resolved(bench, "HEAD~5").unwrap(), all[2]);
    assert_eq!(resolved(bench, &all[1].to_string()).unwrap(), all[1]);
    assert_eq!(resolved(bench, "2025-11-20 12:00:10").unwrap(), all[6]);
    assert_eq!(resolved(bench, "HEAD~40").unwrap_err(), Code::NotFound);
    let mut log = Log { branch: branch(it), ..Log::newest(100) };
    let told = |bench: &mut Bench, log: &Log| {
        let page = bench.call(log).unwrap();
        page.entries.iter().map(|entry| entry.revision).collect::<Vec<_>>()
    };
    // Of main those commits that made what is there, under its older names too.
    assert_eq!(told(bench, &log), [own.revision, all[6], all[5], all[3], all[1]]);
    log.filter.since = Some(At::from(all[6]));
    assert_eq!(told(bench, &log), [own.revision]);
    log.filter.since = Some(At::from(all[4]));
    assert_eq!(told(bench, &log), [own.revision, all[6], all[5]]);
    log.filter.since = None;
    log.at = At::from(all[3]);
    assert_eq!(told(bench, &log), [all[3], all[2], all[1], all[0]]);
    let diff = |from: &str, to: &str, what: &str| Diff {
        branch: branch(it),
        from: Some(from.parse().unwrap()),
        to: to.parse().unwrap(),
        resource: resource(what),
        form: Form::Text,
        key: Vec::new(),
    };
    let body = bench.call(&diff(&all[0].to_string(), "HEAD", "raw/a")).unwrap().body;
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.contains("-a1") && text.contains("+a2"), "{text}");
    let same = bench.call(&diff(&all[1].to_string(), "HEAD", "raw/b")).unwrap();
    assert_eq!(same.body, "");
}

#[test]
fn a_branch_has_all_that_its_base_has() {
    let mut bench = Bench::new();
    let all = main(&mut bench);
    let own = bench.call(&begin("whatif/x", all[6], "one")).unwrap();
    check_reads(&mut bench, &all, &own);
    // Nothing of what main gets from now on is seen.
    let later = bench.put("raw/a", "a3").revision;
    check_reads_of_a(&mut bench, later);
    let git = |bench: &mut Bench, args: &[&str]| bench.git(args).trim().to_owned();
    let base = all[6].to_string();
    let found = git(&mut bench, &["merge-base", "refs/heads/main", "refs/esker/whatif/x"]);
    assert_eq!(found, base);
    let names = git(&mut bench, &["diff", "--name-only", &base, "esker/whatif/x"]);
    assert_eq!(names, "whatif/about");
    bench.assert_sound();
    let mut bench = bench.reopen();
    assert_eq!(get(&mut bench, "whatif/x", "raw/a", "HEAD").unwrap(), "a2");
    assert!(!bench.path().join("esker/index/whatif/x").exists());
    bench.call(&on("whatif/x", "raw/a", "mine")).unwrap();
    let mut bench = bench.reopen();
    assert_eq!(get(&mut bench, "whatif/x", "raw/a", "HEAD").unwrap(), "mine");
    assert_eq!(get(&mut bench, "whatif/x", "raw/a", "HEAD~1").unwrap(), "a2");
    assert_eq!(bench.get("raw/a").unwrap().bytes.unwrap(), "a3");
    let names = git(&mut bench, &["diff", "--name-only", &base, "esker/whatif/x"]);
    assert_eq!(names, "raw/a\nwhatif/about");
    bench.assert_sound();
}

fn check_reads_of_a(bench: &mut Bench, later: Revision) {
    assert_eq!(get(bench, "whatif/x", "raw/a", "HEAD").unwrap(), "a2");
    assert_eq!(get(bench, "whatif/x", "raw/a", &later.to_string()), Err(Code::NotFound));
    let why = Why { resource: resource("raw/a"), at: At::head(), branch: Branch::main() };
    assert_eq!(bench.call(&why).unwrap()[0].entry.revision, later);
}

#[test]
fn it_reads_the_same_after_a_restart() {
    let mut bench = Bench::new();
    let all = main(&mut bench);
    let own = bench.call(&begin("whatif/x", all[6], "one")).unwrap();
    let mut bench = bench.reopen();
    check_reads(&mut bench, &all, &own);
}

/// From what a what-if made, by way of what main has made, to main's sources.
#[test]
fn why_leads_from_a_branch_to_main() {
    let mut bench = Bench::new();
    let raw = bench.put("raw/a", "1").revision;
    let made = |name: &str, input: &str, revision: Revision| Put {
        provenance: Some(provenance(input, revision)),
        ..put(name, name)
    };
    let middle = bench.call(&made("made/b", "raw/a", raw)).unwrap().revision;
    bench.put("raw/a", "2");
    let base = bench.put("raw/c", "3").revision;
    let made = made("made/d", "made/b", middle);
    let own = Put { branch: branch("whatif/x"), base: Some(base), ..made };
    let own = bench.call(&own).unwrap().revision;
    let why = Why { resource: resource("made/d"), at: At::head(), branch: branch("whatif/x") };
    let nodes = bench.call(&why).unwrap();
    let told: Vec<Revision> = nodes.iter().map(|node| node.entry.revision).collect();
    assert_eq!(told, [own, middle, raw]);
}

fn provenance(input: &str, revision: Revision) -> Provenance {
    Provenance {
        stage: "make".to_owned(),
        run_key: "0123".to_owned(),
        inputs: vec![Input { resource: resource(input), revision }],
        program: "cat".to_owned(),
        code: String::new(),
        engine: "esker".to_owned(),
        host: "host".to_owned(),
        started: "2025-11-20T12:00:30Z".parse().unwrap(),
        duration_ms: 1,
        exit: 0,
        failed_parts: Vec::new(),
    }
}

#[test]
fn a_branch_is_begun_anew_in_one_step() {
    let mut bench = Bench::new();
    let all = main(&mut bench);
    let first = bench.call(&begin("whatif/x", all[2], "one")).unwrap();
    bench.call(&on("whatif/x", "raw/own", "o")).unwrap();
    assert_eq!(listed(&mut bench, "whatif/x").len(), 5);
    let about = first.items[0].revision.unwrap();
    // What the writer believes is judged against what is there.
    let mut wrong = begin("whatif/x", all[6], "two");
    wrong.items[0].if_head = Some(Expect::Absent);
    assert_eq!(bench.call(&wrong).unwrap_err().code, Code::Conflict);
    assert_eq!(listed(&mut bench, "whatif/x").len(), 5);
    let mut right = begin("whatif/x", all[6], "two");
    right.items[0].if_head = Some(Expect::Revision(about));
    let second = bench.call(&right).unwrap();
    assert_eq!(second.items[0].previous, Some(about));
    assert_eq!(listed(&mut bench, "whatif/x"), ["raw/a", "raw/bee", "raw/c", "whatif/about"]);
    assert_eq!(bench.call(&right).unwrap_err().code, Code::Conflict);
    let head = bench.git(&["rev-parse", "refs/esker/whatif/x"]);
    assert_eq!(head.trim(), second.revision.to_string());
    let parent = bench.git(&["rev-parse", "refs/esker/whatif/x~1"]);
    assert_eq!(parent.trim(), all[6].to_string());
    bench.snapshots.tick();
    bench.call(&on("whatif/x", "raw/own", "again")).unwrap();
    assert!(!git(bench.path(), &["for-each-ref"]).contains("kept"));
    let mut bench = bench.reopen();
    assert_eq!(get(&mut bench, "whatif/x", "raw/own", "HEAD").unwrap(), "again");
    bench.call(&DropBranch { branch: branch("whatif/x") }).unwrap();
    assert_eq!(get(&mut bench, "whatif/x", "raw/a", "HEAD"), Err(Code::NotFound));
    let mut absent = begin("whatif/x", all[1], "three");
    absent.items[0].if_head = Some(Expect::Absent);
    bench.call(&absent).unwrap();
    bench.assert_sound();
}

/// Nothing is put, and yet the branch begins.
#[test]
fn an_orphan_is_begun_anew_and_what_changes_nothing_begins_a_branch() {
    let mut bench = Bench::new();
    let all = main(&mut bench);
    bench.call(&on("scratch", "raw/own", "o")).unwrap();
    let mut bench = bench.reopen();
    assert!(bench.path().join("esker/index/scratch").exists());
    let anew = Put { base: Some(all[6]), ..on("scratch", "raw/a", "a2") };
    let stored = bench.call(&anew).unwrap();
    assert_eq!(stored.items[0].revision, Some(all[3]));
    let parent = bench.git(&["rev-parse", &format!("{}~1", stored.revision)]);
    assert_eq!(parent.trim(), all[6].to_string());
    let mut bench = bench.reopen();
    assert_eq!(listed(&mut bench, "scratch"), ["raw/a", "raw/bee", "raw/c"]);
    bench.call(&on("scratch", "raw/own", "p")).unwrap();
    bench.assert_sound();
}

#[test]
fn a_base_is_a_commit_of_main() {
    let mut bench = Bench::new();
    let all = main(&mut bench);
    for name in ["main", "records"] {
        let fault = bench.call(&begin(name, all[1], "x")).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{fault}");
    }
    let own = bench.call(&begin("whatif/x", all[1], "x")).unwrap();
    let fault = bench.call(&begin("whatif/y", own.revision, "x")).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(fault.message.contains(&own.revision.to_string()), "{fault}");
    assert!(bench.call(&List::all(branch("whatif/y"))).unwrap().entries.is_empty());
    let mut bad = begin("whatif/x", all[2], "x");
    bad.items.push(bad.items[0].clone());
    assert_eq!(bench.call(&bad).unwrap_err().code, Code::BadRequest);
    assert_eq!(get(&mut bench, "whatif/x", "whatif/about", "HEAD").unwrap(), "x");
    assert_eq!(get(&mut bench, "whatif/x", "raw/gone", "HEAD"), Err(Code::NotFound));
    bench.assert_sound();
}

#[test]
fn what_was_on_its_way_to_a_what_if_that_is_gone_begins_none() {
    let mut bench = Bench::new();
    let base = bench.put("raw/a", "a1").revision;
    bench.call(&begin("whatif/x", base, "about")).unwrap();
    let drop_it = DropBranch { branch: branch("whatif/x") };
    assert!(bench.call(&drop_it).unwrap());
    let late = bench.call(&on("whatif/x", "results/a", "late")).unwrap_err();
    assert_eq!(late.code, Code::Conflict, "{late}");
    assert_eq!(get(&mut bench, "whatif/x", "results/a", "HEAD"), Err(Code::NotFound));
    assert!(!bench.call(&drop_it).unwrap(), "there is none");
}
