//! Test vectors of `docs/sync.md`, for clients in any language: `tests/golden/sync/*.json`.
//!
//! `ESKER_GOLDEN=write cargo test -p esker-replica vectors` writes them anew. Their own README says how they are read.

use std::path::PathBuf;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use crate::bytes::{Reader, put_varint};
use crate::digest::{Digest, Hasher, of_dict, section_id};
use crate::frame::{Frame, Header, Type};
use crate::model::Model;
use crate::nodes::{self, Query, Told};
use crate::op::{self, Act, Op};
use crate::path::{self, Key, Path, path};
use crate::publisher::{Now, Options, Publisher};
use crate::section::Junctions;
use crate::value::Value;

mod samples;

/// Compares a file with what it should be, or writes it.
fn golden(name: &str, made: &Json) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/sync").join(name);
    let text = format!("{made:#}\n");
    if std::env::var("ESKER_GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::write(&file, &text).unwrap();
    }
    let known = std::fs::read_to_string(&file).unwrap().replace("\r\n", "\n");
    assert!(
        known == text,
        "{name} has changed: what other clients were written by no longer holds"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// A value so that no reader of JSON can get it wrong.
fn told_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::Integer(number) => json!({ "integer": number.to_string() }),
        Value::Large(number) => json!({ "integer": number.get().to_string() }),
        Value::Float(number) => {
            let number = number.get();
            json!({ "float": format!("{:016x}", number.to_bits()), "about": number.to_string() })
        }
        Value::Text(text) => json!(text.as_str()),
        Value::Bytes(bytes) => json!({ "bytes": hex(bytes) }),
        Value::List(values) => values.iter().map(told_value).collect(),
        Value::Record(record) => {
            let named = |(name, value): &(Key, Value)| json!([name.as_str(), told_value(value)]);
            json!({ "record": record.values().iter().map(named).collect::<Json>() })
        }
    }
}

fn told_path(path: &[Key]) -> Json {
    path.iter().map(|key| json!(key.as_str())).collect()
}

fn told_op(op: &Op) -> Json {
    let path = told_path(&op.path);
    match &op.act {
        Act::Set(value) => json!({ "op": "SET", "path": path, "value": told_value(value) }),
        Act::Delete => json!({ "op": "DEL", "path": path }),
        Act::Dict => json!({ "op": "DICT", "path": path }),
        Act::Clear => json!({ "op": "CLEAR", "path": path }),
    }
}

fn told_ops(ops: &[Op]) -> Json {
    ops.iter().map(told_op).collect()
}

