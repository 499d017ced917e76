//! What is made beneath overrides: it is kept, counts again when they are gone, and is what its maker starts from.

use serde_json::json;

use crate::world::{Running, World};

const BASE: &str = "id,n\nann,1\nbob,1\n";

fn of(world: &World, resource: &str) -> String {
    world.content(resource).unwrap_or_default()
}

/// A project that runs, whose source is a file; with these lines more.
fn of_file(more: &str) -> (World, Running) {
    let source = "[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n";
    let world = World::new(&format!("[project]\nname = \"p\"\n{source}{more}"));
    world.write("a.csv", BASE);
    let up = world.up();
    world.wait_for_content("raw/a", |content| content == BASE);
    (world, up)
}

/// Changes one cell in a what-if and applies that.
fn apply(world: &World, id: &str, set: &str) {
    world.ok(&["whatif", "new", "--id", id, "--set", set]);
    world.ok(&["whatif", "apply", id]);
}

#[test]
fn what_a_source_has_nothing_new_to_say_about_counts_again_when_overrides_are_gone() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.a]\nrun = [\"sh\", \"pull.sh\"]\noutput = \"raw/a\"\nevery = \"1h\"\n",
    );
    // It prints a version once, and says from then on that nothing has changed.
    world.write("pull.sh", "test -e same && exit 99; touch same; cat base.csv\n");
    world.write("base.csv", BASE);
    let up = world.up();
    world.wait_for_content("raw/a", |content| content == BASE);
    apply(&world, "one", "raw/a:[ann].n=5");
    apply(&world, "two", "raw/a:[bob].n=6");
    assert_eq!(of(&world, "raw/a"), "id,n\nann,5\nbob,6\n");
    assert_eq!(of(&world, "overridden/raw/a"), BASE);
    world.ok(&["run", "a", "--force"]);
    assert_eq!(of(&world, "raw/a"), "id,n\nann,5\nbob,6\n");
    world.ok(&["override", "drop", "raw/a", "2"]);
    world.wait_for_content("raw/a", |content| content == "id,n\nann,5\nbob,1\n");
    world.ok(&["override", "drop", "raw/a", "1"]);
    world.wait_for_content("raw/a", |content| content == BASE);
    world.wait_for("nothing beneath", || world.content("overridden/raw/a").is_none());
    up.stop();
}

#[test]
fn what_a_stamp_takes_for_the_same_is_not_overridden_any_more_either() {
    let (world, up) = of_file("stamp = [\"cut\", \"-d,\", \"-f1\"]\n");
    // The stamp sees the first column alone, and the second is overridden.
    apply(&world, "one", "raw/a:[ann].n=5");
    assert_eq!(of(&world, "raw/a"), "id,n\nann,5\nbob,1\n");
    world.ok(&["override", "drop", "raw/a", "1"]);
    world.wait_for_content("raw/a", |content| content == BASE);
    up.stop();
}

#[test]
fn a_stage_that_starts_from_what_it_made_does_not_see_overrides() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"sh\", \"a.sh\"]\n\
            output = \"mid/a\"\nprevious = true\n",
    );
    // It adds a row for what its input says to those that it has made.
    world.write(
        "a.sh",
        "p=${ESKER_PREVIOUS_1:-head.csv}; cat $p; new=$(cat); grep -q \"^$new,\" $p || echo $new,1\n",
    );
    world.write("head.csv", "id,n\n");
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"ann");
    world.wait_for_content("mid/a", |content| content == "id,n\nann,1\n");
    apply(&world, "one", "mid/a:[ann].n=5");
    world.ok_with(&["put", "raw/a"], b"bob");
    world.wait_for_content("mid/a", |content| content.contains("bob"));
    assert_eq!(of(&world, "overridden/mid/a"), "id,n\nann,1\nbob,1\n");
    assert_eq!(of(&world, "mid/a"), "id,n\nann,5\nbob,1\n");
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    up.stop();
}

#[test]
fn what_is_called_otherwise_by_then_is_overridden_by_its_new_name() {
    let stage = |output: &str| {
        format!(
            "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"{output}\"\n"
        )
    };
    let world = World::new(&stage("mid/a"));
    let up = world.up();
    world.ok_with(&["put", "raw/a"], BASE.as_bytes());
    world.wait_for_content("mid/a", |content| content == BASE);
    world.ok(&["whatif", "new", "--id", "one", "--set", "mid/a:[ann].n=5"]);
    apply(&world, "two", "mid/a:[bob].n=6");
    world.ok(&["mv", "mid/a", "mid/b"]);
    // What lies beside it has gone along, and the definition may still say the older name.
    assert_eq!(of(&world, "overridden/mid/b"), BASE);
    world.ok(&["whatif", "apply", "one"]);
    world.wait_for_content("mid/b", |content| content == "id,n\nann,5\nbob,6\n");
    let listed = world.json(&["override", "list", "--json"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed[0]["overrides"][1]["at"], "mid/b:[ann].n");
    world.write("esker.toml", stage("mid/b"));
    world.ok_with(&["put", "raw/a"], b"id,n\nann,1\nbob,1\ncyd,1\n");
    world.wait_for_content("mid/b", |content| content == "id,n\nann,5\nbob,6\ncyd,1\n");
    up.stop();
}

#[test]
fn what_was_kept_since_is_taken_back_too() {
    let (world, up) = of_file("");
    apply(&world, "one", "raw/a:[ann].n=5");
    world.ok(&["override", "keep", "raw/a", "1"]);
    world.write("a.csv", "id,n\nann,2\nbob,1\n");
    world.wait_for_content("overridden/raw/a", |content| content.contains("ann,2"));
    assert_eq!(of(&world, "raw/a"), "id,n\nann,5\nbob,1\n");
    // What was applied on top of it is another what-if's, so this one is taken back only with that.
    apply(&world, "two", "raw/a:[ann].n=6");
    let told = world.run(&["whatif", "undo", "one"]);
    let table = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.code() == Some(1) && table.contains("raw/a:[id=ann].n"), "{table}");
    let shown = world.json(&["whatif", "show", "one", "--json"]);
    assert_eq!(shown["state"], "applied");
    world.ok(&["whatif", "undo", "two"]);
    world.ok(&["whatif", "undo", "one"]);
    assert_eq!(world.json(&["override", "list", "--json"]), json!([]));
    world.wait_for_content("raw/a", |content| content == "id,n\nann,2\nbob,1\n");
    up.stop();
}

