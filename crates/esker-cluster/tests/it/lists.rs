//! Lists of members that somebody wrote.

use std::fs;

use esker_cluster::announce::Check;
use esker_cluster::cluster::{Cluster, listed_node};
use esker_cluster::join::{Join, Roster};
use esker_cluster::membership::Trouble;
use esker_cluster::session::Terms;
use esker_wire::fault::Code;

use crate::world::{PATIENCE, member, node, options, see};

fn entry(number: u8) -> String {
    format!(
        "[[member]]\nnode = \"{}\"\nname = \"n{number}\"\ncontrol = \"tcp://h{number}:5060\"\n\
         bulk = \"tcp://h{number}:5061\"\ncpus = 4\nmemory = \"2GiB\"\n",
        node(number)
    )
}

#[test]
fn a_list_is_followed_and_a_bad_one_leaves_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.toml");
    fs::write(&path, entry(2) + &entry(1)).unwrap();
    let join: Join = format!("static:{}", path.display()).parse().unwrap();
    let cluster = Cluster::join(&join, options()).unwrap();
    let first = see(&cluster, &[1, 2]);
    assert_eq!(first.get(node(1)).unwrap().memory, 2 << 30);
    fs::write(&path, entry(1) + &entry(2) + &entry(3)).unwrap();
    let second = see(&cluster, &[1, 2, 3]);
    assert_eq!(second.version, first.version + 1);
    for bad in
        ["[[member]]\nname = 3".to_owned(), entry(1) + &entry(1) + "\n", entry(1) + "color = 1"]
    {
        fs::write(&path, bad).unwrap();
        let warned = cluster.wait_for(|now| now.warning(Trouble::BadList).is_some(), PATIENCE);
        assert_eq!(warned.unwrap().members, second.members);
        fs::write(&path, entry(1) + &entry(2) + &entry(3) + "#\n").unwrap();
        cluster.wait_for(|now| now.warnings.is_empty(), PATIENCE).unwrap();
    }
    fs::remove_file(&path).unwrap();
    let warned = cluster.wait_for(|now| now.warning(Trouble::BadList).is_some(), PATIENCE);
    assert_eq!(warned.unwrap().members, second.members);
    // One that is empty by intention is believed.
    fs::write(&path, "").unwrap();
    see(&cluster, &[]);
}

#[test]
fn a_list_shares_nothing_but_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.toml");
    fs::write(&path, entry(1)).unwrap();
    let join: Join = format!("static:{}", path.display()).parse().unwrap();
    let cluster = Cluster::join(&join, options()).unwrap();
    let fault = cluster.kv().get("a").unwrap_err();
    assert!(fault.code == Code::Unavailable && fault.hint.contains("consul://"), "{fault}");
    assert!(cluster.session(&Terms::named("a")).is_err());
    let told = cluster.announce(member(1, "h1:5060"), Check::default(), "9").unwrap();
    told.wait(PATIENCE).unwrap();
    let fault = cluster.announce(member(9, "h9:5060"), Check::default(), "9").err().unwrap();
    assert!(fault.message.contains("members.toml"), "{fault}");
    assert_eq!(cluster.distance("n1", "n2"), None);
    fs::write(&path, "").unwrap();
    let fault = Cluster::join(&"static:nowhere.toml".parse().unwrap(), options()).unwrap_err();
    assert!(fault.message.contains("nowhere.toml"), "{fault}");
}

#[test]
fn one_process_is_a_cluster() {
    let alone = Roster::Given(vec![member(1, "127.0.0.1:5060")]);
    let cluster = Cluster::join(&Join::Static(alone), options()).unwrap();
    let announced = cluster.announce(member(1, "127.0.0.1:5060"), Check::default(), "9").unwrap();
    announced.update(12);
    assert_eq!(cluster.members().members[0].free, 12);
    cluster.kv().put("a", b"1").unwrap();
    assert_eq!(cluster.clone().kv().get("a").unwrap().unwrap().value, b"1");
    let two = Roster::Given(vec![member(1, "127.0.0.1:1"), member(2, "127.0.0.1:2")]);
    let cluster = Cluster::join(&Join::Static(two), options()).unwrap();
    assert!(cluster.kv().get("a").is_err());
    assert_eq!(listed_node("a"), listed_node("a"));
    assert_ne!(listed_node("a"), listed_node("b"));
}
