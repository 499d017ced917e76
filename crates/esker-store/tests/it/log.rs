//! LOG and LIST by parts: pages, ranges, authors, messages.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Filter, Item, List, Log, Mark, Put};

use crate::support::{Bench, put, resource};

/// Every page of a log, and how many there were.
fn pages(bench: &mut Bench, mut ask: Log) -> (Vec<Entry>, usize) {
    let (mut entries, mut count) = (Vec::new(), 0);
    loop {
        count += 1;
        let page = bench.call(&ask).unwrap();
        assert!(page.entries.len() <= ask.limit as usize);
        entries.extend(page.entries);
        match page.next {
            Some(next) => ask.after = Some(next),
            None => return (entries, count),
        }
    }
}

fn told(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| format!("{} {}", entry.summary, entry.resource)).collect()
}

fn several(message: &str, author: &str, names: &[&str]) -> Put {
    let items = names.iter().map(|name| put(name, message).items.remove(0));
    let items: Vec<Item> = items.collect();
    let (message, author) = (Some(message.to_owned()), Some(author.to_owned()));
    Put { items, message, author, ..put("raw/x", "") }
}

/// Four commits a day apart at noon, from 2025-11-20 on.
fn four_days() -> (Bench, [Revision; 4]) {
    let mut bench = Bench::new();
    let ann = "Ann Bee <ann@example.org>";
    let mut day = |message: &str, author: &str, names: &[&str]| {
        let stored = bench.call(&several(message, author, names)).unwrap();
        bench.pass(86_400);
        stored.revision
    };
    let revisions = [
        day("one", ann, &["raw/c", "raw/a", "raw/b"]),
        day("two\n\nThe Holidays are wrong", "Çem <c@example.org>", &["raw/b"]),
        day("three", ann, &["raw/b", "raw/a"]),
        day("four", "Bob <bob@example.org>", &["raw/d"]),
    ];
    (bench, revisions)
}

#[test]
fn a_log_comes_in_pages_of_any_size() {
    let (mut bench, _) = four_days();
    let whole = bench.call(&Log::newest(100)).unwrap();
    assert_eq!(whole.next, None);
    let expected = [
        "four raw/d",
        "three raw/a",
        "three raw/b",
        "two raw/b",
        "one raw/a",
        "one raw/b",
        "one raw/c",
    ];
    assert_eq!(told(&whole.entries), expected);
    let one = bench.call(&Log::newest(0)).unwrap();
    assert_eq!((one.entries.len(), one.next.is_some()), (1, true), "0 is 1, as of a LIST");
    for limit in 1..9 {
        let (entries, count) = pages(&mut bench, Log::newest(limit));
        assert_eq!(entries, whole.entries, "{limit} a page");
        assert_eq!(count, 7_usize.div_ceil(limit as usize), "{limit} a page");
        let one = Log { resource: Some(resource("raw/b")), ..Log::newest(limit) };
        let (entries, count) = pages(&mut bench, one);
        assert_eq!(told(&entries), ["three raw/b", "two raw/b", "one raw/b"]);
        assert_eq!(count, 3_usize.div_ceil(limit as usize));
    }
}

