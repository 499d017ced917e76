//! Every edit in every form of content: the bytes that come out, and that all others stay.

mod any;
mod clashes;
mod whole;

use esker_wire::edit::Noted;

use super::{Before, Content, Outcome, read, weigh};

/// A plan as a workbook gives it: rows leave out the empty cells at their ends.
pub(super) const PLAN: &str = "=====Params\n\tName\tValue\n\tStart\t2027-01-04\n\tEnd\t2027-03-31\n\
    =====Work\n\tId\tRank\tName\tEstimate\tTriage\tTrack\tTeam\tValue\tPrereqs\n\
    \tCHK-1\t1\tOne-page checkout\tDesign:2, Server:5\t1\tCheckout\tCore\t13\n\
    \tCHK-2\t2\tWallets\tServer:3\t1\tCheckout\tCore\t8\tCHK-1\n\
    \tINS-4\t3\tInsights\t\t2\n";

/// A list of edits from its text.
pub(super) fn edits(text: &str) -> Vec<Noted> {
    esker_wire::edit::read(text.as_bytes()).unwrap()
}

fn plain(text: &str) -> Content<'_> {
    Content::new(text.as_bytes())
}

/// What a content becomes; every edit is made.
fn made(content: Content<'_>, list: &str) -> String {
    let weighed = weigh(content, &edits(list)).unwrap();
    assert!(weighed.outcomes.iter().all(|one| matches!(one, Outcome::Applied { .. })));
    String::from_utf8(weighed.content).unwrap()
}

fn refused(content: &str, list: &str) -> String {
    weigh(plain(content), &edits(list)).unwrap_err().to_string()
}

fn check(content: &str, list: &str, wanted: &str) {
    assert_eq!(made(plain(content), list), wanted, "{list}");
}

/// Holds one `set` to the one stretch of text it changes.
fn set(content: &str, place: &str, text: &str, (old, new): (&str, &str)) {
    assert_eq!(content.matches(old).count(), 1, "{old:?} is not one place");
    let list = format!("=====set a/b:{place}\n\t{}\n", text.replace('\n', "\n\t"));
    check(content, &list, &content.replace(old, new));
}

fn at(content: &str, place: &str) -> Option<String> {
    read(plain(content), &place.parse().unwrap())
}

#[test]
fn cells_of_streams() {
    set(PLAN, "Work[CHK-1].Estimate", "Design:3", ("Design:2, Server:5", "Design:3"));
    set(PLAN, "Work[CHK-1].Prereqs", "CHK-2", ("\t13\n", "\t13\tCHK-2\n"));
    set(PLAN, "Work[INS-4].Prereqs", "x", ("\t\t2\n", "\t\t2\t\t\t\tx\n"));
    set(PLAN, "Work[INS-4].Team", "", ("\t\t2\n", "\t\t2\n"));
    set(PLAN, "Params[End].Value", "2027-04-30", ("2027-03-31", "2027-04-30"));
    set(PLAN, "Work[Id=CHK-2,Track=Checkout].#3", "W", ("Wallets", "W"));
    set(PLAN, "Work[#3].Name", "I", ("Insights", "I"));
    assert_eq!(at(PLAN, "Work[CHK-1].Prereqs").as_deref(), Some(""));
    assert_eq!(at(PLAN, "Work[CHK-1].Team").as_deref(), Some("Core"));
    assert_eq!(at(PLAN, "Work[CHK-9].Team"), None);
    let crlf = PLAN.replace('\n', "\r\n");
    set(&crlf, "Work[CHK-1].Prereqs", "CHK-2", ("\t13\r\n", "\t13\tCHK-2\r\n"));
}

#[test]
fn streams_in_streams_and_namesakes() {
    let content = "=====staff\n\tid\tname\n\t1\tann\n=====work\n\t=====item\n\t\ta\t1\n\t\tb\t2\n\t=====item\n\t\tc\t3\n";
    set(content, "staff[1].name", "bob", ("ann", "bob"));
    set(content, "work.item[a].#2", "9", ("a\t1", "a\t9"));
    set(content, "work.\"item 2\"[#1].column 2", "9", ("c\t3", "c\t9"));
    check(
        content,
        "=====add a/b:work.item\n\tto: before b\n\t#1: x\n\t#2: y\n",
        &content.replace("\t\tb", "\t\tx\ty\n\t\tb"),
    );
}

