//! What the vectors are of.

use crate::nodes::Query;
use crate::op::{Act, Op};
use crate::path::{Key, Path, path};
use crate::value::{Record, Value};

pub(super) const NUMBERS: [u64; 10] =
    [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX as u64, 1 << 63, u64::MAX];

pub(super) const BAD_VARINTS: [(&str, &str); 6] = [
    ("nothing is there", ""),
    ("it goes on and does not", "80"),
    ("zero in two bytes", "8000"),
    ("one in three bytes", "818000"),
    ("65 bits", "80808080808080808002"),
    ("eleven bytes", "8080808080808080808001"),
];

/// Each with a name.
pub(super) fn values() -> Vec<(&'static str, Value)> {
    let float = |bits: u64| Value::from(f64::from_bits(bits));
    let list = |values: &[Value]| Value::List(values.into());
    let record = |values: &[(&str, Value)]| {
        Value::Record(Record::new(
            values.iter().map(|(name, value)| (Key::new(name), value.clone())),
        ))
    };
    vec![
        ("null", Value::Null),
        ("false", Value::from(false)),
        ("true", Value::from(true)),
        ("zero", Value::from(0_i64)),
        ("one", Value::from(1_i64)),
        ("minus one", Value::from(-1_i64)),
        ("63", Value::from(63_i64)),
        ("64", Value::from(64_i64)),
        ("minus 64", Value::from(-64_i64)),
        ("minus 65", Value::from(-65_i64)),
        ("2^53 + 1", Value::from((1_i64 << 53) + 1)),
        ("-2^53 - 1", Value::from(-(1_i64 << 53) - 1)),
        ("2^63 - 1", Value::from(i64::MAX)),
        ("-2^63", Value::from(i64::MIN)),
        ("2^63", Value::from(1_u64 << 63)),
        ("2^64 - 1", Value::from(u64::MAX)),
        ("one, as a float", Value::from(1.0)),
        ("zero, as a float", Value::from(0.0)),
        ("minus zero", Value::from(-0.0)),
        ("a tenth", Value::from(0.1)),
        ("infinity", Value::from(f64::INFINITY)),
        ("minus infinity", Value::from(f64::NEG_INFINITY)),
        ("the smallest float", float(1)),
        ("the largest float", Value::from(f64::MAX)),
        ("not a number", float(0x7ff8_0000_0000_0000)),
        ("another that is no number is the same", float(0xfff0_dead_beef_0001)),
        ("an empty text", Value::from("")),
        ("a text", Value::from("text")),
        ("a text with NUL", Value::from("a\0b")),
        ("é as one", Value::from("\u{e9}")),
        ("é as two", Value::from("e\u{301}")),
        ("an emoji", Value::from("😀")),
        ("a text of 23 bytes", Value::from("12345678901234567890123")),
        ("a text of 128 bytes", Value::from("x".repeat(128).as_str())),
        ("no bytes", Value::Bytes([].as_slice().into())),
        ("bytes", Value::Bytes([0, 255, 128].as_slice().into())),
        ("an empty list", list(&[])),
        ("a list", list(&[Value::Null, Value::from(1_i64), Value::from("a"), Value::from(0.5)])),
        ("an empty record", record(&[])),
        (
            "a record, told out of order",
            record(&[("b", Value::Null), ("", list(&[])), ("a", record(&[]))]),
        ),
        (
            "a record with odd names",
            record(&[("😀", 1_i64.into()), ("\0", 2_i64.into()), ("é", 3_i64.into())]),
        ),
        ("lists in a list", list(&[list(&[]), list(&[list(&[Value::from(true)])])])),
    ]
}

pub(super) const BAD_VALUES: [(&str, &str); 19] = [
    ("nothing is there", ""),
    ("no such kind", "0a"),
    ("names of a record out of order", "0902016200016100"),
    ("a name of a record twice", "0902016100016100"),
    ("a record of more than there is", "09ff01"),
    ("an integer ends too early", "03"),
    ("an integer in more bytes than it needs", "038000"),
    ("byte 4 below 2^63", "0401"),
    ("byte 4 with 2^63 - 1", "04ffffffffffffffff7f"),
    ("a float ends too early", "0500000000000000"),
    ("another NaN", "05010000000000f87f"),
    ("a NaN with its sign", "05000000000000f8ff"),
    ("a signalling NaN", "05010000000000f07f"),
    ("a text that is not UTF-8", "0601ff"),
    ("a surrogate", "0603eda080"),
    ("NUL in two bytes", "0602c080"),
    ("a text is longer than what is there", "060261"),
    ("4 GiB of bytes that are not there", "07ffffffff0f"),
    ("a list of more than there is", "08ffffffffffffffffff0100"),
];

