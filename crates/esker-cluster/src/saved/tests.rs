//! What is saved is there again, or nothing is.

use esker_wire::member::NodeId;

use super::*;

fn membership() -> Membership {
    let member = |number: u8| Member {
        node: NodeId::from_bytes([number; 16]),
        name: format!("n{number}"),
        control: format!("tcp://h{number}:1"),
        bulk: format!("tcp://h{number}:2"),
        cpus: 3,
        memory: 1 << 40,
        free: 17,
    };
    let since = UNIX_EPOCH + Duration::from_millis(1_763_800_000_123);
    let members = (1..=3).map(member).collect();
    let (held, warnings) = (Vec::new(), Vec::new());
    Membership { members, held, version: 41, since, origin: Origin::Told, warnings }
}

fn saved(folder: &Path, cluster: &str) -> Saved {
    Saved::new(folder.to_owned(), cluster.to_owned())
}

#[test]
fn what_is_saved_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let within = folder.path().join("made/as/needed");
    assert_eq!(saved(&within, "a").load(), None);
    saved(&within, "a").save(&membership()).unwrap();
    let loaded = saved(&within, "a").load().unwrap();
    assert_eq!(loaded, Membership { origin: Origin::Saved, ..membership() });
    assert_eq!(saved(&within, "b").load(), None, "another cluster's");
    let names: Vec<_> =
        fs::read_dir(&within).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names, [FILE], "nothing else is left");
}

#[test]
fn what_was_not_written_whole_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let saved = saved(folder.path(), "a");
    saved.save(&membership()).unwrap();
    let path = folder.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    for end in 0..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        assert_eq!(saved.load(), None, "{end} bytes");
    }
    // A crash before the new list has its name leaves the old one.
    fs::write(&path, &whole).unwrap();
    fs::write(folder.path().join(".members-x"), &whole[..9]).unwrap();
    assert_eq!(saved.load().unwrap().members, membership().members);
}

#[test]
fn what_later_versions_add_is_passed_over_and_nonsense_too() {
    let folder = tempfile::tempdir().unwrap();
    let saved = saved(folder.path(), "a");
    let good =
        "\"name\":\"n\",\"control\":\"tcp://h:1\",\"bulk\":\"tcp://h:1\",\"cpus\":1,\"memory\":1";
    let nodes = ["11", "22", "22"].map(|digits| digits.repeat(16));
    let text = format!(
        "{{\"cluster\":\"a\",\"version\":1,\"since_ms\":1,\"color\":\"red\",\"members\":[\
         {{\"node\":\"{}\",{good},\"free\":64,\"zone\":1}},{{\"node\":\"{}\",{good},\"free\":65}},\
         {{\"node\":\"{}\",{good},\"free\":1}},{{\"node\":\"x\",{good},\"free\":1}}]}}",
        nodes[0], nodes[1], nodes[2]
    );
    fs::write(folder.path().join(FILE), text).unwrap();
    let frees: Vec<u8> = saved.load().unwrap().members.iter().map(|one| one.free).collect();
    assert_eq!(frees, [64, 1]);
}
