//! Versions by time, tag, and count.

use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Resolve, Tag, Tags};

use crate::support::{Bench, NOON, git, git_at};

fn resolve(bench: &mut Bench, at: &str) -> Result<Revision, Code> {
    let ask = Resolve { at: at.parse().unwrap(), branch: Branch::main(), zone: None };
    let resolved = bench.call(&ask);
    resolved.map(|resolved| resolved.revision).map_err(|fault| fault.code)
}

#[test]
fn times_mean_the_last_commit_until_then() {
    let mut bench = Bench::new();
    let noon = bench.put("raw/plan", "noon").revision;
    bench.pass(5 * 3600);
    let five = bench.put("raw/plan", "five").revision;
    bench.pass(24 * 3600);
    let next = bench.put("raw/plan", "next").revision;
    bench.pass(60);
    for (text, expected) in [
        ("2025-11-20", Ok(five)),
        ("2025-11-21", Ok(next)),
        ("2025-11-20 16:59", Ok(noon)),
        ("2025-11-20 17:00", Ok(five)),
        ("2025-11-20T17:00:00+01:00", Ok(noon)),
        ("yesterday", Ok(five)),
        ("now", Ok(next)),
        ("1 day ago", Ok(five)),
        ("2 days ago", Err(Code::NotFound)),
        ("2025-11-19", Err(Code::NotFound)),
        ("last tuesday", Err(Code::NotFound)),
        ("last thursday 17:00", Ok(five)),
        ("last thursday 17:00 Europe/Berlin", Ok(noon)),
        ("2025-11-20 17:00[Europe/Berlin]", Ok(noon)),
        ("2025-11-20~1", Ok(noon)),
        ("november 2025", Ok(next)),
        ("2025-W47^", Ok(five)),
        ("2025-12-24", Ok(next)),
        ("21/11/2025", Ok(next)),
        ("11/12/2025", Err(Code::Ambiguous)),
        ("2025-11-20 17:00 Europe/Berlim", Err(Code::BadRequest)),
    ] {
        assert_eq!(resolve(&mut bench, text), expected, "{text}");
    }
}

#[test]
fn the_clock_hangs_where_it_is_said_to() {
    let mut bench = Bench::new();
    let noon = bench.put("raw/plan", "noon").revision;
    bench.pass(5 * 3600);
    let five = bench.put("raw/plan", "five").revision;
    let mut ask = |at: &str, zone: &str| {
        let (at, zone) = (at.parse().unwrap(), Some(zone.to_owned()));
        let resolved = bench.call(&Resolve { at, branch: Branch::main(), zone });
        resolved.map(|resolved| resolved.revision).map_err(|fault| fault.code)
    };
    assert_eq!(ask("2025-11-20 17:00", "UTC"), Ok(five));
    assert_eq!(ask("2025-11-20 17:00", "Europe/Berlin"), Ok(noon));
    assert_eq!(ask("2025-11-20 17:00", "-01:00"), Ok(five));
    assert_eq!(ask("2025-11-20 17:00 UTC", "Europe/Berlin"), Ok(five));
    assert_eq!(ask("HEAD", "Europe/Berlin"), Ok(five));
    assert_eq!(ask("HEAD", "Nowhere"), Err(Code::BadRequest));
}

/// Commits of plain git may go back in time; the order of commits is what counts.
#[test]
fn the_last_commit_in_order_counts() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    bench.snapshots.settle().unwrap();
    let commit = |time: &str| {
        let tree = git(bench.path(), &["rev-parse", "main^{tree}"]);
        let date = format!("@{time} +0000");
        let args = ["commit-tree", tree.trim(), "-p", "main", "-m", "by hand"];
        let revision = git_at(bench.path(), &args, &date);
        git(bench.path(), &["update-ref", "refs/heads/main", revision.trim()]);
        revision.trim().parse::<Revision>().unwrap()
    };
    let late = commit("1763740800");
    let early = commit("1763654400");
    let mut bench = bench.reopen();
    assert_eq!(resolve(&mut bench, "2025-11-20"), Ok(early));
    assert_eq!(resolve(&mut bench, "2025-11-21"), Ok(early));
    assert_eq!(resolve(&mut bench, "2025-11-21~1"), Ok(late));
}

/// A commit of plain git that is dated far in the future does not take every later PUT there.
#[test]
fn a_date_far_in_the_future_is_not_handed_on() {
    for is_open in [true, false] {
        let mut bench = Bench::new();
        bench.put("raw/plan", "one");
        bench.pass(60);
        bench.snapshots.settle().unwrap();
        let closed = (!is_open).then(|| std::mem::replace(&mut bench, Bench::new()).close());
        let folder = closed.as_ref().map_or(bench.path(), |closed| closed.folder.path());
        let tree = git(folder, &["rev-parse", "main^{tree}"]);
        let args = ["commit-tree", tree.trim(), "-p", "main", "-m", "by hand"];
        let late = git_at(folder, &args, "@3786912000 +0000");
        git(folder, &["update-ref", "refs/heads/main", late.trim()]);
        let mut bench = closed.map_or(bench, |closed| closed.open());
        let two = bench.put("raw/plan", "two").revision;
        assert_eq!(bench.git(&["rev-parse", "main~1"]), late, "it is taken in as it is");
        let times = bench.git(&["log", "-1", "--format=%ct", "main"]);
        assert_eq!(times.trim(), (NOON + 60).to_string());
        assert_eq!(resolve(&mut bench, "today"), Ok(two));
        // Of what esker itself has put none goes back, nor behind one that is a little ahead.
        bench.pass(-30);
        bench.put("raw/plan", "three");
        let times = bench.git(&["log", "-1", "--format=%ct", "main"]);
        assert_eq!(times.trim(), (NOON + 60).to_string());
    }
}

