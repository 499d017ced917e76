//! A leaf has one encoding, and nothing else can be read as one.

use proptest::prelude::*;

use super::*;

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

fn decoded(bytes: &[u8]) -> Result<Value, Malformed> {
    Value::decode(&mut Reader::new(bytes))
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<u64>().prop_map(|bits| Value::from(f64::from_bits(bits))),
        any::<String>().prop_map(|text| Value::from(text.as_str())),
        any::<Vec<u8>>().prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let record = proptest::collection::vec((any::<String>(), inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..8).prop_map(|values| Value::List(values.into())),
            record.prop_map(|values| Value::Record(Record::new(
                values.into_iter().map(|(name, value)| (name.into(), value))
            ))),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_comes_back(value in any_value()) {
        let bytes = encoded(&value);
        prop_assert_eq!(bytes.len(), value.size());
        prop_assert_eq!(decoded(&bytes), Ok(value));
    }

    #[test]
    fn equal_values_have_equal_bytes_and_no_others_do(one in any_value(), other in any_value()) {
        prop_assert_eq!(one == other, encoded(&one) == encoded(&other));
    }

    #[test]
    fn whatever_can_be_read_has_only_that_form(bytes: Vec<u8>, kind in 0_u8..11) {
        let bytes = [&[kind][..], &bytes[..]].concat();
        let (mut reader, mut skipping) = (Reader::new(&bytes), Reader::new(&bytes));
        let skipped = Value::skip(&mut skipping);
        match Value::decode(&mut reader) {
            Ok(value) => {
                let read = &bytes[..bytes.len() - reader.left()];
                prop_assert_eq!((&encoded(&value)[..], skipped), (read, Ok(read)));
                prop_assert_eq!(skipping.left(), reader.left());
            }
            Err(error) => prop_assert_eq!(skipped, Err(error)),
        }
    }

    #[test]
    fn what_is_cut_off_is_refused(value in any_value()) {
        let bytes = encoded(&value);
        for end in 0..bytes.len() {
            prop_assert!(decoded(&bytes[..end]).is_err());
        }
    }
}

#[test]
fn numbers_keep_what_they_are() {
    assert_ne!(Value::from(1_i64), Value::from(1.0));
    assert_ne!(encoded(&Value::from(1_i64)), encoded(&Value::from(1.0)));
    assert_ne!(Value::from(0.0), Value::from(-0.0));
    assert_eq!(Value::from(5_u64), Value::from(5_i64));
    for number in [i64::MAX.cast_unsigned(), 1 << 63, u64::MAX, (1 << 53) + 1] {
        let value = decoded(&encoded(&Value::from(number))).unwrap();
        assert_eq!(value.to_string(), number.to_string());
    }
    for number in [i64::MIN, -1, 0, (1 << 53) + 1, i64::MAX] {
        assert_eq!(decoded(&encoded(&Value::from(number))), Ok(Value::Integer(number)));
    }
}

#[test]
fn all_that_is_no_number_is_one() {
    let one = Value::from(f64::NAN);
    for bits in [0x7ff8_0000_0000_0001, 0xfff8_0000_0000_0000, 0x7ff0_0000_0000_0001_u64] {
        assert_eq!(Value::from(f64::from_bits(bits)), one);
        let mut bytes = vec![5];
        bytes.extend(bits.to_le_bytes());
        assert_eq!(decoded(&bytes).unwrap_err().what, "a NaN is not the one there is");
    }
    let infinite = Value::from(f64::INFINITY);
    assert_eq!(decoded(&encoded(&infinite)), Ok(infinite));
}

fn nested(lists: usize, kind: u8) -> Vec<u8> {
    let (list, record): (&[u8], &[u8]) = (&[8, 1], &[9, 1, 0]);
    let mut bytes = (if kind == 8 { list } else { record }).repeat(lists);
    bytes.push(0);
    bytes
}

#[test]
fn lists_are_64_deep_and_no_deeper() {
    for kind in [8, 9] {
        let value = decoded(&nested(LISTS_MAX, kind)).unwrap();
        assert_eq!(value.lists(), LISTS_MAX);
        assert_eq!(
            decoded(&nested(LISTS_MAX + 1, kind)).unwrap_err().what,
            "lists are too deep in lists"
        );
        // A hostile one does not get far enough to exhaust the stack.
        assert!(decoded(&nested(1_000_000, kind)).is_err());
    }
}

#[test]
fn a_leaf_is_bounded() {
    let most = VALUE_MAX - 5;
    let text = |size: usize| Value::Text("x".repeat(size).into());
    assert_eq!(text(most).size(), VALUE_MAX);
    assert!(decoded(&encoded(&text(most))).is_ok());
    assert_eq!(decoded(&encoded(&text(most + 1))).unwrap_err().what, "a leaf is too large");
}

#[test]
fn names_of_a_record_are_in_order_and_once() {
    let record = Record::new([
        ("b".into(), Value::Null),
        ("a".into(), 1_i64.into()),
        ("b".into(), 2_i64.into()),
    ]);
    let values = [("a".into(), Value::from(1_i64)), ("b".into(), Value::from(2_i64))];
    assert_eq!(record.values(), values, "of two of one name it is the last");
    for wrong in [&[9, 2, 1, b'b', 0, 1, b'a', 0][..], &[9, 2, 1, b'a', 0, 1, b'a', 0]] {
        assert_eq!(decoded(wrong).unwrap_err().what, "the names of a record are not in order");
    }
}

#[test]
fn a_leaf_has_only_so_many_values() {
    let nulls = |count: usize| {
        let mut bytes = vec![kind::LIST];
        put_varint(&mut bytes, count as u64);
        bytes.resize(bytes.len() + count, kind::NULL);
        bytes
    };
    let read = |bytes: &[u8]| Value::decode(&mut Reader::new(bytes));
    assert_eq!(read(&nulls(VALUES_MAX)).unwrap().values(), VALUES_MAX);
    assert!(read(&nulls(VALUES_MAX + 1)).is_err());
    let halves = [&[kind::LIST, 2][..], &nulls(VALUES_MAX / 2), &nulls(VALUES_MAX / 2)].concat();
    assert!(read(&halves).is_err(), "all lists of a leaf together");
    let mut reader = Reader::new(&halves[2..]);
    assert!(
        Value::decode(&mut reader).is_ok() && Value::decode(&mut reader).is_ok(),
        "but not of two"
    );
}
