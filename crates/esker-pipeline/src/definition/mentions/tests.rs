//! Where a definition names a resource.

use super::in_text;

#[test]
fn every_place_is_told_in_its_order() {
    let text = r#"
[project]
name = "raw/plan"
[source.plan]
file = "raw/plan"
output = "raw/plan"
[stage.a]
input = ["raw/other", "raw/plan"]
run = ["cat", "raw/plan"]
output = "out/a"
[view.a]
resource = "raw/plan"
[alias]
"raw plan" = "raw/plan"
[keep]
"raw/plan" = "90d"
"#;
    let found = in_text(text, &"raw/plan".parse().expect("a name"));
    let found: Vec<String> =
        found.iter().map(|one| format!("{}:{} {}", one.line, one.column, one.role)).collect();
    assert_eq!(
        found,
        [
            "6:10 output of [source.plan]",
            "8:23 input of [stage.a]",
            "12:12 resource of [view.a]",
            "14:14 alias \"raw plan\"",
            "16:1 [keep]",
        ]
    );
    assert_eq!(in_text("not = [toml", &"raw/plan".parse().expect("a name")), []);
}
