//! Which cell is meant.

use super::Wanted;

fn found(content: &str, keys: &[&str], field: &str) -> Vec<(String, String)> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let wanted = Wanted { keys, field: field.to_owned(), stream: None };
    let spots = wanted.find(content.as_bytes()).expect("it can be read");
    spots.into_iter().map(|spot| (spot.label, spot.value)).collect()
}

fn one(content: &str, keys: &[&str], field: &str, label: &str, value: &str) {
    assert_eq!(found(content, keys, field), [(label.to_owned(), value.to_owned())]);
}

#[test]
fn cells_of_tables() {
    let table = "id,team,week,days\nT-1,blue,3,5\nT-2,blue,4,7\nT-3,red,3,9\n";
    one(table, &["T-2"], "days", "id=T-2", "7");
    one(table, &["team=blue", "week=4"], "days", "team=blue week=4", "7");
    one(table, &["blue", "3"], "days", "team=blue week=3", "5");
    assert_eq!(found(table, &["blue"], "days").len(), 2);
    assert_eq!(found(table, &["T-9"], "days"), []);
    assert_eq!(found(table, &["T-1"], "cost"), []);
    assert_eq!(found("", &["T-1"], "days"), []);
    one("a=b\tn\tm\nx=y\t1\t2\n", &["x=y"], "n", "a=b=x=y", "1");
    let stacked = "=====work\n\tid\tend\n\tT-1\tMon\n=====old\n\tid\tend\n\tT-1\tSun\n";
    assert_eq!(
        found(stacked, &["T-1"], "end"),
        [("id=T-1 in work", "Mon"), ("id=T-1 in old", "Sun")]
            .map(|(label, value)| (label.to_owned(), value.to_owned()))
    );
    let stream = Some("old".to_owned());
    let wanted = Wanted { keys: vec!["T-1".to_owned()], field: "end".to_owned(), stream };
    assert_eq!(wanted.find(stacked.as_bytes()).map(|spots| spots.len()), Ok(1));
}

#[test]
fn values_of_json() {
    let json =
        r#"{"items": [{"id": 7, "end": "Mon"}, {"id": 8, "end": null}], "by": {"T-1": {"n": 3}}}"#;
    one(json, &["7"], "end", "/items/id=7", "Mon");
    one(json, &["id=8"], "end", "/items/id=8", "null");
    one(json, &["T-1"], "n", "/by/T-1", "3");
    one(json, &[], "/items/id=7/end", "/", "Mon");
    one(json, &[], "/items/1/id", "/", "8");
    assert_eq!(found(json, &["9"], "end"), []);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(found(&deep, &["9"], "end"), []);
}

#[test]
fn what_cannot_be_read_says_why() {
    let wanted = Wanted { keys: Vec::new(), field: "a".to_owned(), stream: None };
    assert!(wanted.find(b"a,b\n\xff,1\n").is_err_and(|why| why.contains("not UTF-8")));
}
