//! What-ifs stay apart from `main`, and secrets from the store that keeps the project.

use crate::world::World;

const PROJECT: &str = "[project]\nname = \"p\"\n\
    [stage.a]\ninput = \"raw/a\"\nrun = [\"sh\", \"a.sh\"]\noutput = \"results/a\"\n\
    [stage.b]\ninput = \"results/a\"\nrun = [\"sh\", \"b.sh\"]\noutput = \"results/b\"\n";

/// A project whose first program reads what it does not say.
fn project() -> World {
    let world = World::new(PROJECT);
    world.write("a.sh", "cat lookup.txt 2>/dev/null; cat");
    world.write("b.sh", "sed s/^/b:/");
    world.write("lookup.txt", "found ");
    world
}

#[test]
fn main_takes_nothing_from_a_folder_where_programs_miss_what_they_read() {
    let world = project();
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"one");
    world.wait_for_content("results/b", |content| content == "b:found one");
    world.write("other.sh", "sed s/^/other:/");
    world.write("word.txt", "two");
    let new =
        ["whatif", "new", "--id", "x", "--file", "b.sh=other.sh", "--input", "raw/a=word.txt"];
    world.ok(&new);
    // Another program runs in a copy of the project, where nobody has told of that file.
    assert_eq!(world.ok(&["get", "results/b", "--whatif", "x"]), "other:two");
    world.ok_with(&["put", "raw/a"], b"two");
    world.wait_for_content("results/b", |content| content == "b:found two");
    assert_eq!(world.content("results/a").as_deref(), Some("found two"));
}

#[test]
fn a_file_that_no_program_says_it_reads_is_not_replaced_in_silence() {
    let world = project();
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"one");
    world.wait_for_content("results/b", |content| content == "b:found one");
    world.write("other.txt", "lost ");
    for path in ["lookup.txt", ".esker/x", "no/such.sh"] {
        let file = format!("{path}=other.txt");
        let stderr = world.fails(1, &["whatif", "new", "--file", &file]);
        assert!(
            stderr.contains(&format!("no program of the project says that it reads {path}")),
            "{stderr}"
        );
    }
}

#[test]
fn secrets_are_not_kept_with_the_project() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [stage.a]\ninput = \"raw/a\"\n\
         run = [\"sh\", \"a.sh\", \".env\", \"conf/creds.json\", \"conf/plain.json\"]\n\
         secret = { TOKEN = { file = \"conf/declared.sh\" } }\noutput = \"results/a\"\n\
         [stage.b]\ninput = \"raw/a\"\nrun = [\"sh\", \"lib/b.sh\"]\ncode = [\"lib\"]\noutput = \"results/b\"\n",
    );
    for folder in ["conf", "lib"] {
        std::fs::create_dir(world.path(folder)).expect("a folder");
    }
    world.write("a.sh", "cat");
    world.write("lib/b.sh", "cat");
    for path in [
        ".env",
        "conf/creds.json",
        "conf/plain.json",
        "conf/declared.sh",
        "lib/.hidden",
        "lib/server.key",
        "lib/api_token.txt",
    ] {
        std::fs::write(world.path(path), "s3cr3t").expect("written");
    }
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"one");
    world.wait_for_content("results/b", |content| content == "one");
    world.wait_for("the project in git", || {
        let refs = world.git(&["for-each-ref", "refs/esker/project"]);
        !refs.is_empty()
    });
    let kept = world.git(&["ls-tree", "-r", "--name-only", "refs/esker/project"]);
    assert_eq!(kept, "about/project\nfile/a.sh\nfile/esker.toml\nfile/lib/b.sh\n");
    let all = world.git(&["log", "-p", "--all"]);
    assert!(!all.contains("s3cr3t"), "{all}");
    let about = world.git(&["show", "refs/esker/project:about/project"]);
    for (path, why) in [
        (".env", "begins with a dot"),
        ("conf/creds.json", "name it in `code`"),
        ("lib/server.key", "called like a secret"),
    ] {
        let line = about.lines().find(|line| line.contains(path)).unwrap_or_default();
        assert!(line.contains(why), "{path}: {about}");
    }
}

#[test]
fn what_the_next_pull_of_a_tap_would_take_back_is_not_applied() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [source.t]\ntap = [\"sh\", \"tap.sh\"]\nevery = \"1h\"\noutput = \"raw/t\"\n",
    );
    world.write(
        "tap.sh",
        "echo '{\"type\": \"SCHEMA\", \"stream\": \"users\", \"key_properties\": [\"id\"], \"schema\": {\"properties\": {\"id\": {\"type\": \"integer\"}}}}'\n\
         echo '{\"type\": \"RECORD\", \"stream\": \"users\", \"record\": {\"id\": 1}}'\n",
    );
    let _up = world.up();
    world.wait_for("the stream", || world.content("raw/t/users").is_some());
    let then = world.content("raw/t/users");
    world.write("users.txt", "{\"id\": 2}\n");
    world.ok(&["whatif", "new", "--id", "x", "--input", "raw/t/users=users.txt"]);
    let output = world.run(&["whatif", "apply", "x"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("raw/t/users is a stream of t"), "{said}");
    assert_eq!(world.content("raw/t/users"), then);
}