#[test]
fn cells_of_csv_stay_as_they_are_quoted() {
    let csv = "\u{feff}Id,Name,\"Note\"\r\n1,\"a, \"\"b\"\"\",  x \r\n\r\n2,\"c\nd\",\r\n3,e,f";
    set(csv, "[2].Note", "g", ("d\",", "d\",g"));
    set(csv, "[1].Name", "plain", ("\"a, \"\"b\"\"\"", "plain"));
    set(csv, "[3].Name", "p, \"q\"", (",e,", ",\"p, \"\"q\"\"\","));
    set(csv, "[3].Note", "two\nlines", (",f", ",\"two\nlines\""));
    assert_eq!(at(csv, "[2].Name").as_deref(), Some("c\nd"));
    assert_eq!(at(csv, "[1].Note").as_deref(), Some("  x "));
    set("Id;Price\n1;2,50\n2;3,50\n", "[2].Price", "4,5;", ("3,50", "\"4,5;\""));
    set("Id\tN\n1\t\"a\n2\tb\n", "[1].N", "\"c\"", ("\"a", "\"c\""));
    let none = Content { content_type: Some("text/csv"), ..plain("1,2\n3,4\n") };
    assert_eq!(made(none, "=====set a/b:[3].#2\n\t5\n"), "1,2\n3,5\n");
    let one = Content { content_type: Some("text/csv"), ..plain("a\nb\n") };
    assert_eq!(made(one, "=====set a/b:[#1].#1\n\t\n"), "\"\"\nb\n");
}

#[test]
fn rows_come_go_and_move() {
    let csv = "Id,N\r\n1,a\r\n2,b\r\n3,c";
    check(csv, "=====add a/b:\n\tto: last\n\tId: 4\n", "Id,N\r\n1,a\r\n2,b\r\n3,c\r\n4,");
    check(
        csv,
        "=====add a/b:[0]\n\tto: first\n\tN: x,y\n",
        "Id,N\r\n0,\"x,y\"\r\n1,a\r\n2,b\r\n3,c",
    );
    check(csv, "=====add a/b:[9]\n\tto: after 1\n", "Id,N\r\n1,a\r\n9,\r\n2,b\r\n3,c");
    check(csv, "=====remove a/b:[3]\n", "Id,N\r\n1,a\r\n2,b");
    check(csv, "=====remove a/b:[#1]\n", "Id,N\r\n2,b\r\n3,c");
    check(csv, "=====move a/b:[3]\n\tfirst\n", "Id,N\r\n3,c\r\n1,a\r\n2,b");
    check(csv, "=====move a/b:[1]\n\tafter 2\n", "Id,N\r\n2,b\r\n1,a\r\n3,c");
    check(csv, "=====move a/b:[3]\n\tbefore 2\n", "Id,N\r\n1,a\r\n3,c\r\n2,b");
    check(csv, "=====move a/b:[1]\n\tlast\n", "Id,N\r\n2,b\r\n3,c\r\n1,a");
    check(csv, "=====move a/b:[2]\n\tafter 2\n", csv);
    let all = "=====remove a/b:[1]\n=====add a/b:\n\tto: first\n\tId: 8\n=====set a/b:[8].N\n\tz\n=====move a/b:[8]\n\tlast\n";
    check(csv, all, "Id,N\r\n2,b\r\n3,c\r\n8,z");
    check(
        PLAN,
        "=====add a/b:Work\n\tto: after CHK-1\n\tId: CHK-9\n\tTeam: Core\n",
        &PLAN.replace("\tCHK-2\t2", "\tCHK-9\t\t\t\t\t\tCore\n\tCHK-2\t2"),
    );
    check("=====a\n=====b", "=====add a/b:b\n\tto: last\n", "=====a\n=====b\n\t\n");
}

