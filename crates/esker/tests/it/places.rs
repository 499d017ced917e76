//! Sources that are elsewhere on this machine or another: folders, git repositories, other eskers.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::sources::Server;
use crate::world::World;

fn versions(world: &World, resource: &str) -> usize {
    world.json(&["log", resource, "--json"]).as_array().expect("a list").len()
}

fn problem(world: &World, source: &str) -> String {
    world.wait_for_problem(source).to_string()
}

#[test]
fn files_of_every_kind_are_read_alone_and_in_a_folder() {
    let source = |kind: &str| {
        format!("[source.{kind}]\nfile = \"drop/a.{kind}\"\noutput = \"raw/{kind}\"\n")
    };
    let sources: String = ["csv", "tsv", "json", "ods", "xlsx"].map(source).concat();
    let all = "[source.all]\nfolder = \"drop\"\noutput = \"raw/all\"\n";
    let world = World::new(&format!("project.name = \"p\"\n{sources}{all}"));
    fs::create_dir(world.path("drop")).expect("a folder");
    let texts = [("csv", "id,n\na,1\n"), ("tsv", "id\tn\na\t1\n"), ("json", "[{\"id\": \"a\"}]\n")];
    for (kind, text) in texts {
        world.write(&format!("drop/a.{kind}"), text);
    }
    for kind in ["ods", "xlsx"] {
        let path = world.path(format!("drop/a.{kind}"));
        world.python("make_workbook.py", &[path.to_str().expect("UTF-8"), "id,n", "a,1"]);
    }
    let sheet = "=====Work\n\tid\tn\n\ta\t1\n";
    let up = world.up();
    for (kind, text) in texts.into_iter().chain([("ods", sheet), ("xlsx", sheet)]) {
        world.wait_for_content(&format!("raw/{kind}"), |content| content == text);
    }
    let nested = "\t=====Work\n\t\tid\tn\n\t\ta\t1\n";
    let folder = format!(
        "=====a.csv\n\tid,n\n\ta,1\n=====a.json\n\t[{{\"id\": \"a\"}}]\n=====a.ods\n{nested}\
         =====a.tsv\n\tid\tn\n\ta\t1\n=====a.xlsx\n{nested}"
    );
    world.wait_for_or(
        "the folder",
        || world.content("raw/all").unwrap_or_default(),
        || world.content("raw/all").as_deref() == Some(&folder),
    );
    // One that is edited, and one that is no workbook any more.
    let path = world.path("drop/a.ods");
    world.python("make_workbook.py", &[path.to_str().expect("UTF-8"), "id,n", "a,2"]);
    world.wait_for_content("raw/ods", |text| text.ends_with("\ta\t2\n"));
    world.wait_for_content("raw/all", |text| text.contains("\t\ta\t2\n"));
    world.write("drop/a.xlsx", "hello");
    for source in ["xlsx", "all"] {
        let text = problem(&world, source);
        assert!(text.contains("a.xlsx: it is no workbook, or damaged"), "{text}");
    }
    assert_eq!(world.content("raw/xlsx").as_deref(), Some(sheet));
    up.stop();
}

#[test]
fn a_folder_is_a_stream_for_each_of_its_files() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.drop]\nfolder = \"drop/*.csv\"\noutput = \"raw/drop\"\n",
    );
    fs::create_dir(world.path("drop")).expect("a folder");
    world.write("drop/b.csv", "b,1\n");
    world.write("drop/a.csv", "a,1\na,2\n");
    world.write("drop/.hidden.csv", "no\n");
    world.write("drop/note.txt", "no\n");
    let up = world.up();
    let both = "=====a.csv\n\ta,1\n\ta,2\n=====b.csv\n\tb,1\n";
    world.wait_for_content("raw/drop", |text| text == both);
    // What is not wanted changes nothing; what is, does: a new file, a change, one that goes.
    world.write("drop/note.txt", "still no\n");
    world.write("drop/c.csv", "c,1\n");
    world.wait_for_content("raw/drop", |text| text == format!("{both}=====c.csv\n\tc,1\n"));
    fs::remove_file(world.path("drop/b.csv")).expect("removed");
    world.wait_for_content("raw/drop", |text| {
        text == "=====a.csv\n\ta,1\n\ta,2\n=====c.csv\n\tc,1\n"
    });
    assert_eq!(versions(&world, "raw/drop"), 3);
    world.write("drop/c.csv", b"c\0d");
    let text = problem(&world, "drop");
    assert!(text.contains("the file c.csv of the folder is no text"), "{text}");
    fs::remove_dir_all(world.path("drop")).expect("removed");
    world.wait_for("another problem", || {
        problem(&world, "drop").contains("cannot read the folder of drop/*.csv")
    });
    assert_eq!(versions(&world, "raw/drop"), 3, "the last good version stays");
    up.stop();
}

/// Runs git in a folder.
pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(folder: &Path, name: &str, content: &str) {
    fs::create_dir_all(folder.join(name).parent().expect("a folder")).expect("a folder");
    fs::write(folder.join(name), content).expect("written");
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", name]);
}

fn git_source(name: &str, repository: &str, more: &str) -> String {
    format!(
        "[source.{name}]\ngit = \"{repository}\"\noutput = \"raw/{name}\"\nevery = \"1s\"\n{more}\n"
    )
}

