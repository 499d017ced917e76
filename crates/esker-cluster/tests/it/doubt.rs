//! Consul's word is doubted: a list that is empty because it may not be read is not one without members.

use esker_cluster::announce::{Announced, Check};
use esker_cluster::cluster::Cluster;
use esker_cluster::consul::token::Token;
use esker_cluster::join::Join;
use esker_cluster::membership::Trouble;
use esker_cluster::policy;
use serde_json::{Value, json};

use crate::consul::Running;
use crate::world::{PATIENCE, Worker, always, history, numbers, options, see, until};

/// What may do everything.
const MASTER: &str = "7e1d0b6c-0000-4000-8000-00000000beef";

/// A Consul that allows nothing to whoever shows no token, with a token that may be what a worker may be.
struct Guarded {
    consul: Running,
    policy: String,
    accessor: String,
    token: std::path::PathBuf,
    rules: String,
}

impl Guarded {
    fn start() -> Self {
        let consul = Running::begin(
            1,
            0,
            &json!({
                "acl": {
                    "enabled": true,
                    "default_policy": "deny",
                    "tokens": { "master": MASTER, "agent": MASTER }
                }
            }),
        );
        consul.wait(&Token::Text(MASTER.to_owned()));
        let Join::Consul(place) = consul.agent(0).join().parse().unwrap() else { unreachable!() };
        let rules = policy::worker(&place);
        let made = |path: &str, body: &Value| {
            // For its first seconds Consul answers that its ACL is in legacy mode.
            let mut made = Value::Null;
            until("an ACL", || consul.http_as(MASTER, 0, ("PUT", path), body).0 == 200);
            let (_, said) = consul.http_as(
                MASTER,
                0,
                (
                    "GET",
                    &path.replace("acl/policy", "acl/policies").replace("acl/token", "acl/tokens"),
                ),
                &Value::Null,
            );
            for one in serde_json::from_str::<Value>(&said).unwrap().as_array().unwrap() {
                let is_it = ["Name", "Description"].iter().any(|key| one[key] == "worker");
                if is_it {
                    made = one.clone();
                }
            }
            made
        };
        let policy = made("/v1/acl/policy", &json!({ "Name": "worker", "Rules": rules }));
        let policy = policy["ID"].as_str().unwrap().to_owned();
        let body = json!({ "Description": "worker", "Policies": [{ "ID": policy }] });
        let accessor = made("/v1/acl/token", &body)["AccessorID"].as_str().unwrap().to_owned();
        let path = format!("/v1/acl/token/{accessor}");
        let (_, said) = consul.http_as(MASTER, 0, ("GET", &path), &Value::Null);
        let secret: Value = serde_json::from_str(&said).unwrap();
        let token = consul.folder.path().join("token");
        std::fs::write(&token, format!("{}\n", secret["SecretID"].as_str().unwrap())).unwrap();
        Self { consul, policy, accessor, token, rules }
    }

    fn allow(&self, rules: &str) {
        let path = format!("/v1/acl/policy/{}", self.policy);
        let body = json!({ "ID": self.policy, "Name": "worker", "Rules": rules });
        let (status, said) = self.consul.http_as(MASTER, 0, ("PUT", &path), &body);
        assert_eq!(status, 200, "{said}");
    }

    fn join(&self) -> Cluster {
        let mut options = options();
        options.token = Token::File(self.token.clone());
        Cluster::join(&self.consul.agent(0).join().parse().unwrap(), options).unwrap()
    }

    fn announce(&self, cluster: &Cluster, count: u8) -> (Vec<Worker>, Vec<Announced>) {
        let host = self.consul.agent(0).address.to_string();
        let workers: Vec<Worker> = (1..=count).map(|number| Worker::at(number, &host)).collect();
        let announce = |worker: &Worker| {
            cluster.announce(worker.member.clone(), Check::default(), "9").unwrap()
        };
        let announced = workers.iter().map(announce).collect();
        (workers, announced)
    }
}

