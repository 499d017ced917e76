//! What-ifs of the quarter's plan, there and back: what is asked moves what it must in the schedule, and nothing on main.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Running, World};

/// An item of the whole plan: its shortages and its end.
type Items = BTreeMap<String, (String, String)>;

fn up() -> (World, Running) {
    let world = World::example("qplan");
    let up = world.up();
    world.wait_for_content("results/plan", |content| content.contains("One-page checkout"));
    (world, up)
}

/// The lines of a stream, without what is above it.
fn stream<'a>(plan: &'a str, name: &str) -> Vec<&'a str> {
    let lines = plan.lines().skip_while(|line| *line != format!("====={name}")).skip(1);
    lines.take_while(|line| !line.starts_with("=====")).collect()
}

/// The items in the order of the whole plan, by their names.
fn order(plan: &str) -> Vec<(String, (String, String))> {
    let mut lines = stream(plan, "qplan track work v1").into_iter().skip(1);
    let lines = lines.by_ref().take_while(|line| !line.trim_start().starts_with("====="));
    let item = |line: &str| {
        let cells: Vec<&str> = line.trim_start_matches('\t').split('\t').collect();
        (cells[3].to_owned(), (cells[5].to_owned(), cells[6].to_owned()))
    };
    lines.map(item).collect()
}

fn items(plan: &str) -> Items {
    order(plan).into_iter().collect()
}

/// The weeks that there are of each skill in the whole plan.
fn manpower(plan: &str) -> Vec<f64> {
    let line = stream(plan, "qplan track manpower v1")[0];
    line.split_whitespace().map(|weeks| weeks.parse().expect("weeks")).collect()
}

fn ends(items: &Items, name: &str) -> String {
    items[name].1.clone()
}

/// How many items have no end within the plan.
fn unfinished(items: &Items) -> usize {
    items.values().filter(|(_, end)| end == "DNF").count()
}

fn what_if(world: &World, id: &str, changes: &[&str]) -> String {
    let mut words = vec!["whatif", "new", "--id", id];
    words.extend(changes);
    assert_eq!(world.ok(&words), format!("{id}\n"));
    assert_eq!(world.json(&["whatif", "show", id, "--json"])["state"], "done");
    world.ok(&["get", "results/plan", "--whatif", id])
}

/// The newest commit of main; git sees it a little later.
fn head(world: &World) -> String {
    world.json(&["log", "-n1", "--json"])[0]["revision"].as_str().expect("a revision").to_owned()
}

/// The newest version of what the source makes; what is made of it may come later.
fn newest(world: &World) -> Value {
    world.json(&["log", "raw/plan", "-n1", "--json"])[0]["revision"].clone()
}

fn all_of_main(world: &World) -> Vec<String> {
    let one = |name: &&str| world.ok(&["get", *name]);
    let mut all: Vec<String> =
        ["raw/plan", "conditioned/plan", "results/plan"].iter().map(one).collect();
    all.push(head(world));
    all
}

#[test]
fn every_kind_of_change_moves_what_it_must_and_nothing_on_main() {
    let (world, up) = up();
    let main = all_of_main(&world);
    let base = &main[2];
    let was = items(base);
    assert_eq!(ends(&was, "Bundles"), "DNF");

    // Three weeks more: there is more time of every skill, and more gets an end.
    let longer = what_if(&world, "longer", &["--set", "raw/plan:Params[End].Value=2027-04-16"]);
    let is = items(&longer);
    assert!(manpower(&longer).iter().zip(manpower(base)).all(|(is, was)| *is > was), "{longer}");
    assert!(
        unfinished(&is) < unfinished(&was)
            && stream(&longer, "qplan params v1")[0].contains("Apr 16")
    );
    assert_ne!(ends(&is, "Bundles"), "DNF");

    // A month less: what ended in the last weeks has no end, and lacks people.
    let shorter = what_if(&world, "shorter", &["--set", "raw/plan:Params[End].Value=2027-02-26"]);
    let is = items(&shorter);
    assert!(unfinished(&is) > unfinished(&was));
    let short = |items: &Items| items.values().filter(|(lack, _)| !lack.is_empty()).count();
    assert!(short(&is) > short(&was));

    // The one designer of Accounts is away for the quarter: a shortage there.
    let away = ["--set", "raw/plan:Staff[3].Vacation=2027-01-04..2027-03-26"];
    let away = what_if(&world, "away", &away);
    assert!(manpower(&away)[0] < manpower(base)[0] - 9.0, "{away}");
    assert!(away.matches("Design:-").count() > base.matches("Design:-").count());
    assert_eq!(manpower(&away)[1..], manpower(base)[1..]);

    // Without its work on the server, what lacked that has an end.
    let less = ["--set", "raw/plan:Work[Name=Bundles].Estimate=Design:0.5"];
    let less = items(&what_if(&world, "less", &less));
    assert_eq!(less["Bundles"].0, "");
    assert_ne!(ends(&less, "Bundles"), "DNF");

    // The last of all, ranked first, takes people's time before all others.
    let plan = what_if(&world, "first", &["--rank", "raw/plan:Work[Name=Dark theme].Rank=1"]);
    let first = order(&plan);
    assert_eq!(order(base).last().map(|(name, _)| name.as_str()), Some("Dark theme"));
    assert_eq!((first[0].0.as_str(), first[1].0.as_str()), ("Dark theme", "One-page checkout"));
    assert_ne!(ends(&items(&plan), "Dark theme"), "DNF");
    assert_eq!(ends(&was, "Dark theme"), "DNF");
    assert_eq!(first.len(), was.len());

    // What is gone leaves its people to others; what is new takes them.
    let gone = items(&what_if(&world, "gone", &["--remove", "raw/plan:Work[CHK-1]"]));
    assert!(!gone.contains_key("One-page checkout") && gone.len() + 1 == was.len());
    assert!(gone.iter().any(|(name, item)| was[name] != *item));
    let row = r#"raw/plan:Work={"Id":"CHK-99","Rank":"0","Name":"Tea","Estimate":"Server:40","Triage":"1","Track":"Checkout","Team":"Core"} first"#;
    let plan = what_if(&world, "tea", &["--add", row]);
    let tea = items(&plan);
    assert_eq!((order(&plan)[0].0.as_str(), tea.len()), ("Tea", was.len() + 1));
    assert!(
        tea.iter().filter(|(_, (lack, _))| lack.contains("Server:-")).count()
            > was.values().filter(|(lack, _)| lack.contains("Server:-")).count()
    );

    assert_eq!(all_of_main(&world), main, "main is as it was, to the byte");
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    side_by_side(&world, base);
    up.stop();
}