fn refused<T>(all: &[(&str, &str)], read: impl Fn(&[u8]) -> Option<T>) -> Json {
    let one = |&(why, bytes): &(&str, &str)| {
        assert!(read(&unhex(bytes)).is_none(), "{why} is taken: {bytes}");
        json!({ "why": why, "hex": bytes })
    };
    all.iter().map(one).collect()
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

/// Reads all of some bytes as one thing.
fn whole<T>(
    bytes: &[u8],
    read: impl Fn(&mut Reader<'_>) -> Result<T, crate::bytes::Malformed>,
) -> Option<T> {
    let mut reader = Reader::new(bytes);
    read(&mut reader).ok().filter(|_| reader.is_empty())
}

#[test]
fn varints() {
    let one = |number: &u64| {
        let mut out = Vec::new();
        put_varint(&mut out, *number);
        assert_eq!(whole(&out, |reader| reader.varint()), Some(*number));
        json!({ "number": number.to_string(), "hex": hex(&out) })
    };
    let taken: Json = samples::NUMBERS.iter().map(one).collect();
    let refused = refused(&samples::BAD_VARINTS, |bytes| whole(bytes, |reader| reader.varint()));
    golden("varints.json", &json!({ "taken": taken, "refused": refused }));
}

#[test]
fn values() {
    let one = |(name, value): (&str, Value)| {
        let out = encoded(&value);
        assert_eq!(out.len(), value.size(), "{name}");
        assert_eq!(whole(&out, Value::decode), Some(value.clone()), "{name}");
        json!({ "name": name, "value": told_value(&value), "hex": hex(&out) })
    };
    let taken: Json = samples::values().into_iter().map(one).collect();
    let refused = refused(&samples::BAD_VALUES, |bytes| whole(bytes, Value::decode));
    golden("values.json", &json!({ "taken": taken, "refused": refused }));
}

#[test]
fn paths() {
    let one = |path: &Path| {
        let mut out = Vec::new();
        path::encode(path, &mut out);
        assert_eq!(path::from_json(&path::to_json(path)).as_ref(), Ok(path));
        json!({
            "path": told_path(path),
            "json": path::to_json(path),
            "hex": hex(&out),
            "dict": of_dict(path).to_string(),
            "section": format!("{:016x}", section_id(path)),
        })
    };
    let taken: Json = samples::paths().iter().map(one).collect();
    golden("paths.json", &json!({ "taken": taken }));
}

#[test]
fn topics() {
    let one = |path: &Path| {
        json!({
            "model": "project",
            "section": told_path(path),
            "hex": hex(&path::topic("project", path)),
        })
    };
    let all: Json = samples::paths().iter().map(one).collect();
    golden(
        "topics.json",
        &json!({ "all_of_a_model": hex(&path::topics("project")), "taken": all }),
    );
}

#[test]
fn digests() {
    let mut hasher = Hasher::default();
    let mut leaves = Vec::new();
    for path in samples::paths().iter().filter(|path| !path.is_empty()) {
        let value = Value::from(1_i64);
        let digest = hasher.leaf(path, &value).to_string();
        leaves.push(
            json!({ "path": told_path(path), "value": told_value(&value), "digest": digest }),
        );
    }
    for (_, value) in samples::values() {
        let path = path(["a", "b"]);
        let digest = hasher.leaf(&path, &value).to_string();
        leaves.push(
            json!({ "path": told_path(&path), "value": told_value(&value), "digest": digest }),
        );
    }
    let key = blake3::hash(b"esker model v1");
    golden("digests.json", &json!({ "key": key.to_hex().as_str(), "leaves": leaves }));
}

fn made(ops: &[Op]) -> Model {
    let mut model = Model::default();
    model.take(ops, 1);
    assert_eq!(model.recompute(), model.digest());
    model
}

#[test]
fn models() {
    let one = |(name, ops): (&str, Vec<Op>)| {
        let model = made(&ops);
        let mut paths: Vec<Path> = ops.iter().map(|op| op.path.clone()).collect();
        paths.extend(ops.iter().map(|op| op.path[..op.path.len().saturating_sub(1)].to_vec()));
        paths.sort();
        paths.dedup();
        let at = |path: &Path| json!({ "path": told_path(path), "digest": model.digest_at(path).to_string() });
        let at: Json = paths.iter().take(20).map(at).collect();
        json!({
            "name": name,
            "ops": told_ops(&ops),
            "digest": model.digest().to_string(),
            "nodes": model.nodes(),
            "at": at,
        })
    };
    let all: Json = samples::models().into_iter().map(one).collect();
    golden("models.json", &all);
}

#[test]
fn operations() {
    let one = |(name, ops): (&str, Vec<Op>)| {
        let out = op::encode(&ops);
        assert_eq!(op::decode(&out).unwrap(), ops, "{name}");
        json!({ "name": name, "ops": told_ops(&ops), "hex": hex(&out) })
    };
    let taken: Json = samples::models().into_iter().map(one).collect();
    let beyond = samples::operations_beyond_limits();
    let beyond = beyond.iter().map(|(why, bytes)| (*why, bytes.as_str()));
    let bad: Vec<(&str, &str)> = samples::BAD_OPERATIONS.into_iter().chain(beyond).collect();
    let refused = refused(&bad, |bytes| op::decode(bytes).ok());
    golden("operations.json", &json!({ "taken": taken, "refused": refused }));
}

fn told_header(header: &Header) -> Json {
    json!({
        "type": format!("{:?}", header.kind).to_uppercase(),
        "compressed": header.compressed,
        "last": header.last,
        "epoch": header.epoch.to_string(),
        "seq": header.seq.to_string(),
        "prev": header.prev.to_string(),
        "digest_after": header.after.to_string(),
        "section": format!("{:016x}", header.section),
        "operations": header.ops,
        "part": header.part,
        "parts": header.parts,
        "time": header.time.to_string(),
    })
}

/// A zstd frame of one block that is not compressed, so that it is the same for ever.
fn stored(body: &[u8]) -> Vec<u8> {
    let size = u8::try_from(body.len()).unwrap();
    let block = u32::from(size) << 3 | 1;
    let mut out = vec![size];
    assert!(size < 0x80, "the varint before it has one byte");
    out.extend([0x28, 0xb5, 0x2f, 0xfd, 0x20, size]);
    out.extend(&block.to_le_bytes()[..3]);
    out.extend(body);
    out
}

#[test]
fn frames() {
    let full = Header {
        compressed: false,
        last: true,
        epoch: 0x0102_0304_0506_0708,
        seq: 0x1112_1314_1516_1718,
        prev: 0x2122_2324_2526_2728,
        after: Digest(0x3132_3334_3536_3738_393a_3b3c_3d3e_3f40),
        section: 0x4142_4344_4546_4748,
        ops: 0x5152_5354,
        part: 0x6162,
        parts: 0x6364,
        time: 0x7172_7374_7576_7778,
        ..Header::new(Type::Delta)
    };
    let kinds = [Type::Delta, Type::Heartbeat, Type::Bye, Type::Chunk, Type::Diff, Type::Nodes];
    let headers = kinds.map(Header::new).into_iter().chain([full]);
    let headers: Json = headers
        .map(|header| {
            assert_eq!(Header::from_bytes(&header.to_bytes()), Ok(header));
            json!({ "header": told_header(&header), "hex": hex(&header.to_bytes()) })
        })
        .collect();
    let refused: Json = samples::bad_headers(&full.to_bytes())
        .into_iter()
        .map(|(why, bytes)| {
            assert!(Header::from_bytes(&bytes).is_err(), "{why}");
            json!({ "why": why, "hex": hex(&bytes) })
        })
        .collect();
    let body = op::encode(&[Op::set(path(["a"]), 1_i64)]);
    let header = Header { compressed: true, last: true, ops: 1, ..Header::new(Type::Chunk) };
    let bytes = stored(&body);
    let frame = Frame::read(&header.to_bytes(), bytes.clone().into()).unwrap();
    assert_eq!(frame.body, body);
    let compressed = json!({
        "header": hex(&header.to_bytes()),
        "body": hex(&bytes),
        "uncompressed": hex(&body),
    });
    golden(
        "frames.json",
        &json!({ "headers": headers, "refused": refused, "compressed": compressed }),
    );
}

#[test]
fn published() {
    let options =
        Options { junctions: Junctions::new([path(["content"])]), ..Options::new("project", 7) };
    let junctions: Json = options.junctions.paths().map(|path| told_path(path)).collect();
    let mut publisher = Publisher::new(options);
    let now = Now { wall: 1_700_000_000_000_000, ..Now::default() };
    let told = |[topic, header, body]: &[Bytes; 3]| {
        let read = Header::from_bytes(header).unwrap();
        json!({ "topic": hex(topic), "header": hex(header), "body": hex(body), "says": told_header(&read) })
    };
    let begin = publisher.model().digest().to_string();
    let mut transactions = Vec::new();
    for ops in samples::transactions() {
        let frames: Json = publisher.change(&ops, now).unwrap().iter().map(told).collect();
        let digest = publisher.model().digest().to_string();
        transactions.push(json!({ "ops": told_ops(&ops), "frames": frames, "digest": digest }));
    }
    let beats: Json = publisher.tick(now).iter().map(told).collect();
    let made = json!({
        "junctions": junctions,
        "digest": begin,
        "transactions": transactions,
        "heartbeats": beats,
        "bye": told(&publisher.bye(now)),
    });
    golden("published.json", &made);
}

fn told_query(query: &Query) -> Json {
    let key = |key: &Option<Key>| key.as_ref().map(|key| json!(key.as_str()));
    json!({ "path": told_path(&query.path), "from": key(&query.from), "to": key(&query.to) })
}

fn told_answer(told: &Told) -> Json {
    match told {
        Told::Nothing => json!({ "kind": "nothing" }),
        Told::Leaf(digest) => json!({ "kind": "leaf", "digest": digest.to_string() }),
        Told::Children(digest, children) => {
            let children = children.iter().map(|child| {
                let kind = if child.is_dict { "dict" } else { "leaf" };
                json!({ "key": child.key.as_str(), "kind": kind, "low": format!("{:016x}", child.low) })
            });
            let children: Json = children.collect();
            json!({ "kind": "dict", "digest": digest.to_string(), "children": children })
        }
        Told::Ranges(digest, ranges) => {
            let ranges = ranges.iter().map(|range| {
                json!({
                    "first": range.first.as_str(),
                    "children": range.count,
                    "low": format!("{:016x}", range.low),
                })
            });
            let ranges: Json = ranges.collect();
            json!({ "kind": "dict", "digest": digest.to_string(), "ranges": ranges })
        }
    }
}

#[test]
fn nodes() {
    let ops = samples::wide();
    let model = made(&ops);
    let queries = samples::queries();
    let asked = nodes::encode(&queries);
    let body = nodes::answer(&model, &asked).unwrap();
    let answers = nodes::answers(&body, queries.len()).unwrap();
    let told: Json = queries
        .iter()
        .zip(&answers)
        .map(|(query, told)| json!({ "query": told_query(query), "answer": told_answer(told) }))
        .collect();
    let refused = refused(&samples::BAD_QUERIES, |bytes| nodes::answer(&model, bytes).ok());
    let made = json!({
        "ops": told_ops(&ops),
        "digest": model.digest().to_string(),
        "queries": hex(&asked),
        "answers": hex(&body),
        "told": told,
        "refused": refused,
    });
    golden("nodes.json", &made);
}