#[test]
fn who_answers_stays_when_the_list_is_empty_for_want_of_rights() {
    let guarded = Guarded::start();
    let cluster = guarded.join();
    let (mut workers, announced) = guarded.announce(&cluster, 4);
    let before = see(&cluster, &[1, 2, 3, 4]);
    let (history, _subscription) = history(&cluster);
    // Nothing may be read any more: the list is empty, and no error says why.
    guarded.allow("");
    let doubted = cluster.wait_for(|now| now.warning(Trouble::Empty).is_some(), PATIENCE).unwrap();
    assert_eq!((numbers(&doubted), doubted.version), (vec![1, 2, 3, 4], before.version));
    let message = &doubted.warning(Trouble::Empty).unwrap().message;
    assert!(message.contains("token") && message.contains("4 answer"), "{message}");
    // Nor may beats be told.
    until("beats that are refused", || {
        announced[0]
            .fault()
            .is_some_and(|fault| fault.hint.contains("service \"shoveling-worker\""))
    });
    // Who does not answer either is gone.
    workers[1].listener = None;
    see(&cluster, &[1, 3, 4]);
    guarded.allow(&guarded.rules);
    workers.remove(1);
    cluster.wait_for(|now| now.warnings.is_empty(), PATIENCE).unwrap();
    assert!(always(&history).is_superset(&[1, 3, 4].into()));
}

#[test]
fn a_token_that_is_deleted_costs_no_member() {
    let guarded = Guarded::start();
    let cluster = guarded.join();
    let (_workers, _announced) = guarded.announce(&cluster, 3);
    see(&cluster, &[1, 2, 3]);
    let secret = std::fs::read_to_string(&guarded.token).unwrap().trim().to_owned();
    let path = format!("/v1/acl/token/{}", guarded.accessor);
    let (status, _) = guarded.consul.http_as(MASTER, 0, ("DELETE", &path), &Value::Null);
    assert_eq!(status, 200);
    let refused =
        cluster.wait_for(|now| now.warning(Trouble::Refused).is_some(), PATIENCE).unwrap();
    assert_eq!(numbers(&refused), [1, 2, 3]);
    let message = &refused.warning(Trouble::Refused).unwrap().message;
    assert!(message.contains("does not know the token"), "{message}");
    let fault = cluster.kv().get("a").unwrap_err();
    for told in [message.clone(), fault.to_string(), format!("{cluster:?} {:?}", refused)] {
        assert!(!told.contains(&secret), "{told}");
    }
    // The file is read again for each request: a new token needs no new process.
    std::fs::write(&guarded.token, MASTER).unwrap();
    cluster.wait_for(|now| now.is_confirmed() && now.warnings.is_empty(), PATIENCE).unwrap();
}

#[test]
fn the_policies_allow_what_is_needed_and_name_what_is_not() {
    let guarded = Guarded::start();
    let cluster = guarded.join();
    let (_workers, _announced) = guarded.announce(&cluster, 1);
    see(&cluster, &[1]);
    let kv = cluster.kv();
    assert_eq!(kv.get("config/max-memory").unwrap(), None);
    let fault = kv.put("ns/a", b"1").unwrap_err();
    assert!(fault.message.contains("\"esker/ns/a\""), "{fault}");
    assert!(fault.hint.contains("key_prefix \"esker/\" { policy = \"write\" }"), "{fault}");
    let terms = esker_cluster::session::Terms::named("lease");
    let session = cluster.session(&terms).unwrap();
    assert!(session.acquire("lease/a", b"1").unwrap());
    let Join::Consul(place) = guarded.consul.agent(0).join().parse().unwrap() else {
        unreachable!()
    };
    guarded.allow(&policy::client(&place));
    until("a client's rights", || kv.put("ns/a", b"1").is_ok());
    assert_eq!(kv.list("ns/").unwrap().len(), 1);
}

#[test]
fn members_stay_while_consul_starts_again_with_its_acl() {
    let mut guarded = Guarded::start();
    let cluster = guarded.join();
    let (_workers, _announced) = guarded.announce(&cluster, 3);
    see(&cluster, &[1, 2, 3]);
    let (history, _subscription) = history(&cluster);
    guarded.consul.kill(0);
    cluster.wait_for(|now| now.warning(Trouble::Away).is_some(), PATIENCE).unwrap();
    guarded.consul.revive(0);
    cluster.wait_for(|now| now.is_confirmed() && now.warnings.is_empty(), PATIENCE).unwrap();
    see(&cluster, &[1, 2, 3]);
    assert_eq!(always(&history), [1, 2, 3].into());
}
