//! Warnings, limits, and pairing by name.

use super::*;

const COMPAT: ScheduleOptions = ScheduleOptions { raw: false, by_name: false };
const BY_NAME: ScheduleOptions = ScheduleOptions { raw: false, by_name: true };

fn plan(skills: &str, work: &str) -> String {
    format!(
        "=====qplan params v1\n\tJan 6, 2025\tJan 31, 2025\t{skills}\n=====qplan holidays v1\n\
         =====qplan staff v1\n\t1\tA\tT\tCore\tDesign\t\n\t2\tB\tT\tCore\tServer\t\n\t3\tC\tT\tCore\tServer\t\n\
         =====qplan work v1\n{work}\n"
    )
}

fn ends(text: &str, options: ScheduleOptions) -> Vec<String> {
    let schedule = schedule(text.as_bytes(), options).expect("a plan");
    let output = String::from_utf8(schedule.output).expect("text");
    let (_, work) = output.split_once("=====qplan track work v1\n").expect("the last stream");
    let lines = work.lines().filter(|line| line.starts_with("\t\t"));
    lines.map(|line| line.rsplit('\t').next().unwrap_or_default().to_owned()).collect()
}

fn warnings(text: &str, options: ScheduleOptions) -> Vec<String> {
    schedule(text.as_bytes(), options).expect("a plan").warnings
}

#[test]
fn a_plan_that_depends_on_positions_is_told() {
    let text = plan("Server", "\ta\t1\tx\tServer:5\t1\tCore");
    assert_eq!(ends(&text, COMPAT), ["DNF", "DNF"], "the designer does the server's work");
    assert_eq!(ends(&text, BY_NAME), ["Jan 22, 2025", "Jan 22, 2025"]);
    let warnings = warnings(&text, COMPAT);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("\"Server\" takes the people of \"Design\""), "{warnings:?}");
    assert!(warnings[0].contains("2 of 2 end dates"), "{warnings:?}");
}

#[test]
fn a_plan_that_does_not_depend_on_positions_is_not_told() {
    for text in [
        plan("Server", "\ta\t1\tx\tDesign:1\t1\tCore"),
        plan("Design:Server", "\ta\t1\tx\tServer:1\t1\tCore"),
        plan("Design", "\ta\t1\tx\tServer:1\t1\tCore"),
    ] {
        assert!(warnings(&text, COMPAT).is_empty(), "{text}");
    }
}

#[test]
fn a_scheduled_skill_without_position_is_told() {
    let text = plan("Design:Design:Server", "\ta\t1\tx\tServer:4\t1\tCore");
    let warnings = warnings(&text, COMPAT).join("\n");
    assert!(warnings.contains("\"Server\" is not scheduled"), "{warnings}");
}

#[test]
fn a_scheduled_skill_nobody_has_is_told() {
    let text = plan("Design:Ops", "\ta\t1\tx\tDesign:1\t1\tCore");
    assert_eq!(warnings(&text, BY_NAME), ["the scheduled skill \"Ops\" is nobody's"]);
}

#[test]
fn by_name_the_order_of_scheduled_skills_does_not_matter() {
    let work = "\ta\t1\tx\tServer:3,Design:1\t1\tCore\n\tb\t2\ty\tDesign:2\t1\tCore";
    let expected = ends(&plan("Design:Server", work), BY_NAME);
    for skills in ["Server:Design", " Server : Design ", "Ops:Server::Design"] {
        assert_eq!(ends(&plan(skills, work), BY_NAME), expected, "{skills}");
    }
    assert_ne!(ends(&plan("Server:Design", work), COMPAT), expected);
}

#[test]
fn a_plan_without_days_ends_nothing() {
    let backwards = |work: &str| plan("Design", work).replace("Jan 31, 2025", "Jan 1, 2025");
    let text = backwards("\ta\t1\tx\tDesign:1\t1\tCore");
    assert_eq!(ends(&text, COMPAT), ["DNF", "DNF"]);
    let text = backwards("\ta\t1\tx\tDesign:0\t1\tCore");
    let error = schedule(text.as_bytes(), COMPAT).expect_err("no first day").to_string();
    assert!(error.contains("the item \"x\" needs no day"), "{error}");
}

#[test]
fn no_skill_at_all_is_a_plan() {
    let text = "=====qplan params v1\n\tJan 6, 2025\tJan 7, 2025\t\n=====qplan holidays v1\n\
                =====qplan staff v1\n=====qplan work v1\n\ta\t1\tx\t,\t\t\n";
    assert_eq!(ends(text, COMPAT), ["Jan  6, 2025", "Jan  6, 2025"]);
}

#[test]
fn too_much_is_refused() {
    let mut work = String::new();
    for number in 0..2_100 {
        work.push_str(&format!("\ta\t1\tx\tS{number}:1\t1\tT{number}\n"));
    }
    let text = plan("Design", work.trim_end());
    let error = schedule(text.as_bytes(), COMPAT).expect_err("too much");
    assert!(!error.is_data_error());
    assert!(error.to_string().contains("at most 4000000"), "{error}");
}

#[test]
fn manpower_is_divided_by_five_day_by_day() {
    let mut text = plan("Design", "\ta\t1\tx\tDesign:1\t1\tCore");
    text = text.replace("Jan 31, 2025", "Jan 6, 2025");
    let people = "\t2\tB\tT\tCore\tServer\t\n".repeat(8);
    text = text.replace("=====qplan work v1", &format!("{people}=====qplan work v1"));
    let output = schedule(text.as_bytes(), COMPAT).expect("a plan").output;
    let output = String::from_utf8(output).expect("text");
    assert!(output.contains("manpower v1\n\t0.2\t2.0\n"), "{output}");
    let text = text.replacen("\t2\tB\tT\tCore\tServer\t\n", "", 1);
    let output = schedule(text.as_bytes(), COMPAT).expect("a plan").output;
    let output = String::from_utf8(output).expect("text");
    assert!(output.contains("manpower v1\n\t0.2\t1.8\n"), "a fifth of nine, not nine times 0.2");
}