/// Three at once: the same cells as in each alone.
fn side_by_side(world: &World, base: &str) {
    let three = ["longer", "away", "first"];
    let told = world.json(&["whatif", "diff", "longer", "away", "first", "--json"]);
    let told = told.as_array().expect("resources");
    let of = |name: &str| {
        told.iter()
            .find(|one| one["resource"] == name)
            .unwrap_or_else(|| panic!("{name}: {told:?}"))
    };
    let raw = of("raw/plan")["cells"].as_array().expect("cells");
    let cell = |row: &str, column: &str| -> &Value {
        raw.iter()
            .find(|cell| cell["row"] == row && cell["column"] == column)
            .unwrap_or_else(|| panic!("{row}.{column}: {raw:?}"))
    };
    let end = cell("Params End", "Value");
    assert_eq!(end["base"], "2027-03-26");
    let end = &end["what_ifs"];
    assert_eq!(
        *end,
        json!({ "longer": "2027-04-16", "away": "2027-03-26", "first": "2027-03-26" })
    );
    let away = &cell("Staff 3", "Vacation")["what_ifs"];
    assert_eq!(away["away"], "2027-01-04..2027-03-26");
    assert_eq!(away["longer"], "2027-03-15..2027-03-19");
    // What is made from it is told for each as well, and is what each holds.
    let results = of("results/plan");
    for id in three {
        assert!(results.to_string().contains(id), "{results}");
        assert_ne!(world.ok(&["get", "results/plan", "--whatif", id]), base);
    }
    let text = world.ok(&["whatif", "diff", "longer", "away", "first", "raw/plan"]);
    let lines: Vec<Vec<&str>> =
        text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1], ["ROW", "COLUMN", "BASE", "LONGER", "AWAY", "FIRST"], "{text}");
    assert!(
        lines.contains(&vec!["Params", "End", "Value", "2027-03-26", "2027-04-16", "=", "="]),
        "{text}"
    );
}

fn cell(world: &World, sheet: &str, cell: &str, value: &str) {
    world.python("edit_cell.py", &["plan.xlsx", sheet, cell, value]);
}

fn raw(world: &World) -> String {
    world.content("raw/plan").expect("there")
}

/// An estimate of an item as it is on main.
fn says(world: &World, text: &str) {
    world.wait_for_content("raw/plan", |plan| plan.contains(text));
}