#[test]
fn a_year_that_a_revision_begins_with_is_refused() {
    let mut bench = Bench::new();
    let year = |revision: Revision| {
        let digits = revision.to_string()[..4].to_owned();
        digits.parse().is_ok_and(|year: i16| (1970..2200).contains(&year)).then_some(digits)
    };
    let digits = (0..).find_map(|n| year(bench.put("raw/plan", &n.to_string()).revision)).unwrap();
    let ask = Resolve { at: digits.parse().unwrap(), branch: Branch::main(), zone: None };
    let fault = bench.call(&ask).unwrap_err();
    assert_eq!(fault.code, Code::Ambiguous, "{fault}");
    assert!(fault.message.contains("may be a date"), "{fault}");
    assert!(!fault.candidates.is_empty());
    assert!(bench.call(&Resolve { at: fault.candidates[0].parse().unwrap(), ..ask }).is_ok());
}

/// A tag that was made before its name read as a date goes on naming what it names.
#[test]
fn old_tags_stay() {
    let mut bench = Bench::new();
    let first = bench.put("raw/plan", "one").revision;
    bench.put("raw/plan", "two");
    bench.git(&["tag", "2025-11", &first.to_string()]);
    assert_eq!(resolve(&mut bench, "2025-11"), Ok(first));
    bench.git(&["tag", "2025-11-20", &first.to_string()]);
    assert_ne!(resolve(&mut bench, "2025-11-20"), Ok(first));
}

#[test]
fn the_clock_never_goes_back_in_the_log() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    bench.pass(-3600);
    bench.put("raw/plan", "two");
    let times = bench.git(&["log", "--format=%ct", "main"]);
    let times: Vec<i64> = times.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(times, [NOON; 3]);
}

#[test]
fn counts_and_digits() {
    let mut bench = Bench::new();
    let revisions: Vec<Revision> =
        (0..40).map(|index| bench.put("raw/plan", &index.to_string()).revision).collect();
    assert_eq!(resolve(&mut bench, "HEAD"), Ok(revisions[39]));
    assert_eq!(resolve(&mut bench, "HEAD~3"), Ok(revisions[36]));
    assert_eq!(resolve(&mut bench, "HEAD^^~1"), Ok(revisions[36]));
    assert_eq!(resolve(&mut bench, "HEAD~41"), Err(Code::NotFound));
    assert_eq!(resolve(&mut bench, "HEAD^2"), Err(Code::BadRequest));
    let full = revisions[7].to_string();
    assert_eq!(resolve(&mut bench, &full), Ok(revisions[7]));
    assert_eq!(resolve(&mut bench, &full[..12].to_uppercase()), Ok(revisions[7]));
    assert_eq!(resolve(&mut bench, &format!("{full}~2")), Ok(revisions[5]));
    assert_eq!(resolve(&mut bench, &full[..3]), Err(Code::NotFound));
    assert_eq!(resolve(&mut bench, &"0".repeat(40)), Err(Code::NotFound));
}

#[test]
fn short_digits_may_be_ambiguous() {
    let mut bench = Bench::new();
    let mut seen = std::collections::HashMap::new();
    let (digits, pair) = (0..)
        .find_map(|index| {
            let revision = bench.put("raw/plan", &index.to_string()).revision;
            let digits = revision.to_string()[..4].to_owned();
            let other = seen.insert(digits.clone(), revision)?;
            Some((digits, [other, revision]))
        })
        .unwrap();
    let ask = Resolve { at: digits.parse().unwrap(), branch: Branch::main(), zone: None };
    let fault = bench.call(&ask).unwrap_err();
    assert_eq!(fault.code, Code::Ambiguous);
    assert!(pair.iter().all(|revision| fault.candidates.contains(&revision.to_string())));
}

#[test]
fn tags_name_revisions_for_good() {
    let mut bench = Bench::new();
    let first = bench.put("raw/plan", "one").revision;
    bench.put("raw/plan", "two");
    let tag = |name: &str, at: &str| Tag {
        name: name.to_owned(),
        at: at.parse().unwrap(),
        message: None,
    };
    assert_eq!(bench.call(&tag("v1", "HEAD~1")), Ok(first));
    assert_eq!(bench.call(&tag("v1", &first.to_string())), Ok(first));
    assert_eq!(bench.call(&tag("v1", "HEAD")).unwrap_err().code, Code::Conflict);
    assert_eq!(bench.call(&tag("v1/x", "HEAD")).unwrap_err().code, Code::BadRequest);
    for bad in ["", "a b", "../x", "x.lock", "-x", "HEAD", "a..b", "a/./b", "x~1"] {
        let fault = bench.call(&tag(bad, "HEAD")).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{bad:?}");
    }
    assert_eq!(resolve(&mut bench, "v1"), Ok(first));
    assert!(resolve(&mut bench, "v1~1").is_ok());
    assert_eq!(resolve(&mut bench, "v1~2"), Err(Code::NotFound));
    assert_eq!(bench.call(&Tags).unwrap(), [("v1".to_owned(), first)]);
    assert_eq!(bench.get_at("raw/plan", "v1").unwrap().bytes.unwrap(), "one");
}

#[test]
fn no_tag_reads_as_a_revision_or_a_time() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "x");
    let tag = |name: &str| Tag { name: name.to_owned(), at: At::head(), message: None };
    for name in
        ["beef", "0123456789abcdef", "2026-11-20", "today", "now", "friday", "2025-11", "2025-W47"]
    {
        let fault = bench.call(&tag(name)).unwrap_err();
        assert!(fault.message.contains("reads as a revision or a time"), "{name}: {fault}");
    }
    for name in ["v1", "beet", "abc", "release-2026-11-20"] {
        bench.call(&tag(name)).unwrap();
    }
}
