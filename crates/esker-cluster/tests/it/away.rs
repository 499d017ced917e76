//! Consul is away: what was known stays known, also over a restart, and nothing jumps when it is back.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use esker_cluster::announce::Check;
use esker_cluster::cluster::Cluster;
use esker_cluster::membership::{Membership, Origin, Trouble};
use esker_wire::fault::Code;

use crate::consul::{Running, told};
use crate::world::{PATIENCE, Worker, always, history, join, numbers, options, see, until};

/// Joins with a folder for what is known.
fn join_with(address: &str, folder: &std::path::Path) -> Cluster {
    let mut options = options();
    options.state_dir = Some(folder.to_owned());
    Cluster::join(&address.parse().unwrap(), options).unwrap()
}

/// What there was one after the other: versions, members, and what was wrong.
fn brief(history: &Mutex<Vec<Membership>>) -> Vec<String> {
    let line = |now: &Membership| {
        let troubles: Vec<_> = now.warnings.iter().map(|warning| warning.trouble).collect();
        format!("{}: {:?} {troubles:?}", now.version, numbers(now))
    };
    history.lock().unwrap().iter().map(line).collect()
}

#[test]
fn members_stay_while_consul_is_killed_and_come_back_with_it() {
    let mut consul = Running::start(1, 2);
    let folder = tempfile::tempdir().unwrap();
    let address = consul.agent(1).join();
    let cluster = join_with(&address, folder.path());
    let host = consul.agent(2).address.to_string();
    let workers: Vec<Worker> = (1..=4).map(|number| Worker::at(number, &host)).collect();
    let announcer = join(&consul.agent(2).join());
    let announce =
        |worker: &Worker| announcer.announce(worker.member.clone(), Check::default(), "9").unwrap();
    let _announced: Vec<_> = workers.iter().map(announce).collect();
    let before = see(&cluster, &[1, 2, 3, 4]);
    let (history, _subscription) = history(&cluster);

    consul.kill(0);
    let killed = Instant::now();
    let away = cluster.wait_for(|now| now.warning(Trouble::Away).is_some(), PATIENCE).unwrap();
    told(&format!("that Consul is away is noticed after {:.1?}", killed.elapsed()));
    assert_eq!((away.version, numbers(&away)), (before.version, vec![1, 2, 3, 4]));
    let warning = away.warning(Trouble::Away).unwrap();
    assert!(warning.message.contains("last known list is used"), "{}", warning.message);
    assert!(!away.is_confirmed());

    // Whoever starts now knows what the one before knew; who has no folder knows nobody.
    let restarted = join_with(&address, folder.path());
    assert_eq!(restarted.members().origin, Origin::Saved);
    assert_eq!(restarted.members().members, before.members);
    assert_eq!(restarted.members().version, before.version);
    restarted.wait_for(|now| now.warning(Trouble::Away).is_some(), PATIENCE).unwrap();
    let (after_restart, _second) = crate::world::history(&restarted);
    let fault = join(&address).wait_for(|now| !now.members.is_empty(), Duration::from_secs(1));
    let fault = fault.unwrap_err();
    assert!(fault.code == Code::Timeout && fault.hint.contains("Consul"), "{fault}");

    // Its own agent goes too, then all come back.
    consul.kill(1);
    let fresh = Worker::at(5, &host);
    let _fifth = announce(&fresh);
    consul.revive(1);
    consul.revive(0);
    let revived = Instant::now();
    for cluster in [&cluster, &restarted] {
        let healed = see(cluster, &[1, 2, 3, 4, 5]);
        assert!(healed.version <= before.version + 2, "{:?}", brief(&history));
        cluster.wait_for(|now| now.is_confirmed() && now.warnings.is_empty(), PATIENCE).unwrap();
    }
    told(&format!("all is well again after {:.1?}", revived.elapsed()));
    for history in [history, after_restart] {
        assert!(
            always(&history).is_superset(&[1, 2, 3, 4].into()),
            "{:?}",
            history.lock().unwrap()
        );
    }
}

