//! A worker that is found through a list.

use std::fs;

use serde_json::Value;

use crate::world::{Running, World};

/// A worker on free ports, and the list that names it.
pub(crate) struct Listed {
    pub(crate) world: World,
    pub(crate) worker: Running,
    control: String,
}

impl Listed {
    /// How it is joined from its world's folder.
    pub(crate) const JOIN: &str = "static:members.toml";

    pub(crate) fn start() -> Self {
        let world = World::new("");
        let list = |control: &str, bulk: &str| {
            let addresses = format!("control = \"{control}\"\nbulk = \"{bulk}\"\n");
            let rest = "name = \"a\"\ncpus = 1\nmemory = \"1GiB\"\n";
            world.write("members.toml", format!("[[member]]\n{addresses}{rest}"));
        };
        // It has to be in the list before it has its addresses.
        list("tcp://127.0.0.1:1", "tcp://127.0.0.1:1");
        let join = ["worker", "--join", Self::JOIN, "--name", "a"];
        let worker = world.start(&[&join[..], &["--bind", "127.0.0.1:0", "--json"]].concat());
        let said = || {
            let log = fs::read_to_string(world.path("worker.log")).unwrap_or_default();
            let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.find(|line| line["message"] == "worker")
        };
        world.wait_for("the worker", || said().is_some());
        let said = said().expect("just seen");
        let address = |name: &str| said[name].as_str().expect("an address").to_owned();
        list(&address("control"), &address("bulk"));
        // It looks at the list every second, and says where ids are by what it has seen there.
        let locate = ["cluster", "locate", "k", "--join", Self::JOIN, "--json"];
        world.wait_for("its addresses where ids are", || {
            let told = world.run(&locate).stdout;
            String::from_utf8_lossy(&told).contains(&address("bulk"))
        });
        Self { control: address("control"), world, worker }
    }

    /// Where it takes small requests.
    pub(crate) fn control(&self) -> String {
        self.control.clone()
    }
}