#[test]
fn a_source_that_fails_once_overrides_are_gone_fails_as_any_other() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.a]\nrun = [\"sh\", \"pull.sh\"]\noutput = \"raw/a\"\nevery = \"1h\"\n\
            [stage.b]\ninput = \"raw/b\"\nrun = [\"cat\"]\noutput = \"mid/b\"\n",
    );
    world.write(
        "pull.sh",
        "test -e bad && { echo >> runs; exit 65; }; cat base.csv; echo >> runs\n",
    );
    world.write("base.csv", BASE);
    let up = world.up();
    world.wait_for_content("raw/a", |content| content == BASE);
    let runs = || std::fs::read_to_string(world.path("runs")).expect("it ran").lines().count();
    apply(&world, "one", "raw/a:[ann].n=5");
    world.wait_for("the run that it is overridden by", || runs() == 2);
    world.write("bad", "");
    world.ok(&["override", "drop", "raw/a", "1"]);
    world.wait_for_problem("a");
    let before = runs();
    // As much as another stage does meanwhile, it has had time to run many times.
    for number in 0..10 {
        world.ok_with(&["put", "raw/b"], format!("{number}\n").as_bytes());
        world.wait_for_content("mid/b", |content| content == format!("{number}\n"));
    }
    assert_eq!(runs(), before);
    up.stop();
}

#[test]
fn every_version_of_an_input_is_overridden_by_what_counts_now() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"sh\", \"a.sh\"]\noutput = \"mid/a\"\n\
            mode = \"each\"\nprevious = true\n",
    );
    // How often it ran, and what its input says.
    world.write(
        "a.sh",
        "n=$(sed -n 's/^ann,//p' \"$ESKER_PREVIOUS_1\" 2>/dev/null); while test -e hold; do touch held; sleep 0.02; done\n\
            printf 'id,n\\nann,%s\\nbob,%s\\n' $((n + 1)) \"$(cat)\"\n",
    );
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"1");
    world.wait_for_content("mid/a", |content| content == "id,n\nann,1\nbob,1\n");
    world.ok(&["whatif", "new", "--id", "one", "--set", "mid/a:[bob].n=9"]);
    world.write("hold", "");
    for number in 2..6 {
        world.ok_with(&["put", "raw/a"], number.to_string().as_bytes());
    }
    world.wait_for("the program", || world.path("held").exists());
    world.ok(&["whatif", "apply", "one"]);
    world.ok(&["override", "keep", "mid/a", "1"]);
    std::fs::remove_file(world.path("hold")).expect("removed");
    world.wait_for_content("overridden/mid/a", |content| content == "id,n\nann,5\nbob,5\n");
    assert_eq!(of(&world, "mid/a"), "id,n\nann,5\nbob,9\n");
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    up.stop();
}

#[test]
fn the_first_override_after_another_name_is_no_less_one() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"mid/a\"\n",
    );
    let up = world.up();
    world.ok_with(&["put", "raw/a"], BASE.as_bytes());
    world.wait_for_content("mid/a", |content| content == BASE);
    world.ok(&["mv", "mid/a", "mid/b"]);
    apply(&world, "one", "mid/b:[ann].n=5");
    world.ok_with(&["put", "raw/a"], b"id,n\nann,1\nbob,1\ncyd,1\n");
    world.wait_for_content("mid/b", |content| content == "id,n\nann,5\nbob,1\ncyd,1\n");
    assert_eq!(of(&world, "overridden/mid/b"), "id,n\nann,1\nbob,1\ncyd,1\n");
    let words = world.fails(1, &["mv", "overrides/mid/b", "raw/mine"]);
    assert!(words.contains("goes along"), "{words}");
    up.stop();
}

#[test]
fn what_a_stamp_takes_for_the_same_is_another_in_a_what_if() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"mid/a\"\n\
            stamp = [\"cut\", \"-d,\", \"-f1\"]\n",
    );
    let up = world.up();
    world.ok_with(&["put", "raw/a"], BASE.as_bytes());
    world.wait_for_content("mid/a", |content| content == BASE);
    world.ok(&["whatif", "new", "--id", "one", "--set", "mid/a:[ann].n=5"]);
    assert_eq!(world.ok(&["get", "mid/a", "--whatif", "one"]), "id,n\nann,5\nbob,1\n");
    up.stop();
}

#[test]
fn what_upstream_says_by_itself_is_not_taken_back() {
    let (world, up) = of_file("");
    apply(&world, "one", "raw/a:[ann].n=5");
    world.write("a.csv", "id,n\nann,5\nbob,1\n");
    world.wait_for("its end", || world.json(&["override", "list", "--json"]) == json!([]));
    world.ok(&["whatif", "undo", "one"]);
    assert_eq!(of(&world, "raw/a"), "id,n\nann,5\nbob,1\n");
    up.stop();
}
