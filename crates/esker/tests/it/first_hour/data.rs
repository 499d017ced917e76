//! Bad data, poison, and data that only looks new.

use std::time::Instant;

use super::{lines, peak_kb, versions, wait_for_no_problem};
use crate::gate::{GOOD, project, rejected, summary};
use crate::semantics::{noted, put, runs, wait};
use crate::world::World;

#[test]
fn every_kind_of_bad_data_is_refused_with_its_place_and_the_last_good_stays() {
    let cases: [(&str, &[u8], &[&str]); 11] = [
        (
            "a wrong column",
            b"id,team,dyas\n1,blue,3\n2,red,4\n",
            &["line 1, row 1", "days", "missing"],
        ),
        (
            "NaN",
            b"id,team,days\n1,blue,3\n2,red,NaN\n",
            &["line 3, row 3, column days", "NaN", "type"],
        ),
        (
            "a duplicate key",
            b"id,team,days\n1,a,3\n1,b,4\n",
            &["line 3, row 3, column id", "row 2", "primaryKey"],
        ),
        ("few rows", b"id,team,days\n1,blue,3\n", &["1 row, ", "75% fewer", "rows_drop_max"]),
        (
            "a BOM",
            b"\xef\xbb\xbfid,team,days\n1,a,3\n2,b,4\n",
            &["line 1, row 1", "byte order mark"],
        ),
        ("CRLF", b"id,team,days\r\n1,a,3\r\n2,b,4\r\n", &["line 1, row 1", "carriage return"]),
        ("Latin-1", b"id,team,days\n1,caf\xe9,3\n2,b,4\n", &["line 2, row 2, column team", "0xE9"]),
        (
            "quoted newlines",
            b"id,team,days\n1,\"a\nb\",3\n2,b,4\n",
            &["line 2, row 2, column team", "several lines"],
        ),
        ("NUL", b"id,team,days\n1,a\0,3\n2,b,4\n", &["line 2, row 2, column team", "NUL"]),
        ("0 bytes", b"", &["nothing came out for raw/plan"]),
        ("garbage", b"\x89PNG\r\n\x1a\n\0\0\0", &["line 1, row 1"]),
    ];
    let world = project("");
    let _up = world.up();
    world.wait_for_content("out/sum", |content| content == GOOD);
    for (what, content, expected) in cases {
        world.write("plan.csv", content);
        world.wait_for(&format!("{what} to be refused"), || {
            let problems = world.json(&["problems", "--json"]);
            let text = problems[0]["summary"].to_string() + &problems[0]["detail"].to_string();
            expected.iter().all(|part| text.contains(part))
        });
        assert_eq!(world.content("raw/plan").as_deref(), Some(GOOD), "{what}");
        if !content.is_empty() {
            assert_eq!(rejected(&world, "raw/plan", "plan"), content, "{what}");
        }
    }
    // The page is told of it.
    world.wait_for("the page to be told", || {
        let told = world.json(&["model", "get"]);
        told["problems"]["plan"]["stage"] == "plan" && told["stages"]["plan"]["state"] == "problem"
    });
    let better = GOOD.replace("blue", "green");
    world.write("plan.csv", &better);
    world.wait_for_content("out/sum", |content| content == better);
    wait_for_no_problem(&world);
    let stderr = world.fails(1, &["get", "raw/plan", "--rejected", "plan"]);
    assert!(stderr.contains("nothing of plan is refused just now"), "{stderr}");
}

#[test]
fn a_single_line_of_200_mb_is_refused_soon_and_in_little_memory() {
    let world = project("");
    let up = world.up();
    world.wait_for_content("raw/plan", |content| content == GOOD);
    let begun = Instant::now();
    world.write("plan.csv", vec![b','; 60_000_000]);
    let problem = world.wait_for_problem("plan");
    assert!(summary(&problem).contains("line 1: the line has 60000000 bytes"), "{problem}");
    assert!(begun.elapsed().as_secs() < 30);
    world.write("plan.csv", vec![b','; 200_000_000]);
    world.wait_for("the larger one to be refused", || {
        summary(&world.wait_for_problem("plan")).contains("plan.csv is larger than 64 MiB")
    });
    let kb = peak_kb(&up);
    assert!(kb < 900 * 1024, "the memory peaked at {kb} kB");
    assert_eq!(world.content("raw/plan").as_deref(), Some(GOOD));
}

