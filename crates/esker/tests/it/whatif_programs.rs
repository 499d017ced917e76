//! Which programs a what-if runs: those of its base, where they run on `main` if they are the same.

use crate::world::World;

fn definition(comment: &str) -> String {
    format!(
        "# {comment}\n[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\n\
         run = [\"sh\", \"a.sh\"]\noutput = \"results/a\"\n"
    )
}

/// The result of a what-if that puts a word in the place of what is there.
fn what_if(world: &World, arguments: &[&str], word: &str) -> String {
    world.write("word.txt", word);
    let input = ["--input", "raw/a=word.txt"];
    let id = world.ok(&[&["whatif", "new", "--id", word], arguments, &input].concat());
    world.ok(&["get", "results/a", "--whatif", id.trim()])
}

#[test]
fn a_comment_in_the_definition_moves_no_program_to_another_folder() {
    let world = World::new(&definition("one"));
    // It reads what nobody has told of.
    world.write("a.sh", "cat lookup.txt - | tr -d '\\n'");
    world.write("lookup.txt", "found ");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"main");
    world.wait_for_content("results/a", |content| content == "found main");
    world.write("esker.toml", definition("two"));
    let kept = || world.git(&["log", "--format=%s", "refs/esker/project"]).lines().count();
    world.wait_for("the comment to be kept", || kept() == 2);
    assert_eq!(what_if(&world, &[], "first"), "found first");
}

#[test]
fn an_old_base_is_run_by_its_own_programs() {
    let world = World::new(&definition("one"));
    world.write("a.sh", "sed s/^/old-/");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"main");
    world.wait_for_content("results/a", |content| content == "old-main");
    world.write("a.sh", "sed s/^/new-/");
    world.wait_for_content("results/a", |content| content == "new-main");
    assert_eq!(what_if(&world, &["--base", "HEAD~1"], "then"), "old-then");
    assert_eq!(what_if(&world, &[], "now"), "new-now");
    assert_eq!(world.content("results/a").as_deref(), Some("new-main"));
}
