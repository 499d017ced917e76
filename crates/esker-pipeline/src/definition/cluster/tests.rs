//! What `[cluster]` may say, and what is said of what it may not.

use jiff::Timestamp;

use super::Cluster;
use crate::definition::Definition;

fn read(text: &str) -> Result<Cluster, String> {
    let text = format!("[project]\nname = \"p\"\n{text}");
    let (definition, defects) = Definition::parse(&text, Timestamp::UNIX_EPOCH);
    let lines: Vec<String> = defects.iter().map(ToString::to_string).collect();
    definition.map(|it| it.cluster).ok_or_else(|| lines.join("\n"))
}

#[test]
fn without_a_word_there_is_a_worker_for_this_machine() {
    assert_eq!(read("").unwrap(), Cluster { worker: true, ..Cluster::default() });
    let said = "[cluster]\njoin = \"consul://127.0.0.1:8500\"\nbind = \"127.0.0.2:5060\"\nmemory = \"2GiB\"\nname = \"a\"";
    let cluster = read(said).unwrap();
    assert_eq!(cluster.memory, Some(2 << 30));
    assert_eq!(cluster.bind.as_deref(), Some("127.0.0.2:5060"));
    assert!(!read("[cluster]\nworker = false").unwrap().worker);
}

#[test]
fn what_cannot_be_is_said_with_its_place() {
    let cases = [
        ("memory = \"12KiB\"", "1MiB at least"),
        ("memory = \"1000000000000000000\"", "no machine has so much"),
        ("memory = \"banana\"", "is no size"),
        ("memory = \"-1\"", "is no size"),
        ("memory = 5", "must be a string"),
        ("join = \"http://consul\"", "is no cluster"),
        ("join = \"static:\"", "is no cluster"),
        ("bind = \"0.0.0.0:5060\"", "not a loopback address"),
        ("bind = \"5060\"", "is no address"),
        ("name = \"\"", "is no name"),
        ("worker = \"no\"", "true or false"),
        ("color = 1", "color"),
    ];
    for (line, why) in cases {
        let said = read(&format!("[cluster]\n{line}\n")).unwrap_err();
        assert!(said.contains(why), "{line}: {said}");
    }
}