/// In their order.
pub(super) fn paths() -> Vec<Path> {
    let odd =
        ["", "\0", "\u{1}", "\0\u{1}", "/", ".", "a.b", "__proto__", "\u{e9}", "e\u{301}", "😀"];
    let mut all = vec![Path::new()];
    all.extend(odd.iter().map(|key| path([key])));
    all.push(path(["a", "", "b"]));
    all.push(path(["", ""]));
    all.push(path(["stages", "plan", "state"]));
    all.push(path(["content", "raw/plan"]));
    all.push(path(["x".repeat(200)]));
    all.push(path(["x".repeat(201)]));
    all.push(path(["y".repeat(1024)]));
    all.push((0..40).map(|index| Key::new(format!("{index}"))).collect());
    all
}

fn op(keys: &[&str], act: Act) -> Op {
    Op { path: path(keys), act }
}

fn set(keys: &[&str], value: impl Into<Value>) -> Op {
    Op::set(path(keys), value)
}

/// Operations that make a model, each with a name.
pub(super) fn models() -> Vec<(&'static str, Vec<Op>)> {
    let odd = ["", "/", "\0", "\u{1}", "\u{e9}", "e\u{301}", "😀", "__proto__", "toString"];
    let every = values();
    vec![
        ("nothing", vec![]),
        ("an empty dict", vec![op(&["a"], Act::Dict)]),
        ("an empty dict in one", vec![op(&["a", "b"], Act::Dict)]),
        ("a leaf", vec![set(&["a"], 1_i64)]),
        ("a leaf, and the dict above it", vec![set(&["a", "b"], "c")]),
        ("a leaf whose key and value are cut elsewhere", vec![set(&["a", "bc"], "")]),
        ("a dict becomes a leaf", vec![set(&["a", "b"], 1_i64), set(&["a"], 2_i64)]),
        ("a leaf becomes a dict", vec![set(&["a"], 1_i64), set(&["a", "b"], 2_i64)]),
        ("DICT of a dict does nothing", vec![set(&["a", "b"], 1_i64), op(&["a"], Act::Dict)]),
        ("DICT of a leaf empties it", vec![set(&["a"], 1_i64), op(&["a"], Act::Dict)]),
        ("CLEAR of a dict", vec![set(&["a", "b"], 1_i64), op(&["a"], Act::Clear)]),
        ("CLEAR of a leaf", vec![set(&["a"], 1_i64), op(&["a"], Act::Clear)]),
        ("CLEAR of nothing makes what is above", vec![op(&["a", "b", "c"], Act::Clear)]),
        ("DEL leaves the dict above", vec![set(&["a", "b"], 1_i64), op(&["a", "b"], Act::Delete)]),
        ("DEL of nothing does nothing", vec![set(&["a"], 1_i64), op(&["a", "b"], Act::Delete)]),
        ("DEL of a dict", vec![set(&["a", "b", "c"], 1_i64), op(&["a"], Act::Delete)]),
        ("the root is cleared", vec![set(&["a", "b"], 1_i64), op(&[], Act::Clear)]),
        ("the root is a dict", vec![set(&["a", "b"], 1_i64), op(&[], Act::Dict)]),
        (
            "odd keys",
            odd.iter().flat_map(|key| [set(&["k", key], *key), set(&[key, "k"], *key)]).collect(),
        ),
        (
            "every value",
            every.into_iter().map(|(name, value)| Op::set(path(["v", name]), value)).collect(),
        ),
        (
            "512 keys",
            vec![Op::set((0..512).map(|index| Key::new(format!("{index}"))).collect(), true)],
        ),
    ]
}

