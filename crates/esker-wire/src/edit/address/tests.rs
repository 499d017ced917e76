//! Addresses are read, printed in one form, and refused with the character that is wrong.

use proptest::prelude::*;

use super::{ADDRESS_MAX, Address, Place, Row, STEPS_MAX, Selector, Step};

fn name(text: &str) -> Step {
    Step::Name(text.to_owned())
}

fn keys(all: &[(Option<&str>, &str)]) -> Step {
    let one = |(column, value): &(Option<&str>, &str)| Selector {
        column: column.map(str::to_owned),
        value: (*value).to_owned(),
    };
    Step::Row(Row::Keys(all.iter().map(one).collect()))
}

#[test]
fn every_form() {
    for (text, canonical, steps) in [
        (
            "raw/plan:Work[CHK-1].Estimate",
            "",
            vec![name("Work"), keys(&[(None, "CHK-1")]), name("Estimate")],
        ),
        ("params/plan:end", "", vec![name("end")]),
        ("params/plan:limits.max", "", vec![name("limits"), name("max")]),
        ("params/plan:/limits/max", "params/plan:limits.max", vec![name("limits"), name("max")]),
        (
            "params/plan:/a~1b/~01/0",
            "params/plan:a/b.~1.0",
            vec![name("a/b"), name("~1"), name("0")],
        ),
        ("params/plan:/", "params/plan:\"\"", vec![name("")]),
        ("params/plan:", "", vec![]),
        ("params/x:items[2].name", "", vec![name("items"), keys(&[(None, "2")]), name("name")]),
        (
            "raw/orders:[Id=17,Region=EU].Amount",
            "",
            vec![keys(&[(Some("Id"), "17"), (Some("Region"), "EU")]), name("Amount")],
        ),
        ("raw/t:[#3].Amount", "", vec![Step::Row(Row::Number(3)), name("Amount")]),
        (
            "conditioned/plan:\"qplan work v1\"[CHK-1].#4",
            "conditioned/plan:qplan work v1[CHK-1].#4",
            vec![name("qplan work v1"), keys(&[(None, "CHK-1")]), Step::Number(4)],
        ),
        (
            "a/b:\"a.b\\\"\\\\\"[\"x,y\"].\"#4\"",
            "",
            vec![name("a.b\"\\"), keys(&[(None, "x,y")]), name("#4")],
        ),
        ("a/b:[10:30].\"\\n\\u{7}\"", "", vec![keys(&[(None, "10:30")]), name("\n\u{7}")]),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.place.steps, steps, "{text}");
        let canonical = if canonical.is_empty() { text } else { canonical };
        assert_eq!(address.to_string(), canonical);
    }
    assert_eq!(Row::read("[CHK-1]"), Row::read("CHK-1"));
}

#[test]
fn what_is_wrong_is_pointed_at() {
    for (text, at, reason) in [
        ("raw/plan", 1, "expected RESOURCE:PLACE"),
        ("plan:x", 1, "is not a resource name"),
        ("a/b:.x", 5, "expected a name or a value"),
        ("a/b:x.", 7, "expected a name or a value"),
        ("a/b:x[", 7, "expected a name or a value"),
        ("a/b:x[]", 7, "expected a name or a value"),
        ("a/b:x[y", 8, "expected , or ]"),
        ("a/b:x[y=]", 9, "expected a name or a value"),
        ("a/b:x[y=z=q]", 10, "expected , or ]"),
        ("a/b:é]x", 6, "expected . or ["),
        ("a/b:x [y]", 5, "quote what begins or ends with a blank"),
        ("a/b:\"x", 7, "expected a closing \""),
        ("a/b:\"\\x\"", 6, "expected one of"),
        ("a/b:\"\\u{d800}\"", 6, "expected one of"),
        ("a/b:x[#0]", 8, "expected a number from 1 on"),
        ("a/b:x.#y", 8, "expected a number from 1 on"),
        ("a/b:x[#1,y]", 9, "expected , or ]"),
        ("a/b:/x/y~2", 9, "expected ~0 or ~1"),
        ("a/b:x:y", 6, "expected . or ["),
    ] {
        let error = text.parse::<Address>().unwrap_err();
        assert_eq!(error.at, at, "{error}");
        assert!(error.reason.contains(reason), "{error}");
    }
}

#[test]
fn addresses_have_limits() {
    let long = format!("a/b:{}", "x".repeat(ADDRESS_MAX));
    assert!(long.parse::<Address>().unwrap_err().to_string().contains("longer than 4096 bytes"));
    let steps = |count: usize| format!("a/b:{}", vec!["x"; count].join("."));
    assert!(steps(STEPS_MAX).parse::<Address>().is_ok());
    assert!(steps(STEPS_MAX + 1).parse::<Address>().is_err());
    assert!(format!("a/b:{}", "/x".repeat(STEPS_MAX + 1)).parse::<Address>().is_err());
    assert!(format!("a/b:[{}]", vec!["x"; 17].join(",")).parse::<Address>().is_err());
}

fn any_word() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Z][a-z ]{0,4}", any::<String>(), "[.\\[\\]=,\":#/\\\\\n\t a]{0,5}"]
}

fn any_step() -> impl Strategy<Value = Step> {
    let selector = (proptest::option::of(any_word()), any_word())
        .prop_map(|(column, value)| Selector { column, value });
    prop_oneof![
        any_word().prop_map(Step::Name),
        (1..=u64::MAX).prop_map(Step::Number),
        (1..=u64::MAX).prop_map(|number| Step::Row(Row::Number(number))),
        proptest::collection::vec(selector, 1..4).prop_map(|all| Step::Row(Row::Keys(all))),
    ]
}

proptest! {
    #[test]
    fn the_printed_form_is_read_as_the_same(steps in proptest::collection::vec(any_step(), 0..5)) {
        let place = Place { steps };
        prop_assert_eq!(place.to_string().parse::<Place>(), Ok(place.clone()));
        let address = Address { resource: "raw/plan".parse().unwrap(), place };
        prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address.clone()));
        prop_assert!(!address.to_string().contains(char::is_control));
    }

    #[test]
    fn nothing_makes_it_panic(text in any::<String>(), odd in "a/b:[.\\[\\]=,\":#/~\\\\u{}0-9é]{0,12}") {
        drop(text.parse::<Address>());
        drop(text.parse::<Place>());
        if let Ok(address) = odd.parse::<Address>() {
            prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
        }
    }
}
