//! How much is asked, and what becomes of what comes.

use serde_json::value::RawValue;

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn times(at: &str, census: &str) -> Option<Times> {
    Some(Times { at: time(at), census: time(census) })
}

#[test]
fn what_has_changed_is_asked_with_an_overlap_and_everything_now_and_then() {
    let hour = Duration::from_secs(3600);
    let now = time("2027-01-04T12:00:00Z");
    assert_eq!(extent(None, hour, now), Extent::Whole);
    let before = times("2027-01-04T11:44:30Z", "2027-01-04T11:30:00Z");
    assert_eq!(extent(before, hour, now), Extent::Changed { minutes: 26, census: false });
    let before = times("2027-01-04T11:59:00Z", "2027-01-04T11:00:00Z");
    assert_eq!(extent(before, hour, now), Extent::Changed { minutes: 11, census: true });
    // Too long ago to say what has changed; and a clock that was set back.
    for at in ["2026-07-04T12:00:00Z", "2027-01-04T12:00:01Z"] {
        assert_eq!(extent(times(at, "2027-01-04T11:00:00Z"), hour, now), Extent::Whole);
    }
}

fn page(issues: &[&str]) -> Vec<Box<RawValue>> {
    issues.iter().map(|issue| RawValue::from_string((*issue).to_owned()).unwrap()).collect()
}

fn taken(issues: &mut Issues, page_of: &[&str]) -> Result<(), Broken> {
    let page = page(page_of);
    issues.take(&page.iter().map(|issue| &**issue).collect::<Vec<_>>())
}

#[test]
fn issues_are_lines_by_number_without_what_is_not_theirs() {
    let mut issues = Issues::default();
    let one = r#"{"key": "A-2", "self": "https://x", "expand": "y", "id": "10000", "fields": {"b": 1.50, "a": null}}"#;
    taken(&mut issues, &[one, r#"{"id":"9999","fields":{}}"#]).unwrap();
    let text = "{\"fields\":{},\"id\":\"9999\"}\n{\"fields\":{\"a\":null,\"b\":1.50},\"id\":\"10000\",\"key\":\"A-2\"}\n";
    assert_eq!(issues.text(), text);
    assert_eq!(Issues::read(text.as_bytes()).unwrap(), issues);
    taken(&mut issues, &[r#"{"id":"9999","fields":{"a":2}}"#]).unwrap();
    assert!(issues.text().starts_with("{\"fields\":{\"a\":2}"));
    let there = BTreeSet::from([9999, 10001]);
    assert_eq!(issues.lost(&there), [10001]);
    issues.keep(&there);
    assert_eq!(issues.text().lines().count(), 1);
    for wrong in [r#"{"key":"A-1"}"#, r#"{"id":"x"}"#, "[]"] {
        assert!(taken(&mut issues, &[wrong]).is_err(), "{wrong}");
    }
}