pub(super) const BAD_OPERATIONS: [(&str, &str); 9] = [
    ("no such operation", "050001016100"),
    ("operation 0", "0000010161"),
    ("SET of the model itself", "01000000"),
    ("DEL of the model itself", "020000"),
    ("SET without a value", "0100010161"),
    ("the path shares keys that were not there", "0301010161"),
    ("more keys than there is", "0300ffffffff0f"),
    ("the second one ends too early", "030001016103"),
    ("a key that is not UTF-8", "03000101ff"),
];

/// What is one beyond a limit, which would otherwise be too long to be written here.
pub(super) fn operations_beyond_limits() -> Vec<(&'static str, String)> {
    let keys = |count: usize| "00".repeat(count);
    vec![
        ("a path of 513 keys", format!("03008104{}", keys(513))),
        (
            "a path of 513 keys, 512 of them those of the one before",
            format!("03008004{}0380040100", keys(512)),
        ),
        ("a key of 1025 bytes", format!("0300018108{}", "6b".repeat(1025))),
    ]
}

/// Copies of a good header, each with one thing wrong.
pub(super) fn bad_headers(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let with = |at: usize, bytes: &[u8]| {
        let mut header = good.to_vec();
        header[at..at + bytes.len()].copy_from_slice(bytes);
        header
    };
    vec![
        ("71 bytes", good[..71].to_vec()),
        ("73 bytes", [good, &[0]].concat()),
        ("another magic", with(0, &[0xe5, 0x1d])),
        ("another version", with(2, &[2])),
        ("type 0", with(3, &[0])),
        ("type 7", with(3, &[7])),
        ("an unknown flag", with(4, &[4])),
        ("an unknown flag in the upper byte", with(5, &[1])),
        ("another codec", with(6, &[2])),
        ("another digest", with(7, &[2])),
        ("a part that is none", with(60, &[1, 0, 1, 0])),
        ("no parts at all", with(60, &[0, 0, 0, 0])),
    ]
}

/// Of a publisher with the junctions `[]` and `["content"]`.
pub(super) fn transactions() -> Vec<Vec<Op>> {
    vec![
        vec![
            set(&["stages", "plan", "state"], "running"),
            set(&["stages", "plan", "seconds"], 1.5),
        ],
        vec![
            set(&["content", "raw/plan", "items"], 3_i64),
            set(&["stages", "plan", "state"], "done"),
        ],
        vec![op(&["gone"], Act::Delete), op(&["problems"], Act::Dict)],
        vec![op(&["gone"], Act::Delete)],
        vec![op(&["content", "raw/plan"], Act::Delete), set(&["", "\0"], "odd")],
    ]
}

/// A model that is told by children in some places and by ranges in others.
pub(super) fn wide() -> Vec<Op> {
    let few = (0..16_i64).map(|index| set(&["few", &format!("{index}")], index));
    let more = (0..17_i64).map(|index| set(&["more", &format!("{index}")], index));
    let many = (0..400_i64).map(|index| set(&["many", &format!("{index:03}"), "leaf"], index));
    few.chain(more).chain(many).chain([op(&["none"], Act::Dict), set(&["leaf"], "text")]).collect()
}

pub(super) fn queries() -> Vec<Query> {
    let query = |keys: &[&str], from: Option<&str>, to: Option<&str>| Query {
        path: path(keys),
        from: from.map(Key::new),
        to: to.map(Key::new),
    };
    vec![
        query(&[], None, None),
        query(&[], Some("leaf"), Some("more")),
        query(&["absent"], None, None),
        query(&["few"], None, None),
        query(&["leaf"], None, None),
        query(&["leaf", "absent"], None, None),
        query(&["many"], None, None),
        query(&["many"], Some("100"), Some("110")),
        query(&["many"], Some("100"), None),
        query(&["many"], None, Some("200")),
        query(&["many"], Some("2"), Some("1")),
        query(&["many", "007"], None, None),
        query(&["more"], None, None),
        query(&["none"], None, None),
    ]
}

pub(super) const BAD_QUERIES: [(&str, &str); 6] = [
    ("nothing is there", ""),
    ("more queries than there is", "05000000"),
    ("flags of another version", "01000004"),
    ("a path that shares what was not there", "01010000"),
    ("more than the queries", "0100000000"),
    ("a key is missing", "01000001"),
];
