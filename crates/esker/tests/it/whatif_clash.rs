//! Two changes of one thing: every way in which a what-if and main can contradict each other is told, in tables, stacked
//! streams, JSON, TOML and contents that were replaced as a whole, and is settled as somebody says.

use std::process::Output;

use serde_json::{Value, json};

use crate::world::World;

/// What is there, what the what-if changes of it, what main says by then, and how that is told.
struct Clash {
    base: &'static str,
    change: [&'static str; 2],
    theirs: &'static str,
    kind: &'static str,
    /// What is told of the base, of main and of the what-if.
    told: [&'static str; 3],
    /// What is on main after it was settled for the what-if; nothing if it cannot be.
    mine: Option<&'static str>,
}

const CSV: &str = "id,team,days\nann,red,1\nbob,blue,2\ncyd,blue,3\n";
const STACKED: &str = "=====work\n\tid\trank\tname\n\tA\t1\talpha\n\tB\t2\tbeta\n\tC\t3\tgamma\n=====notes\n\tfree text\n";
const JSON: &str =
    "{\"staff\": {\"ann\": {\"days\": 1}, \"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n";
const TOML: &str = "# by hand\ntitle = \"plan\"\n[staff.ann]\ndays = 1\n[staff.bob]\ndays = 2\n";

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn clashes() -> Vec<Clash> {
    let clash =
        |base, change, theirs, kind, told, mine| Clash { base, change, theirs, kind, told, mine };
    vec![
        clash(
            CSV,
            ["--set", "RES:[ann].days=5"],
            "id,team,days\nann,red,7\nbob,blue,2\ncyd,blue,3\n",
            "both changed it",
            ["1", "7", "5"],
            Some("id,team,days\nann,red,5\nbob,blue,2\ncyd,blue,3\n"),
        ),
        clash(
            CSV,
            ["--set", "RES:[ann].days=5"],
            "id,team,days\nbob,blue,2\ncyd,blue,3\n",
            "changed here, removed there",
            ["1", "", "5"],
            None,
        ),
        clash(
            CSV,
            ["--remove", "RES:[ann]"],
            "id,team,days\nann,red,7\nbob,blue,2\ncyd,blue,3\n",
            "removed here, changed there",
            ["id: ann, team: red, days: 1", "id: ann, team: red, days: 7", "removed"],
            Some("id,team,days\nbob,blue,2\ncyd,blue,3\n"),
        ),
        clash(
            CSV,
            ["--add", "RES:={\"id\":\"dan\",\"days\":\"4\"} last"],
            "id,team,days\nann,red,1\nbob,blue,2\ncyd,blue,3\ndan,red,9\n",
            "both added it",
            ["", "id: dan, team: red, days: 9", "id: dan, days: 4"],
            Some("id,team,days\nann,red,1\nbob,blue,2\ncyd,blue,3\ndan,,4\n"),
        ),
        clash(
            CSV,
            ["--move", "RES:[cyd]=first"],
            "id,team,days\nann,red,1\ncyd,blue,3\nbob,blue,2\n",
            "both moved it",
            ["after bob", "after ann", "first"],
            Some("id,team,days\ncyd,blue,3\nann,red,1\nbob,blue,2\n"),
        ),
        clash(
            CSV,
            ["--set", "RES:[ann].days=5"],
            "id,team\nann,red\nbob,blue\ncyd,blue\n",
            "the column is gone",
            ["1", "", "5"],
            None,
        ),
        clash(
            STACKED,
            ["--set", "RES:work[A].name=omega"],
            "=====work\n\tid\trank\tname\n\tA\t1\tother\n\tB\t2\tbeta\n\tC\t3\tgamma\n=====notes\n\tfree text\n",
            "both changed it",
            ["alpha", "other", "omega"],
            Some(
                "=====work\n\tid\trank\tname\n\tA\t1\tomega\n\tB\t2\tbeta\n\tC\t3\tgamma\n=====notes\n\tfree text\n",
            ),
        ),
        clash(
            STACKED,
            ["--rank", "RES:work[C].rank=1"],
            "=====work\n\tid\trank\tname\n\tA\t1\talpha\n\tB\t3\tbeta\n\tC\t2\tgamma\n=====notes\n\tfree text\n",
            "both ranked it",
            ["3", "2", "1"],
            Some(
                "=====work\n\tid\trank\tname\n\tA\t2\talpha\n\tB\t3\tbeta\n\tC\t1\tgamma\n=====notes\n\tfree text\n",
            ),
        ),
        clash(
            STACKED,
            ["--set", "RES:work[A].name=omega"],
            "=====notes\n\tfree text\n",
            "the stream is gone",
            ["alpha", "", "omega"],
            None,
        ),
        clash(
            STACKED,
            ["--remove", "RES:work[A]"],
            "=====work\n\tid\trank\tname\n\tA\t1\tother\n\tB\t2\tbeta\n\tC\t3\tgamma\n=====notes\n\tfree text\n",
            "removed here, changed there",
            ["id: A, rank: 1, name: alpha", "id: A, rank: 1, name: other", "removed"],
            Some(
                "=====work\n\tid\trank\tname\n\tB\t2\tbeta\n\tC\t3\tgamma\n=====notes\n\tfree text\n",
            ),
        ),
        clash(
            JSON,
            ["--set", "RES:staff.ann.days=5"],
            "{\"staff\": {\"ann\": {\"days\": 7}, \"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n",
            "both changed it",
            ["1", "7", "5"],
            Some(
                "{\"staff\": {\"ann\": {\"days\": 5}, \"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n",
            ),
        ),
        clash(
            JSON,
            ["--set", "RES:staff.ann.days=5"],
            "{\"staff\": {\"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n",
            "changed here, removed there",
            ["1", "", "5"],
            None,
        ),
        clash(
            JSON,
            ["--remove", "RES:staff.ann"],
            "{\"staff\": {\"ann\": {\"days\": 7}, \"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n",
            "removed here, changed there",
            ["{\"days\": 1}", "{\"days\": 7}", "removed"],
            Some("{\"staff\": { \"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n"),
        ),
        clash(
            JSON,
            ["--set", "RES:staff.ann.days=5"],
            "{\"staff\": {\"ann\": {\"days\": [1, 2]}, \"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n",
            "it is of another kind now",
            ["1", "[1, 2]", "5"],
            Some(
                "{\"staff\": {\"ann\": {\"days\": 5}, \"bob\": {\"days\": 2}}, \"list\": [1, 2]}\n",
            ),
        ),
        clash(
            TOML,
            ["--set", "RES:staff.ann.days=5"],
            "# by hand\ntitle = \"plan\"\n[staff.ann]\ndays = 7\n[staff.bob]\ndays = 2\n",
            "both changed it",
            ["1", "7", "5"],
            Some("# by hand\ntitle = \"plan\"\n[staff.ann]\ndays = 5\n[staff.bob]\ndays = 2\n"),
        ),
        clash(
            TOML,
            ["--set", "RES:staff.ann.days=5"],
            "# by hand\ntitle = \"plan\"\n[staff.bob]\ndays = 2\n",
            "changed here, removed there",
            ["1", "", "5"],
            None,
        ),
        clash(
            TOML,
            ["--remove", "RES:staff.ann.days"],
            "# by hand\ntitle = \"plan\"\n[staff.ann]\ndays = 7\n[staff.bob]\ndays = 2\n",
            "removed here, changed there",
            ["1", "7", "removed"],
            Some("# by hand\ntitle = \"plan\"\n[staff.ann]\n[staff.bob]\ndays = 2\n"),
        ),
    ]
}

fn answer(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    value["answer"].clone()
}

/// The newest commit of main; git sees it a little later.
fn head(world: &World) -> String {
    world.json(&["log", "-n1", "--json"])[0]["revision"].as_str().expect("a revision").to_owned()
}

fn plain() -> World {
    World::new("[project]\nname = \"p\"\n")
}

#[test]
fn every_contradiction_is_told_and_settled() {
    let world = plain();
    let up = world.up();
    for (at, clash) in clashes().into_iter().enumerate() {
        let (id, resource) = (format!("w{at}"), format!("raw/c{at}"));
        world.ok_with(&["put", &resource], clash.base.as_bytes());
        let change = clash.change[1].replace("RES", &resource);
        world.ok(&["whatif", "new", "--id", &id, clash.change[0], &change]);
        world.ok_with(&["put", &resource], clash.theirs.as_bytes());
        let main = head(&world);
        for wish in ["apply", "rebase"] {
            let answer = answer(&world.run(&["whatif", wish, &id, "--json"]));
            let one = &answer["conflicts"][0];
            assert_eq!(
                (&one["kind"], &one["edit"]),
                (&json!(clash.kind), &json!(1)),
                "{change}: {answer}"
            );
            for (name, told) in ["base", "theirs", "mine"].iter().zip(clash.told) {
                let is = one[*name].as_str().expect("a text");
                assert!(told.is_empty() || is == told, "{change}: {name} is {is:?}, not {told:?}");
            }
            let at = one["at"].as_str().expect("an address");
            assert!(at.starts_with(&resource), "{at}");
        }
        let preview = world.run(&["whatif", "apply", &id, "--preview", "--json"]);
        let told: Value = serde_json::from_slice(&preview.stdout).expect("JSON");
        assert_eq!(told["conflicts"][0]["kind"], clash.kind, "{change}");
        assert_eq!(head(&world), main, "{change}");
        match clash.mine {
            Some(mine) => {
                world.ok(&["whatif", "apply", &id, "--settle", "1=mine"]);
                assert_eq!(world.content(&resource).as_deref(), Some(mine), "{change}");
                world.ok(&["whatif", "undo", &id]);
                assert_eq!(world.content(&resource).as_deref(), Some(clash.theirs), "{change}");
            }
            None => {
                let answer =
                    answer(&world.run(&["whatif", "apply", &id, "--settle", "1=mine", "--json"]));
                assert_eq!(answer["conflicts"][0]["kind"], clash.kind);
            }
        }
        let rebased = world.json(&["whatif", "rebase", &id, "--settle", "1=theirs", "--json"]);
        assert_eq!(
            (&rebased["state"], &rebased["changes"]),
            (&json!("done"), &json!(0)),
            "{change}"
        );
        assert_eq!(world.ok(&["get", &resource, "--whatif", &id]), clash.theirs);
        world.ok(&["whatif", "discard", &id]);
    }
    up.stop();
}

/// Replaces a content as a whole while main changes it to `theirs`.
fn replaced(world: &World, (id, resource): (&str, &str), [base, mine, theirs]: [&[u8]; 3]) {
    world.ok_with(&["put", resource], base);
    world.write("mine", mine);
    world.ok(&["whatif", "new", "--id", id, "--input", &format!("{resource}=mine")]);
    world.ok_with(&["put", resource], theirs);
}

/// Removes a resource as people do with plain git.
fn removed(world: &World, resource: &str) {
    // What others do with git meets what is in its place there.
    let newest = head(world);
    world.wait_for("git to see it", || world.git(&["rev-parse", "main"]).trim() == newest);
    let clone = world.path("clone");
    drop(std::fs::remove_dir_all(&clone));
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        let output = command.args(arguments).current_dir(world.dir()).output().expect("git runs");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    git(&["clone", "-q", "-b", "main", ".esker/store.git", "clone"]);
    git(&["-C", "clone", "rm", "-q", resource]);
    let who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"];
    let mut commit = vec!["-C", "clone"];
    commit.extend(who);
    commit.extend(["commit", "-q", "-m", "gone"]);
    git(&commit);
    git(&["-C", "clone", "push", "-q", "origin", "main"]);
    world.wait_for("the removal", || world.content(resource).is_none());
}

#[test]
fn contents_that_are_replaced_are_merged_or_told_as_a_whole() {
    let world = plain();
    let up = world.up();
    // Lines of text: those that only one side has changed are taken from it, whoever is right about the others.
    let base = b"one\ntwo\nthree\nfour\nfive\nsix\n";
    let (mine, theirs) =
        (b"ONE\ntwo\nthree\nfour\nfive\nsix\n", b"one\ntwo\nthree\nfour\nfive\nSIX\n");
    replaced(&world, ("lines", "raw/lines"), [base, mine, theirs]);
    world.ok(&["whatif", "apply", "lines"]);
    assert_eq!(world.content("raw/lines").as_deref(), Some("ONE\ntwo\nthree\nfour\nfive\nSIX\n"));
    world.ok(&["whatif", "undo", "lines"]);
    assert_eq!(world.content("raw/lines").as_deref(), Some("one\ntwo\nthree\nfour\nfive\nSIX\n"));
    let mine = b"ONE\ntwo\nthree\nfour\nfive\nsix\n";
    let theirs = b"uno\ntwo\nthree\nfour\nfive\nSIX\n";
    for (id, side, left) in [
        ("text-mine", "mine", "ONE\ntwo\nthree\nfour\nfive\nSIX\n"),
        ("text-theirs", "theirs", "uno\ntwo\nthree\nfour\nfive\nSIX\n"),
    ] {
        let resource = format!("raw/{id}");
        replaced(&world, (id, &resource), [base, mine, theirs]);
        for wish in ["apply", "rebase"] {
            let answer = answer(&world.run(&["whatif", wish, id, "--json"]));
            let one = &answer["conflicts"][0];
            assert_eq!((&one["edit"], &one["at"]), (&json!(0), &json!(resource)), "{answer}");
            let told = format!("{} {} {}", one["base"], one["theirs"], one["mine"]);
            assert!(told.contains("one") && told.contains("uno") && told.contains("ONE"), "{told}");
        }
        world.ok(&["whatif", "rebase", id, "--settle", &format!("0={side}")]);
        assert_eq!(world.ok(&["get", &resource, "--whatif", id]), left);
        world.ok(&["whatif", "apply", id]);
        assert_eq!(world.content(&resource).as_deref(), Some(left), "{id}");
    }
    // What is no text is one side's or the other's.
    for (id, side, left) in
        [("blob-mine", "mine", &b"\0\xffmine"[..]), ("blob-theirs", "theirs", b"\0\xfftheirs")]
    {
        let resource = format!("raw/{id}");
        replaced(&world, (id, &resource), [b"\0\xffbase", b"\0\xffmine", b"\0\xfftheirs"]);
        let answer = answer(&world.run(&["whatif", "apply", id, "--json"]));
        assert_eq!(answer["conflicts"][0]["theirs"], "8 bytes", "{answer}");
        world.ok(&["whatif", "apply", id, "--settle", &format!("0={side}")]);
        assert_eq!(world.run(&["get", &resource]).stdout, left, "{id}");
    }
    // What was removed there is not silently an empty content.
    world.ok_with(&["put", "raw/gone"], b"base\n");
    world.write("mine", "mine\n");
    world.ok(&["whatif", "new", "--id", "gone", "--input", "raw/gone=mine"]);
    removed(&world, "raw/gone");
    let answer = answer(&world.run(&["whatif", "apply", "gone", "--json"]));
    let one = &answer["conflicts"][0];
    assert_eq!(
        (&one["kind"], &one["theirs"]),
        (&json!("changed here, removed there"), &json!("nothing"))
    );
    world.ok(&["whatif", "apply", "gone", "--settle", "0=theirs"]);
    assert_eq!(world.content("raw/gone"), None);
    world.ok(&["whatif", "apply", "gone", "--settle", "0=mine"]);
    assert_eq!(world.content("raw/gone").as_deref(), Some("mine\n"));
    world.ok(&["whatif", "undo", "gone"]);
    assert_eq!(world.content("raw/gone"), None, "what it brought is gone with it");
    up.stop();
}

#[test]
fn edits_of_what_is_replaced_go_along_to_another_base() {
    let world = plain();
    let up = world.up();
    let more = format!("{CSV}dan,red,4\n");
    world.ok_with(&["put", "raw/a"], CSV.as_bytes());
    world.write("mine", &more);
    let changes =
        ["--input", "raw/a=mine", "--remove", "raw/a:[dan]", "--set", "raw/a:[ann].days=9"];
    let mut words = vec!["whatif", "new", "--id", "both"];
    words.extend(changes);
    world.ok(&words);
    world.ok_with(&["put", "raw/a"], CSV.replace("bob,blue,2", "bob,blue,8").as_bytes());
    let rebased = world.json(&["whatif", "rebase", "both", "--json"]);
    assert_eq!(rebased["state"], "done", "{rebased}");
    let wanted = CSV.replace("bob,blue,2", "bob,blue,8").replace("ann,red,1", "ann,red,9");
    assert_eq!(world.ok(&["get", "raw/a", "--whatif", "both"]), wanted);
    world.ok(&["whatif", "apply", "both"]);
    assert_eq!(world.content("raw/a"), Some(wanted));
    up.stop();
}
