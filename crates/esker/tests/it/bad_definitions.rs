//! A definition with a fault: what is wrong, where, and what to do.

use crate::world::World;

/// `esker check` fails and says all of these.
pub(crate) fn refused(definition: &str, expected: &[&str]) {
    let world = World::new(definition);
    let stderr = world.fails(1, &["check"]);
    for text in expected {
        assert!(stderr.contains(text), "{text:?} is missing in:\n{stderr}");
    }
    let up = world.fails(1, &["up", "--port-base", "0"]);
    assert!(up.starts_with("error: "), "{up}");
}

#[test]
fn two_writers_of_one_resource() {
    refused(
        "[project]\nname = \"p\"\n\
         [source.a]\nfile = \"a.csv\"\noutput = \"raw/x\"\n\
         [source.b]\nfile = \"b.csv\"\noutput = \"raw/x\"\n",
        &["raw/x", "esker.toml:8:"],
    );
}

#[test]
fn a_name_that_leaves_the_store() {
    refused(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"a.csv\"\noutput = \"../../etc/passwd\"\n",
        &["esker.toml:5:", "../../etc/passwd", "begins with a dot"],
    );
}

#[test]
fn several_faults_are_told_at_once() {
    refused(
        "[project]\nnme = \"p\"\n[source.a]\nfile = \"a.csv\"\nevery = \"often\"\noutput = \"raw/a\"\n",
        &["nme", "name", "often"],
    );
}

#[test]
fn not_toml_at_all() {
    refused("[project\nname", &["esker.toml:1:"]);
}

#[test]
fn a_missing_program_is_found_by_check_and_a_problem_at_run() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"no-such-program\"]\noutput = \"x/a\"\n",
    );
    let stderr = world.fails(1, &["check"]);
    assert!(stderr.contains("esker.toml:5:") && stderr.contains("no-such-program"), "{stderr}");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"x");
    let problem = world.wait_for_problem("a");
    let text = problem.to_string();
    assert!(text.contains("no-such-program"), "{text}");
}

#[test]
fn no_project_here() {
    let world = World::new("");
    std::fs::remove_file(world.path("esker.toml")).expect("removed");
    let stderr = world.fails(1, &["ls"]);
    assert!(stderr.contains("no esker.toml") && stderr.contains("hint: "), "{stderr}");
    let stderr = world.fails(1, &["up", "no-such-folder"]);
    assert!(stderr.contains("no-such-folder"), "{stderr}");
}

#[test]
fn a_bind_beyond_loopback() {
    let project = "[project]\nname = \"p\"\n";
    for bind in ["[hub]\nrequests = \"tcp://0.0.0.0:5000\"\n", "[web]\nbind = \"192.0.2.1:8000\"\n"]
    {
        refused(&format!("{project}{bind}"), &["esker.toml:4:", "is not a loopback address"]);
    }
    let world = World::new(project);
    let stderr = world.fails(1, &["up", "--port-base", "0", "--bind", "0.0.0.0:0"]);
    for told in ["0.0.0.0", "loopback", "tls = { cert =", "[web.user.NAME]", "esker web password"] {
        assert!(stderr.contains(told), "{told}: {stderr}");
    }
}

#[test]
fn a_missing_script_is_warned_of() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"python3\", \"sumary.py\"]\noutput = \"x/a\"\n",
    );
    let output = world.run(&["check"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && stderr.contains("sumary.py, which is not"), "{stderr}");
}

#[test]
fn a_port_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[hub]\nrequests = \"tcp://127.0.0.1:{port}\"\nevents = \"tcp://127.0.0.1:0\"\n"
    ));
    let stderr = world.fails(1, &["hub"]);
    assert!(stderr.contains(&port.to_string()) && stderr.contains("hint: "), "{stderr}");
    let bind = format!("127.0.0.1:{port}");
    let world = World::new("[project]\nname = \"p\"\n");
    let stderr = world.fails(1, &["up", "--port-base", "0", "--bind", &bind]);
    assert!(stderr.contains(&port.to_string()) && stderr.contains("hint: "), "{stderr}");
}