#[test]
fn an_agent_that_is_silent_is_noticed() {
    let consul = Running::start(1, 1);
    let cluster = join(&consul.agent(1).join());
    let worker = Worker::at(1, &consul.agent(0).address.to_string());
    let announcer = join(&consul.agent(0).join());
    let _announced = announcer.announce(worker.member.clone(), Check::default(), "9").unwrap();
    see(&cluster, &[1]);
    consul.signal(1, "STOP");
    let stopped = Instant::now();
    let away = cluster.wait_for(|now| now.warning(Trouble::Away).is_some(), PATIENCE).unwrap();
    told(&format!("a silent agent is noticed after {:.1?}", stopped.elapsed()));
    assert_eq!(numbers(&away), [1]);
    consul.signal(1, "CONT");
    cluster.wait_for(|now| now.is_confirmed() && now.warnings.is_empty(), PATIENCE).unwrap();
}

#[test]
fn members_are_saved_or_it_is_said() {
    let consul = Running::start(1, 0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let cluster = join_with(&consul.agent(0).join(), &file);
    let worker = Worker::at(1, "127.0.0.1");
    let _announced = cluster.announce(worker.member.clone(), Check::default(), "9").unwrap();
    let told = cluster.wait_for(|now| now.warning(Trouble::NotSaved).is_some(), PATIENCE).unwrap();
    assert!(told.warnings[0].message.contains("members.json"), "{:?}", told.warnings);
    // What is in the way goes, and so does the warning.
    std::fs::remove_file(&file).unwrap();
    cluster.wait_for(|now| now.warnings.is_empty(), PATIENCE).unwrap();
    until("the file", || file.join("members.json").exists());
}

#[test]
fn a_leader_that_is_killed_is_replaced() {
    let mut consul = Running::start(3, 0);
    let leader = consul.json(0, "/v1/status/leader");
    let leader = leader.as_str().unwrap().split_once(':').unwrap().0.to_owned();
    let number = consul.plan.agents.iter().position(|agent| agent.address.to_string() == leader);
    let number = number.unwrap();
    let others: Vec<usize> = (0..3).filter(|other| *other != number).collect();
    let cluster = join(&consul.agent(others[0]).join());
    let kv = cluster.kv();
    kv.put("before", b"1").unwrap();
    consul.kill(number);
    let killed = Instant::now();
    until("another leader", || kv.put("after", b"2").is_ok());
    told(&format!("keys can be written {:.1?} after the leader was killed", killed.elapsed()));
    assert_eq!(kv.get("before").unwrap().unwrap().value, b"1");
    // With two of three gone, nothing is agreed on any more, and that is what is said.
    consul.kill(others[1]);
    until("an end of agreement", || match kv.put("never", b"3") {
        Ok(()) => false,
        Err(fault) => {
            let is_silent = matches!(fault.code, Code::Unavailable | Code::Timeout);
            assert!(is_silent && fault.message.contains("esker/never"), "{fault}");
            true
        }
    });
}

#[test]
fn a_consul_that_has_forgotten_all_costs_no_member() {
    let mut consul = Running::start(1, 2);
    let cluster = join(&consul.agent(1).join());
    let host = consul.agent(2).address.to_string();
    let workers: Vec<Worker> = (1..=6).map(|number| Worker::at(number, &host)).collect();
    let announcers = [join(&consul.agent(1).join()), join(&consul.agent(2).join())];
    let announce = |(number, worker): (usize, &Worker)| {
        let announcer = &announcers[number % 2];
        announcer.announce(worker.member.clone(), Check::default(), "9").unwrap()
    };
    let _announced: Vec<_> = workers.iter().enumerate().map(announce).collect();
    see(&cluster, &[1, 2, 3, 4, 5, 6]);
    let (history, _subscription) = history(&cluster);
    consul.kill(0);
    cluster.wait_for(|now| now.warning(Trouble::Away).is_some(), PATIENCE).unwrap();
    std::fs::remove_dir_all(consul.agent(0).folder.join("data")).unwrap();
    consul.revive(0);
    cluster.wait_for(|now| now.is_confirmed() && now.warnings.is_empty(), PATIENCE).unwrap();
    assert_eq!(always(&history), [1, 2, 3, 4, 5, 6].into(), "{:?}", brief(&history));
}