#[test]
fn a_repository_is_read_at_a_ref() {
    let world = World::new("");
    let other = world.path("other");
    fs::create_dir(&other).expect("a folder");
    git(&other, &["init", "-q"]);
    commit(&other, "data/plan.csv", "a,1\n");
    git(&other, &["tag", "-a", "v1", "-m", "v1"]);
    commit(&other, "data/team.csv", "x\n");
    fs::write(other.join("big.bin"), "version https://git-lfs.github.com/spec/v1\n")
        .expect("written");
    commit(&other, "note.txt", "1\n");
    let definition = [
        git_source("plan", "other", "path = \"data/plan.csv\""),
        git_source("old", "other", "path = \"data\"\nref = \"v1\""),
        git_source("both", "other", "path = \"data/*.csv\"\nref = \"main\""),
        git_source("nowhere", "other", "path = \"none.csv\""),
        git_source("never", "other", "path = \"data\"\nref = \"none\""),
        git_source("pointer", "other", "path = \"big.bin\""),
        git_source("gone", "no-such-folder", "path = \"data\""),
    ];
    world.write("esker.toml", "project.name = \"p\"\n".to_owned() + &definition.concat());
    let up = world.up();
    world.wait_for_content("raw/plan", |text| text == "a,1\n");
    world.wait_for_content("raw/old", |text| text == "=====plan.csv\n\ta,1\n");
    world.wait_for_content("raw/both", |text| text == "=====plan.csv\n\ta,1\n=====team.csv\n\tx\n");
    for (source, part) in [
        ("nowhere", "other has no none.csv at HEAD"),
        ("never", "other has no branch or tag none"),
        ("pointer", "big.bin is kept with git-lfs"),
        ("gone", "cannot read no-such-folder: "),
    ] {
        let text = problem(&world, source);
        assert!(text.contains(part), "{source}: {part:?} is missing in {text}");
    }
    // Another file changes, then this one.
    commit(&other, "note.txt", "2\n");
    commit(&other, "data/plan.csv", "a,2\n");
    world.wait_for_content("raw/plan", |text| text == "a,2\n");
    world.wait_for_content("raw/both", |text| text.contains("a,2"));
    assert_eq!((versions(&world, "raw/plan"), versions(&world, "state/plan")), (2, 2));
    assert_eq!(versions(&world, "raw/old"), 1);
    up.stop();
}

#[test]
fn a_repository_behind_https_is_read_with_a_token_that_nobody_sees() {
    let world = World::new("");
    let server = Server::start(&world);
    let other = world.path("served/other");
    fs::create_dir(&other).expect("a folder");
    git(&other, &["init", "-q"]);
    commit(&other, "plan.csv", "a,1\n");
    git(&world.path("served"), &["clone", "-q", "--bare", "other", "plan.git"]);
    let url = format!("https://localhost:{}/git/plan.git", server.port());
    let login = |file: &str| {
        format!("path = \"plan.csv\"\nca = \"ca.pem\"\ntoken = {{ file = \"{file}\" }}")
    };
    let definition = [
        git_source("plan", &url, &login("token.txt")),
        git_source("intruder", &url, &login("wrong.txt")),
        git_source("moved", &url.replace("/git/", "/moved/"), &login("token.txt")),
        git_source("stranger", &url, "path = \"plan.csv\"\ntoken = { file = \"token.txt\" }"),
    ];
    let (token, wrong) = (crate::sources::TOKEN, "wrong-wrong/token+5");
    world.write("token.txt", token);
    world.write("wrong.txt", wrong);
    world.write("esker.toml", "project.name = \"p\"\n".to_owned() + &definition.concat());
    let up = world.up();
    world.wait_for_content("raw/plan", |text| text == "a,1\n");
    let text = problem(&world, "intruder");
    assert!(text.contains("see its `token`"), "{text}");
    let text = problem(&world, "moved");
    assert!(text.contains("error: 302") && text.contains("it leads elsewhere"), "{text}");
    let text = problem(&world, "stranger");
    assert!(text.contains("certificate"), "{text}");
    up.stop();
    for secret in [token, wrong] {
        assert!(!world.git(&["log", "--all", "-p", "--text"]).contains(secret));
        assert!(!world.logs().contains(secret));
    }
}

#[test]
fn a_resource_of_another_esker_is_followed() {
    let theirs = World::new("project.name = \"theirs\"\n");
    let hub = theirs.hub();
    theirs.ok_with(&["put", "results/plan"], b"a,1\n");
    let address = format!("tcp://127.0.0.1:{}", theirs.port("/hub/requests"));
    let source = |name: &str, resource: &str, more: &str| {
        format!(
            "[source.{name}]\nhub = \"{address}\"\nresource = \"{resource}\"\noutput = \"raw/{name}\"\nevery = \"1s\"\n{more}\n"
        )
    };
    let definition = [
        source("plan", "results/plan", ""),
        source("old", "results/plan", "at = \"HEAD~1\""),
        source("none", "results/none", ""),
        source("large", "results/plan", "output_max = \"2B\""),
    ];
    let ours = World::new(&("project.name = \"ours\"\n".to_owned() + &definition.concat()));
    let up = ours.up();
    ours.wait_for_content("raw/plan", |text| text == "a,1\n");
    for (source, part) in
        [("none", "cannot read results/none of tcp://"), ("large", "more than 2 bytes")]
    {
        let text = problem(&ours, source);
        assert!(text.contains(part), "{source}: {part:?} is missing in {text}");
    }
    theirs.ok_with(&["put", "results/plan"], b"a,2\n");
    ours.wait_for_content("raw/plan", |text| text == "a,2\n");
    ours.wait_for_content("raw/old", |text| text == "a,1\n");
    assert_eq!((versions(&ours, "raw/plan"), versions(&ours, "state/plan")), (2, 2));
    hub.stop();
    let text = problem(&ours, "plan");
    assert!(text.contains("\"ended\":\"retry\""), "{text}");
    up.stop();
}
