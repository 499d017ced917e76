//! Every value of a document is found where it is.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z/~\"\\\\\\]\\}\n ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec(("[a-c/~\"]{0,3}", inner), 0..5)
                .prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
}

/// The pointers of a value and of all in it.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), out));
        }
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            pointers(value, &format!("{at}/{key}"), out);
        }),
        _ => {}
    }
}

proptest! {
    #[test]
    fn what_begins_at_the_place_of_a_pointer_is_its_value(value in values(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let mut all = Vec::new();
        pointers(&value, "", &mut all);
        for (pointer, offset) in all.iter().zip(offsets(&text, Form::Json, &all)) {
            let rest = &text[offset.unwrap()..];
            let mut reader = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
            prop_assert_eq!(&reader.next().unwrap().unwrap(), value.pointer(pointer).unwrap());
        }
    }
}
