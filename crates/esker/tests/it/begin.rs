//! How a project begins: `esker init` from a file, from answers, and what editors are told of `esker.toml`.

use std::fs;

use serde_json::Value;

use crate::world::{World, esker, repository};

/// A folder without a project.
fn folder() -> World {
    let world = World::new("");
    fs::remove_file(world.path("esker.toml")).expect("removed");
    world
}

fn schema(world: &World, name: &str) -> Value {
    let text = fs::read_to_string(world.path(name)).expect("a schema");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn from_a_table() {
    let world = folder();
    world.write("Staff 2027.csv", "id,name,days,since\n1,Ann,3.5,2027-01-04\n2,Bob,,2027-02-01\n");
    let text = world.ok(&["init", "Staff 2027.csv"]);
    assert!(text.contains("/staff-2027.schema.json\n") && text.contains("/esker.toml\n"), "{text}");
    let table = schema(&world, "staff-2027.schema.json");
    assert_eq!(table["primaryKey"], "id");
    assert_eq!(table["fields"][2]["type"], "number");
    assert_eq!(world.ok(&["check"]), "esker.toml is good: 1 source, 0 stages, 1 view\n");
    world.ok(&["run"]);
    assert!(world.content("raw/staff-2027").is_some_and(|content| content.contains("Bob")));
    world.write("Staff 2027.csv", "id,name,days,since\n1,Ann,3.5,soon\n2,Bob,,2027-02-01\n");
    let stderr = world.fails(1, &["run"]);
    assert!(stderr.contains("staff-2027 failed"), "{stderr}");
    world.write("Staff 2027.csv", "id,name,days,since\n");
    world.fails(1, &["run"]);
    assert!(world.ok(&["problems"]).contains("rows_drop_max allows 50%"));
    world.fails(1, &["init", "Staff 2027.csv"]);
    fs::remove_file(world.path("esker.toml")).expect("removed");
    let stderr = world.fails(1, &["init", "Staff 2027.csv"]);
    assert!(stderr.contains("staff-2027.schema.json exists already"), "{stderr}");
}

#[test]
fn from_a_file_whose_name_is_no_plain_word() {
    for name in ["O'Brien's plan.csv", "Übersicht – März.csv", "a \"b\" \\c.csv"] {
        let world = folder();
        world.write(name, "id,days\n1,2\n");
        world.ok(&["init", name]);
        assert_eq!(world.ok(&["check"]), "esker.toml is good: 1 source, 0 stages, 1 view\n");
    }
}

#[test]
fn from_tables_as_people_have_them() {
    let cases: [(&str, &[u8], bool); 6] = [
        ("excel.csv", b"\xef\xbb\xbfa;b\r\nx;1,5\r\ny;2\r\n", true),
        ("tabs.tsv", b"a\tb\n1\n2\tx\n", true),
        ("latin.csv", b"a,b\ncaf\xe9,1\n", false),
        ("ragged.csv", b"a,b\n1,2,3\n", false),
        ("empty.csv", b"a,b\n", false),
        ("list.json", b"[1, 2]", false),
    ];
    for (name, content, has_schema) in cases {
        let world = folder();
        world.write(name, content);
        let output = world.run(&["init", name]);
        assert!(output.status.success(), "{name}: {output:?}");
        let stem = name.split('.').next().expect("a name");
        assert_eq!(world.path(format!("{stem}.schema.json")).exists(), has_schema, "{name}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_told = stderr.contains("not checked: ");
        assert_eq!(is_told, !has_schema && name != "list.json", "{name}: {stderr}");
        world.ok(&["check"]);
        world.ok(&["run"]);
        let stored = world.run(&["get", &format!("raw/{stem}")]).stdout;
        assert_eq!(stored, content, "{name}");
    }
}

#[test]
fn from_a_workbook() {
    for ending in ["xlsx", "ods"] {
        let world = folder();
        let name = format!("staff.{ending}");
        let rows = ["name,team,days,since", "Ann,blue,3,2027-01-04", "Bob,red,5"];
        world.python("make_workbook.py", &[&[name.as_str()][..], &rows].concat());
        world.ok(&["init", &name]);
        let package = schema(&world, "staff.schema.json");
        assert_eq!(package["resources"].as_array().map(Vec::len), Some(1), "{package}");
        let sheet = &package["resources"][0];
        assert_eq!(sheet["name"], "Work");
        let table = &sheet["schema"];
        assert_eq!((&table["primaryKey"], &table["allow"][0]), (&"name".into(), &"short".into()));
        let types: Vec<&Value> = (0..4).map(|column| &table["fields"][column]["type"]).collect();
        assert_eq!(types, ["string", "string", "integer", "date"]);
        world.ok(&["check"]);
        let up = world.up();
        world.wait_for_content("raw/staff", |content| content.contains("Ann"));
        assert_eq!(world.json(&["problems", "--json"]), serde_json::json!([]));
        up.stop();
    }
    let world = folder();
    fs::copy(repository().join("examples/qplan/plan.xlsx"), world.path("plan.xlsx"))
        .expect("a copy");
    world.ok(&["init", "plan.xlsx"]);
    world.ok(&["check"]);
    world.ok(&["run"]);
    world.write("broken.xlsx", "no workbook");
    fs::remove_file(world.path("esker.toml")).expect("removed");
    let stderr = world.fails(1, &["init", "broken.xlsx"]);
    assert!(stderr.contains("cannot read broken.xlsx"), "{stderr}");
}

#[test]
fn on_a_terminal_it_asks() {
    let world = folder();
    world.write("staff.csv", "id,name\n1,Ann\n2,Bob\n");
    let esker = esker();
    let program = esker.get_program().to_str().expect("UTF-8");
    let asked = |answers: &str| world.python("answer.py", &[program, answers]);
    let shown = asked("Our Plan\n\n");
    assert!(shown.contains("What is the project called? ["), "{shown}");
    assert!(
        shown.contains("Which file does it begin with? `none` for none. [staff.csv]"),
        "{shown}"
    );
    let definition = fs::read_to_string(world.path("esker.toml")).expect("written");
    assert!(
        definition.contains("name = \"our-plan\"") && definition.contains("file   = \"staff.csv\"")
    );
    world.ok(&["run"]);
    fs::remove_file(world.path("esker.toml")).expect("removed");
    asked("\nnone\n");
    assert_eq!(world.ok(&["check"]), "esker.toml is good: 1 source, 0 stages, 1 view\n");
}

#[test]
fn editors_are_told_what_this_esker_knows() {
    let world = folder();
    world.ok(&["init"]);
    let definition = fs::read_to_string(world.path("esker.toml")).expect("written");
    let line = definition.lines().next().expect("a line");
    let path = line.strip_prefix("#:schema ").expect("the schema's place");
    let kept = fs::read_to_string(world.path(path)).expect("the schema");
    assert_eq!(kept, world.ok(&["schema"]));
    fs::remove_file(world.path(path)).expect("removed");
    let up = world.up();
    assert_eq!(fs::read_to_string(world.path(path)).expect("there again"), kept);
    up.stop();
    let shipped =
        fs::read_to_string(repository().join("docs/esker.schema.json")).unwrap_or_default();
    assert!(shipped == kept, "run: cargo run -q -p esker -- schema > docs/esker.schema.json");
}