#[test]
fn one_is_applied_while_the_spreadsheet_changes_under_it() {
    let (world, up) = up();
    let upstream = raw(&world);
    what_if(&world, "more", &["--set", "raw/plan:Work[CHK-1].Estimate=Server:9"]);

    // Another row came from upstream meanwhile: both are there.
    cell(&world, "Work", "D3", "Server:7");
    says(&world, "Zero-downtime deploys\tServer:7");
    world.ok(&["whatif", "apply", "more", "--why", "said on Monday"]);
    let both = |plan: &str| {
        plan.contains("One-page checkout\tServer:9")
            && plan.contains("Zero-downtime deploys\tServer:7")
    };
    world.wait_for_content("raw/plan", both);
    world.wait_for_content("conditioned/plan", |plan| plan.contains("Server:9"));
    let log = world.json(&["log", "raw/plan", "--grep", "said on Monday", "--json"]);
    assert_eq!(log[0]["summary"], "apply what-if more: Work[CHK-1].Estimate = Server:9");
    let held = world.json(&["override", "list", "--json"]);
    let one = &held[0]["overrides"][0];
    assert_eq!((&one["why"], &one["before"]), (&json!("said on Monday"), &one["before"]));

    // It outlasts the next pull.
    cell(&world, "Work", "D4", "Server:2");
    says(&world, "Passkey sign-in\tServer:2");
    assert!(both(&raw(&world)));

    // Upstream contradicts: the last good version stays, and somebody is asked.
    cell(&world, "Work", "D2", "Server:6");
    let problem = world.wait_for_problem("plan");
    let told = problem.to_string();
    for part in ["Work[CHK-1].Estimate", "Design:2, Server:5, Web:6, QA:2", "Server:6", "Server:9"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.contains("esker override keep raw/plan"), "{told}");
    assert!(both(&raw(&world)));
    // Nobody says a word to the source, and yet it runs again.
    world.ok(&["override", "keep", "raw/plan", "1"]);
    world.wait_for("no problem", || world.json(&["problems", "--json"]) == json!([]));
    assert!(both(&raw(&world)));
    world.ok(&["override", "drop", "raw/plan", "1"]);
    says(&world, "One-page checkout\tServer:6");
    assert_ne!(raw(&world), upstream);
    up.stop();
}

#[test]
fn the_same_cell_changed_upstream_is_settled_one_way_or_the_other() {
    let (world, up) = up();
    for id in ["mine", "theirs", "same"] {
        what_if(&world, id, &["--set", "raw/plan:Staff[3].Vacation=2027-02-01"]);
    }
    cell(&world, "Staff", "F4", "2027-02-08");
    says(&world, "Accounts\tDesign\t2027-02-08");
    let told = world.run(&["whatif", "apply", "mine", "--json"]);
    assert_eq!(told.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let conflict = &answer["answer"]["conflicts"];
    let wanted = json!([{
        "edit": 1, "at": "raw/plan:Staff[3].Vacation", "kind": "both changed it",
        "base": "2027-03-15..2027-03-19", "theirs": "2027-02-08", "mine": "2027-02-01",
    }]);
    assert_eq!(*conflict, wanted, "{answer}");
    let before = newest(&world);
    world.ok(&["whatif", "apply", "theirs", "--settle", "1=theirs"]);
    assert_eq!(newest(&world), before, "theirs is there already");
    assert_eq!(world.json(&["override", "list", "--json"]), json!([]));
    world.ok(&["whatif", "apply", "mine", "--settle", "1=mine"]);
    says(&world, "Accounts\tDesign\t2027-02-01");

    // What was applied is taken back though a later wish was refused meanwhile.
    cell(&world, "Work", "D3", "Server:7");
    says(&world, "Zero-downtime deploys\tServer:7");
    world.ok(&["whatif", "amend", "mine", "--set", "raw/plan:Work[PLT-1].Estimate=Server:8"]);
    let applied = world.json(&["whatif", "show", "mine", "--json"])["applied"].clone();
    world.fails(1, &["whatif", "apply", "mine"]);
    assert!(applied.is_string());
    assert_eq!(world.json(&["whatif", "show", "mine", "--json"])["applied"], applied);
    world.ok(&["whatif", "undo", "mine", "--why", "it was wrong"]);
    says(&world, "Accounts\tDesign\t2027-02-08");
    says(&world, "Zero-downtime deploys\tServer:7");
    assert_eq!(world.json(&["override", "list", "--json"]), json!([]));
    let log = world.json(&["log", "raw/plan", "--grep", "it was wrong", "--json"]);
    assert!(log[0]["summary"].as_str().is_some_and(|told| told.starts_with("undo what-if mine")));

    // Upstream makes the very change: there is nothing to apply, and no override.
    cell(&world, "Staff", "F4", "2027-02-01");
    says(&world, "Accounts\tDesign\t2027-02-01");
    let before = newest(&world);
    world.ok(&["whatif", "apply", "same"]);
    assert_eq!(newest(&world), before);
    assert_eq!(world.json(&["override", "list", "--json"]), json!([]));
    let told = world.fails(1, &["whatif", "undo", "same"]);
    assert!(told.contains("it was not applied"), "{told}");
    says(&world, "Accounts\tDesign\t2027-02-01");

    // An override is over when upstream comes to agree.
    what_if(&world, "later", &["--set", "raw/plan:Staff[3].Vacation=2027-02-02"]);
    world.ok(&["whatif", "apply", "later"]);
    says(&world, "Accounts\tDesign\t2027-02-02");
    assert_eq!(world.json(&["override", "list", "--json"]).as_array().map(Vec::len), Some(1));
    cell(&world, "Staff", "F4", "2027-02-02");
    world.wait_for("its end", || world.json(&["override", "list", "--json"]) == json!([]));
    says(&world, "Accounts\tDesign\t2027-02-02");
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    up.stop();
}
