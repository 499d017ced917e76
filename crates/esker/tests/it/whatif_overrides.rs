//! What is made beneath overrides: it is kept, counts again when they are gone, and is what its maker starts from.

use serde_json::json;

use crate::world::World;

const BASE: &str = "id,n\nann,1\nbob,1\n";

fn of(world: &World, resource: &str) -> String {
    world.content(resource).unwrap_or_default()
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
    let world = World::new(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n\
            stamp = [\"cut\", \"-d,\", \"-f1\"]\n",
    );
    world.write("a.csv", BASE);
    let up = world.up();
    world.wait_for_content("raw/a", |content| content == BASE);
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
    let world =
        World::new("[project]\nname = \"p\"\n[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n");
    world.write("a.csv", BASE);
    let up = world.up();
    world.wait_for_content("raw/a", |content| content == BASE);
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