#[test]
fn ranks_make_room() {
    let ranks = |rows: &str| format!("Id,Rank\n{rows}");
    let all = ranks("a,1\nb,2\nc,3\nd,4\n");
    let rank = |id: &str, to: u64| format!("=====rank a/b:[{id}].Rank\n\t{to}\n");
    check(&all, &rank("d", 2), &ranks("a,1\nb,3\nc,4\nd,2\n"));
    check(&all, &rank("a", 3), &ranks("a,3\nb,1\nc,2\nd,4\n"));
    check(&all, &rank("a", 1), &all);
    check(&all, &(rank("d", 1) + &rank("c", 1)), &ranks("a,3\nb,4\nc,1\nd,2\n"));
    check(&all, &rank("a", 9), &ranks("a,9\nb,1\nc,2\nd,3\n"));
    // Gaps stay, rows of one rank move together, what is no rank is left alone.
    check(&ranks("a,10\nb,20\nc,30\n"), &rank("c", 20), &ranks("a,10\nb,21\nc,20\n"));
    check(&ranks("a,1\nb,1\nc,2\n"), &rank("c", 1), &ranks("a,2\nb,2\nc,1\n"));
    check(&ranks("a,1\nb,\nc,x\nd,2\n"), &rank("b", 1), &ranks("a,2\nb,1\nc,x\nd,3\n"));
    assert!(refused(&ranks("a,1\nc,x\n"), &rank("c", 1)).contains("\"x\" is no rank"));
    let mixed = rank("d", 1) + "=====set a/b:[a].Rank\n\t7\n" + &rank("b", 7);
    check(&all, &mixed, &ranks("a,6\nb,7\nc,3\nd,1\n"));
}