/// One stage sees the newest version, the other one every version; both fail for poison.
#[test]
fn poison_followed_by_a_good_one_does_not_hold_it_up() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [stage.newest]\ninput = \"raw/a\"\nrun = [\"sh\", \"s.sh\"]\noutput = \"out/newest\"\n\
         [stage.all]\ninput = \"raw/a\"\nrun = [\"sh\", \"s.sh\"]\noutput = \"out/all\"\nmode = \"each\"\n",
    );
    world.write(
        "s.sh",
        "read word; test $word != poison || { echo do not drink >&2; exit 65; }; echo $word\n",
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"poison\n");
    for stage in ["newest", "all"] {
        let problem = world.wait_for_problem(stage);
        assert!(problem["detail"].to_string().contains("do not drink"), "{problem}");
    }
    world.ok_with(&["put", "raw/a"], b"good\n");
    for output in ["out/newest", "out/all"] {
        world.wait_for_content(output, |content| content == "good\n");
    }
    // Who was to see it still has not; who wants the newest alone is done.
    world.wait_for("one problem", || {
        let problems = world.json(&["problems", "--json"]);
        let problems = problems.as_array().expect("a list").clone();
        problems.len() == 1
            && problems[0]["stage"] == "all"
            && problems[0]["detail"].to_string().contains("do not drink")
    });
}

#[test]
fn touched_reformatted_or_in_another_order_it_wakes_nobody() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [source.plan]\nfile = \"plan.json\"\noutput = \"raw/plan\"\nstamp = [\"python3\", \"stamp.py\"]\n\
         [stage.next]\ninput = \"raw/plan\"\noutput = \"out/plan\"\n\
         run = [\"sh\", \"-c\", \"echo run >> runs; cat\"]\n",
    );
    world.write(
        "stamp.py",
        "import json, sys\nprint(json.dumps(json.load(sys.stdin), sort_keys=True))\n\
         print(file=open(sys.path[0] + '/stamped', 'a'))\n",
    );
    let first = "{\"a\": 1, \"b\": [2, 3]}\n";
    world.write("plan.json", first);
    let _up = world.up();
    world.wait_for_content("out/plan", |content| content == first);
    let edits = [first, "{\n  \"a\": 1,\n  \"b\": [2, 3]\n}\n", "{\"b\": [2, 3], \"a\": 1}\n"];
    for (number, edit) in edits.into_iter().enumerate() {
        let stamped = lines(&world, "stamped");
        world.write("plan.json", edit);
        // What is the same byte for byte is not even held against the stamp.
        world.wait_for("it to be compared", || number == 0 || lines(&world, "stamped") > stamped);
    }
    world.write("plan.json", "{\"a\": 1, \"b\": [3, 2]}\n");
    world.wait_for_content("out/plan", |content| content.contains("[3, 2]"));
    assert_eq!((lines(&world, "runs"), versions(&world, "raw/plan")), (2, 2));
}

#[test]
fn back_to_the_input_of_yesterday_no_process_starts() {
    let world = noted("", "tr a-z A-Z");
    let up = world.up();
    for (input, output) in [("one", "ONE"), ("two", "TWO"), ("one", "ONE"), ("two", "TWO")] {
        put(&world, input);
        wait(&world, output);
    }
    assert_eq!(runs(&world), 2, "the others were known");
    up.stop();
    let _up = world.up();
    put(&world, "one");
    wait(&world, "ONE");
    assert_eq!(runs(&world), 2, "known after a restart too");
    let why = world.json(&["why", "out/a", "--json"]);
    assert!(why.to_string().contains("raw/a"), "{why}");
    world.write("s.sh", "echo run >> runs.txt\ntr a-z A-Z | rev\n");
    wait(&world, "ENO");
    assert_eq!(runs(&world), 3, "another program is another key");
}