#[test]
fn a_log_goes_on_where_it_was_whatever_happens_meanwhile() {
    let (mut bench, revisions) = four_days();
    let page = bench.call(&Log::newest(2)).unwrap();
    let next = Mark { revision: revisions[2], resource: Some(resource("raw/a")) };
    assert_eq!(page.next, Some(next.clone()));
    bench.put("raw/a", "meanwhile");
    let mut bench = bench.reopen();
    let after = |after: Mark| Log { after: Some(after), ..Log::newest(100) };
    let (rest, _) = pages(&mut bench, after(next.clone()));
    assert_eq!(told(&rest)[..2], ["three raw/b", "two raw/b"]);
    let whole = Mark { resource: None, ..next.clone() };
    let (rest, _) = pages(&mut bench, after(whole));
    assert_eq!(told(&rest)[0], "two raw/b");
    let unknown = Mark { revision: Revision::from_bytes([7; 20]), ..next };
    assert_eq!(bench.call(&after(unknown)).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_log_of_a_range() {
    let (mut bench, revisions) = four_days();
    let mut of = |since: Option<&str>, until: Option<&str>| {
        let at = |text: Option<&str>| text.map(|text| text.parse::<At>().unwrap());
        let filter = Filter { since: at(since), until: at(until), ..Filter::default() };
        let (entries, _) = pages(&mut bench, Log { filter, ..Log::newest(2) });
        let mut messages: Vec<String> = entries.into_iter().map(|entry| entry.summary).collect();
        messages.dedup();
        messages.join(" ")
    };
    let [first, second, ..] = revisions.map(|revision| revision.to_string());
    // After a revision, from the beginning of a day on.
    assert_eq!(of(Some(&first), None), "four three two");
    assert_eq!(of(Some("2025-11-21"), None), "four three two");
    assert_eq!(of(Some("2025-11-21 12:00"), None), "four three two");
    assert_eq!(of(Some("2025-11-21 12:01"), None), "four three");
    assert_eq!(of(Some("yesterday"), None), "four");
    assert_eq!(of(Some("HEAD~1"), None), "four");
    assert_eq!(of(Some("2025-11-20~1"), None), "four three two one");
    assert_eq!(of(Some("1999"), None), "four three two one");
    assert_eq!(of(Some("HEAD"), None), "");
    assert_eq!(of(Some("2030-01-01"), None), "");
    // Up to a revision, to the end of a day.
    assert_eq!(of(None, Some(&second)), "two one");
    assert_eq!(of(None, Some("2025-11-21")), "two one");
    assert_eq!(of(None, Some("2025-11-21 11:59")), "one");
    assert_eq!(of(None, Some("2025-11-01")), "");
    assert_eq!(of(Some("2025-11-21"), Some("2025-11-22")), "three two");
    assert_eq!(of(Some(&first), Some("HEAD~1")), "three two");
    assert_eq!(of(Some("HEAD"), Some(&first)), "");
    // An older version to begin at counts, and so does a place to go on at.
    let filter = Filter { until: Some("HEAD".parse().unwrap()), ..Filter::default() };
    let ask = Log { at: "HEAD~2".parse().unwrap(), filter, ..Log::newest(9) };
    let old = ["two raw/b", "one raw/a", "one raw/b", "one raw/c"];
    assert_eq!(told(&pages(&mut bench, ask.clone()).0), old);
    for name in [None, Some(resource("raw/b"))] {
        let after = Some(Mark { revision: revisions[2], resource: name });
        assert_eq!(told(&pages(&mut bench, Log { after, ..ask.clone() }).0), old);
        let after = Some(Mark { revision: revisions[3], resource: Some(resource("raw/x")) });
        assert_eq!(told(&pages(&mut bench, Log { after, ..ask.clone() }).0), old);
    }
    let filter = Filter { since: Some("v9".parse().unwrap()), ..Filter::default() };
    let fault = bench.call(&Log { filter, ..Log::newest(9) }).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
}

#[test]
fn a_log_by_author_and_message() {
    let (mut bench, _) = four_days();
    let mut of = |name: Option<&str>, author: Option<&str>, grep: Option<&str>| {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        let filter = Filter { author: text(author), grep: text(grep), ..Filter::default() };
        let ask = Log { resource: name.map(resource), filter, ..Log::newest(1) };
        told(&pages(&mut bench, ask).0).join(", ")
    };
    assert_eq!(of(Some("raw/b"), Some("ANN@"), None), "three raw/b, one raw/b");
    assert_eq!(of(None, Some("bob"), None), "four raw/d");
    assert_eq!(of(None, Some("çem"), None), "two raw/b");
    assert_eq!(of(None, None, Some("holidays are")), "two raw/b");
    assert_eq!(of(None, Some("ann"), Some("holidays")), "");
    assert_eq!(of(None, Some("ann"), Some("THREE")), "three raw/a, three raw/b");
}

/// Puts a resource many times, by plain git, which is faster.
fn commits(store: &Path, count: usize) {
    let mut text = String::new();
    for n in 0..count {
        let from = if n == 0 { "from refs/heads/main^0\n" } else { "" };
        let name = "committer Ann <ann@example.org> 1763640000 +0000\ndata 3\nhay\n";
        let content = format!("M 100644 inline raw/x\ndata {}\n{n}\n", n.to_string().len());
        text += &format!("commit refs/heads/main\n{name}{from}{content}\n");
    }
    let mut import = Command::new("git");
    import.current_dir(store).args(["fast-import", "--quiet"]).stdin(Stdio::piped());
    let mut import = import.spawn().unwrap();
    import.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
}

/// Nobody waits while a log looks through years in vain.
#[test]
fn a_search_in_vain_is_answered_in_parts() {
    let mut bench = Bench::new();
    bench.call(&several("the needle", "Ann <ann@example.org>", &["raw/x"])).unwrap();
    bench.snapshots.settle().unwrap();
    commits(bench.path(), 10_100);
    let mut bench = bench.reopen();
    let newest = bench.call(&several("a newer needle", "Ann <ann@example.org>", &["raw/x"]));
    let filter = Filter { grep: Some("needle".to_owned()), ..Filter::default() };
    for named in [None, Some(resource("raw/x"))] {
        for limit in [1, 5] {
            let ask = Log { resource: named.clone(), filter: filter.clone(), ..Log::newest(limit) };
            let (found, count) = pages(&mut bench, ask);
            assert_eq!(told(&found), ["a newer needle raw/x", "the needle raw/x"]);
            assert_eq!(count, 3);
        }
        let revision = newest.as_ref().unwrap().revision;
        let after = Some(Mark { revision, resource: None });
        let ask = Log { resource: named, filter: filter.clone(), after, ..Log::newest(5) };
        let page = bench.call(&ask).unwrap();
        assert!(page.entries.is_empty() && page.next.is_some());
    }
    let (entries, _) = pages(&mut bench, Log::newest(10_000));
    assert_eq!(entries.len(), 10_102);
}

fn listed(bench: &mut Bench, mut ask: List) -> (Vec<String>, usize) {
    let (mut names, mut count) = (Vec::new(), 0);
    loop {
        count += 1;
        let page = bench.call(&ask).unwrap();
        names.extend(page.entries.iter().map(|entry| entry.resource.to_string()));
        match ask.after(&page) {
            Some(next) => ask = next,
            None => return (names, count),
        }
    }
}

#[test]
fn a_list_comes_in_pages_of_one_commit() {
    let mut bench = Bench::new();
    let names = ["a/x", "raw/a", "raw/b", "raw/b/c", "raw", "rawer/a", "raw/é", "z/x"];
    for name in names.iter().filter(|name| name.contains('/') && **name != "raw/b") {
        bench.put(name, "x");
    }
    let all = ["a/x", "raw/a", "raw/b/c", "raw/é", "rawer/a", "z/x"];
    for limit in 1..8 {
        let ask = List { limit: Some(limit), ..List::all(Branch::main()) };
        let (found, count) = listed(&mut bench, ask.clone());
        assert_eq!(found, all);
        assert_eq!(count, all.len().div_ceil(limit as usize));
        let raw = List { prefix: "raw/".to_owned(), ..ask.clone() };
        assert_eq!(listed(&mut bench, raw).0, all[1..4]);
        let none = List { prefix: "raw/x".to_owned(), ..ask };
        assert_eq!(listed(&mut bench, none), (Vec::new(), 1));
    }
    // What is put meanwhile is not on the next page, what is removed still is.
    let ask = List { limit: Some(2), ..List::all(Branch::main()) };
    let page = bench.call(&ask).unwrap();
    bench.put("raw/b/d", "x");
    let mut removal = put("z/x", "");
    removal.items[0].content = None;
    bench.call(&removal).unwrap();
    let (rest, _) = listed(&mut bench, ask.after(&page).unwrap());
    assert_eq!(rest, all[2..]);
    let after = List { after: Some(resource("raw/aa")), ..List::all(Branch::main()) };
    assert_eq!(listed(&mut bench, after).0, ["raw/b/c", "raw/b/d", "raw/é", "rawer/a"]);
}

/// More than one message holds: those who ask for all get a first page, and with pages everything.
#[test]
fn thirty_thousand_resources_come_through() {
    let mut bench = Bench::new();
    let author = format!("{} <ann@example.org>", "Ann".repeat(300));
    for thousand in 0..30 {
        let names: Vec<String> = (0..1000).map(|n| format!("raw/{thousand:02}/{n:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        bench.call(&several("many", &author, &names)).unwrap();
    }
    let first = bench.call(&List::all(Branch::main())).unwrap();
    assert!(first.next.is_some() && first.entries.len() > 5_000);
    for limit in [None, Some(10_000)] {
        let (names, count) = listed(&mut bench, List { limit, ..List::all(Branch::main()) });
        assert_eq!(names.len(), 30_000);
        assert!(names.is_sorted() && count < 10, "{count} pages");
    }
    let (entries, count) = pages(&mut bench, Log::newest(10_000));
    assert!(entries.len() == 30_000 && count < 10, "{count} pages");
}