#[test]
fn members_of_json() {
    let pretty = "{\n  \"end\": \"2027-03-31\",\n  \"limits\": {\n    \"max\": 1.50,\n    \"min\": 0\n  },\n  \"items\": [\n    {\"Id\": \"a\", \"n\": 1},\n    {\"Id\": \"b\", \"n\": 2}\n  ],\n  \"none\": {}\n}\n";
    set(pretty, "end", "2027-04-30", ("2027-03-31", "2027-04-30"));
    set(pretty, "end", "7", ("\"2027-03-31\"", "\"7\""));
    set(pretty, "end", "\"7\"", ("\"2027-03-31\"", "\"7\""));
    set(pretty, "limits.max", "2", ("1.50", "2"));
    set(pretty, "/limits/max", "much", ("1.50", "\"much\""));
    set(pretty, "items[1].n", "[3]", ("\"n\": 2", "\"n\": [3]"));
    set(pretty, "items[Id=b].n", "3", ("\"n\": 2", "\"n\": 3"));
    set(pretty, "items[#2].x", "3", ("\"n\": 2}", "\"n\": 2, \"x\": 3}"));
    set(pretty, "limits.avg", "3", (": 0\n", ": 0,\n    \"avg\": 3\n"));
    set(pretty, "none.x", "a \"b\"", ("{}", "{\"x\": \"a \\\"b\\\"\"}"));
    set(pretty, "items[2]", "{\"Id\":\"c\"}", ("2}\n", "2},\n    {\"Id\":\"c\"}\n"));
    check(pretty, "=====remove a/b:limits.min\n", &pretty.replace(",\n    \"min\": 0", ""));
    check(pretty, "=====remove a/b:limits.max\n", &pretty.replace("\n    \"max\": 1.50,", ""));
    check(
        pretty,
        "=====remove a/b:items[0]\n",
        &pretty.replace("\n    {\"Id\": \"a\", \"n\": 1},", ""),
    );
    let chain = "=====set a/b:none.x\n\t{\"y\": 1}\n=====set a/b:none.x.y\n\t2\n=====remove a/b:end\n=====set a/b:none.x.z\n\tw\n";
    let wanted = pretty.replace("{}", "{\"x\": {\"y\": 2,\"z\": \"w\"}}");
    let wanted = wanted.replace("\n  \"end\": \"2027-03-31\",", "").replace("2,\"z\"", "2, \"z\"");
    assert_eq!(made(plain(pretty), chain).replace("2,\"z\"", "2, \"z\""), wanted);
    let renamed = "=====set a/b:items[Id=b].n\n\t3\n=====set a/b:items[Id=b].Id\n\tc\n\
        =====set a/b:items[Id=c].n\n\t4\n=====remove a/b:items[Id=a]\n=====set a/b:items[Id=c].n\n\t5\n\
        =====set a/b:items[1]\n\t{\"Id\": \"d\"}\n=====set a/b:items[Id=d].n\n\t6\n";
    let wanted = "{\"Id\": \"c\", \"n\": 5},\n    {\"Id\": \"d\",\"n\": 6}\n";
    let renamed = made(plain(pretty), renamed);
    assert!(
        renamed.replace(",\"n", ", \"n").contains(&wanted.replace(",\"n", ", \"n")),
        "{renamed}"
    );
    assert_eq!(at(pretty, "end").as_deref(), Some("2027-03-31"));
    assert_eq!(at(pretty, "limits.max").as_deref(), Some("1.50"));
    assert_eq!(at(pretty, "limits.no"), None);
    set("\u{feff}[1 , 2]", "[1]", "3", ("2", "3"));
    for (list, wanted) in [
        ("=====set a/b:limit.max\n\t1\n", "there is no member limit; did you mean \"limits\"?"),
        ("=====set a/b:limits.max.x\n\t1\n", "there is no x in 1.50, which holds nothing"),
        ("=====set a/b:items[7]\n\t1\n", "there is no element [7]; there are 2"),
        ("=====remove a/b:limits.no\n", "there is no member no; there are: max, min"),
        ("=====move a/b:items[0]\n\tlast\n", "move is for rows of tables"),
        ("=====set a/b:\n\t1\n", "replace the content as a whole"),
    ] {
        let error = refused(pretty, list);
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn values_of_toml() {
    let toml = "# a plan\r\nend = \"2027-03-31\" # inclusive\r\nteams.core = 3\r\n\r\n[limits]\r\nmax = 1_000\r\npoint = { x = 1, y = 2 }\r\nall = [1, 2,\r\n  3]\r\n\r\n[[items]]\r\nid = 'a'\r\nn = 1\r\n\r\n[[items]]\r\nid = 'b'\r\nn = 2\r\n\r\n[empty]\r\n";
    set(toml, "end", "2027-04-30", ("2027-03-31", "2027-04-30"));
    set(toml, "limits.max", "2", ("1_000", "2"));
    set(toml, "limits.max", "1\ny = 2", ("1_000", "\"1\\ny = 2\""));
    set(toml, "limits.point.y", "3", ("y = 2", "y = 3"));
    set(toml, "limits.all[2]", "4", ("  3]", "  4]"));
    set(toml, "teams.core", "4", ("core = 3", "core = 4"));
    set(toml, "items[id=b].n", "3", ("n = 2", "n = 3"));
    set(toml, "limits.new", "much", ("  3]\r\n", "  3]\r\nnew = \"much\"\r\n"));
    set(toml, "limits.point.z", "3", ("y = 2 }", "y = 2, z = 3 }"));
    set(toml, "items[0].\"a b\"", "3", ("n = 1\r\n", "n = 1\r\n\"a b\" = 3\r\n"));
    set(toml, "empty.x", "true", ("[empty]\r\n", "[empty]\r\nx = true\r\n"));
    set(toml, "top", "1", ("core = 3\r\n", "core = 3\r\ntop = 1\r\n"));
    check(toml, "=====remove a/b:end\n", &toml.replace("end = \"2027-03-31\" # inclusive\r\n", ""));
    check(toml, "=====remove a/b:limits.point.x\n", &toml.replace("x = 1, ", ""));
    check(toml, "=====remove a/b:limits.point.y\n", &toml.replace(", y = 2", ""));
    check(toml, "=====remove a/b:limits.all[0]\n", &toml.replace("[1, 2", "[2"));
    check("a = 1", "=====set a/b:b\n\t2\n", "a = 1\nb = 2");
    check("[a]\nx = 1\n", "=====set a/b:b\n\t2\n", "b = 2\n[a]\nx = 1\n");
    assert_eq!(at(toml, "items[1].id").as_deref(), Some("b"));
    assert_eq!(at(toml, "limits.max").as_deref(), Some("1_000"));
    for (list, wanted) in [
        ("=====set a/b:limits\n\t1\n", "limits is a table"),
        ("=====set a/b:limit.max\n\t1\n", "there is no limit; did you mean \"limits\"?"),
        ("=====remove a/b:no\n", "there is no no"),
        ("=====rank a/b:end\n\t1\n", "rank is for rows of tables"),
    ] {
        let error = refused(toml, list);
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn what_cannot_be_found_is_told() {
    for (list, wanted) in [
        (
            "=====set a/b:Work[CHK-3].Team\n\tx\n",
            "the stream Work has no row [CHK-3]; did you mean \"CHK-1\"?",
        ),
        ("=====set a/b:Work[CHK-1].Taem\n\tx\n", "has no column \"Taem\"; did you mean \"Team\"?"),
        (
            "=====set a/b:Wrok[CHK-1].Team\n\tx\n",
            "there is no stream \"Wrok\"; did you mean \"Work\"?",
        ),
        ("=====set a/b:Work[Team=Core].Name\n\tx\n", "has 2 rows [Team=Core]; name more columns"),
        ("=====set a/b:Work[#9].Name\n\tx\n", "has no row #9; it has 3"),
        ("=====set a/b:Work[CHK-1].#12\n\tx\n", "has no column #12; it has 9"),
        ("=====set a/b:Work.Team\n\tx\n", "there is no stream \"Work › Team\""),
        ("=====set a/b:Work[CHK-1]\n\tx\n", "the address names no cell"),
        ("=====set a/b:Work[a,b].Name\n\tx\n", "has a key of 1 (Id); name columns"),
        ("=====set a/b:Work[CHK-1].Name\n\ta\tb\n", "cannot hold a tab or a line feed"),
        ("=====remove a/b:Work[CHK-1].Name\n", "a removal needs the address of a row"),
        ("=====add a/b:Work\n\tto: last\n\tName: x\n", "a new row needs its key: \"Id\" is empty"),
        ("=====add a/b:Work[CHK-1]\n\tto: last\n", "there is a row of this key already"),
        ("=====add a/b:Work[CHK-7]\n\tto: after CHK-8\n", "has no row [CHK-8]"),
        ("=====set a/b:[CHK-1].Name\n\tx\n", "several streams, and none is named"),
    ] {
        let list = format!("=====set a/b:Work[CHK-2].Name\n\tok\n{list}");
        let error = refused(PLAN, &list);
        assert!(error.contains(wanted), "{error}");
        assert!(error.starts_with("cannot make edit 2 ("), "{error}");
    }
    assert!(refused("Dear all,\nhello\n", "=====set a/b:x\n\ty\n").contains("neither a table nor"));
    let large = vec![b'x'; super::CONTENT_MAX + 1];
    assert!(weigh(Content::new(&large), &[]).unwrap_err().to_string().contains("over 64 MiB"));
    assert!(weigh(Content::new(b"\xff"), &[]).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn a_table_that_would_be_read_as_another_is_refused() {
    let table = Content { content_type: Some("text/csv"), ..plain("1,2\n3,4\n") };
    let error = weigh(table, &edits("=====set a/b:[#1].#1\n\ta;b;c\n")).unwrap_err();
    assert!(error.to_string().contains("taken for another heading"), "{error}");
    assert!(refused("A,B\n,x\n", "=====set a/b:[#1].B\n\t\n").contains("taken for another"));
    let key = ["A".to_owned()];
    let declared = Content { key: &key, ..plain("A,B\ny,x\n") };
    assert_eq!(made(declared, "=====set a/b:[y].A\n\t\n=====set a/b:[#1].B\n\t\n"), "A,B\n,\n");
}

#[test]
fn a_declared_key_names_rows() {
    let key = ["Id".to_owned(), "Region".to_owned()];
    let content = Content { key: &key, ..plain("N,Id,Region\n1,a,EU\n2,a,US\n") };
    assert_eq!(made(content, "=====set a/b:[a,US].N\n\t3\n"), "N,Id,Region\n1,a,EU\n3,a,US\n");
    let found = weigh(content, &edits("=====move a/b:[a,US]\n\tfirst\n")).unwrap();
    let behind = esker_wire::edit::address::Row::read("a,EU").unwrap();
    assert_eq!(found.outcomes, [Outcome::Applied { before: Before::Behind(behind) }]);
}
