//! Clients in another language: those of 2013, and one written from docs/protocol.md.

use crate::world::World;

const ALIASED: &str = "[project]\nname = \"p\"\n[alias]\n\"qplan app\" = \"results/plan\"\n";

fn ports(world: &World) -> [String; 2] {
    ["/hub/requests", "/hub/events"].map(|pointer| world.port(pointer).to_string())
}

#[test]
fn a_client_of_2013_works_unchanged() {
    let world = World::new(ALIASED);
    let _up = world.up();
    let [requests, events] = ports(&world);
    world.python("seed_client.py", &[&requests, &events, "qplan app"]);
    assert!(!world.path("pwned").exists());
}

#[test]
fn either_order_of_two_words_names_a_declared_resource() {
    let world = World::new("[project]\nname = \"p\"\n[view.a]\nresource = \"raw/qplan\"\n");
    let _up = world.up();
    let [requests, events] = ports(&world);
    for name in ["raw qplan", "qplan raw", "raw/qplan"] {
        world.python("seed_client.py", &[&requests, &events, name]);
    }
}

#[test]
fn the_protocol_is_as_documented() {
    let world = World::new(ALIASED);
    let _up = world.up();
    let [requests, events] = ports(&world);
    world.python("plain_client.py", &[&requests, &events]);
    world.git(&["fsck", "--strict"]);
}
