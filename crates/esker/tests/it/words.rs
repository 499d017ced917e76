//! What is said when something cannot be done: once, of what the reader knows, and with a hint that helps.

use crate::world::{World, esker};

fn project() -> World {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n\
         [source.b]\nfile = \"b.txt\"\noutput = \"raw/b\"\n",
    );
    for content in ["one", "two", "three"] {
        world.ok_with(&["put", "raw/a"], content.as_bytes());
    }
    world
}

#[test]
fn a_resource_that_has_versions_is_not_waited_for() {
    let world = project();
    for version in ["raw/a@2020-01-01", "raw/a@HEAD~300", "raw/a@HEAD~3"] {
        let told = world.fails(1, &["get", version]);
        assert!(told.contains("hint: `esker log raw/a` lists its versions"), "{told}");
    }
    for never in ["raw/b", "raw/b@2020-01-01"] {
        let told = world.fails(1, &["get", never]);
        assert!(told.contains("source b makes it"), "{told}");
    }
}

#[test]
fn what_the_system_says_is_said_once_and_of_no_temporary_file() {
    let world = project();
    for command in [
        ["export", "raw/a", "--to", "nowhere/a.csv"],
        ["export", "raw/a", "--to", "nowhere/a.db"],
        ["get", "raw/a", "-o", "nowhere/a"],
    ] {
        let told = world.fails(1, &command);
        assert_eq!(told.matches("os error").count(), 1, "{told}");
        assert!(!told.contains("/.") && told.contains("nowhere"), "{told}");
    }
}

#[test]
fn a_log_says_that_there_is_more_and_takes_no_range() {
    let world = project();
    let told = |arguments: &[&str]| {
        String::from_utf8(world.run(arguments).stderr).expect("UTF-8").trim().to_owned()
    };
    assert_eq!(told(&["log", "-n", "2"]), "there are more: `--all` prints all");
    assert_eq!(told(&["log", "-n", "3"]), "");
    for (range, hint) in [
        ("HEAD~2..HEAD", "`esker log --since HEAD~2 --until HEAD`"),
        ("v1..", "`esker log --since v1 --until HEAD`"),
        ("raw/a@HEAD~2..", "`esker log raw/a --since HEAD~2 --until HEAD`"),
    ] {
        let told = world.fails(1, &["log", range]);
        assert!(told.contains("is a range") && told.contains(hint), "{told}");
    }
}

#[test]
fn paths_are_meant_from_where_they_are_typed() {
    let world = project();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let clone = elsewhere.path().join("clone.git");
    world.git(&["clone", "-q", "--mirror", ".", clone.to_str().expect("UTF-8")]);
    let repair = |from: &str| {
        let mut command = esker();
        command.arg("-C").arg(world.dir()).args(["repair", "--from", from]);
        let output = command.current_dir(elsewhere.path()).output().expect("esker runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("UTF-8"))
    };
    let (is_well, told) = repair("clone.git");
    assert!(is_well && told.contains("nothing is wrong"), "{told}");
    let (is_well, told) = repair("other.git");
    assert!(!is_well && told.contains("there is no repository"), "{told}");
    assert!(told.contains(&elsewhere.path().join("other.git").display().to_string()), "{told}");
}
