//! `esker sort` writes what GNU sort writes, byte for byte, with less memory than there are bytes, here and over workers
//! with a real Consul; and whatever ends it, nothing is written by half.

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::bulk::Cluster;
use crate::world::{World, esker, signal};

/// Numbers that are the same each time.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Lines of all lengths and bytes, many of them the same or alike at their beginnings; the last without a newline.
fn lines(count: u64) -> Vec<u8> {
    let (mut noise, mut text) = (Noise(1), Vec::new());
    for _ in 0..count {
        let bytes: &[u8] = if noise.below(3) == 0 { b"ab" } else { b"\0 -.0123459abcXYZ\xff" };
        let length = [0, 1, 5, 9, 40, 300][noise.below(6) as usize];
        if noise.below(2) == 0 {
            text.extend_from_slice(b"2026-11-22T12:");
        }
        text.extend((0..length).map(|_| bytes[noise.below(bytes.len() as u64) as usize]));
        text.push(b'\n');
    }
    text.extend_from_slice(b"the last");
    text
}

/// Printable records of 100 bytes, whose keys are one of so many.
fn records(count: u64, keys: u64) -> Vec<u8> {
    let mut noise = Noise(2);
    let record = |number| format!("{:010}{number:088}\r\n", noise.below(keys));
    (0..count).map(record).collect::<String>().into_bytes()
}

fn gnu(world: &World, arguments: &[&str]) -> Vec<u8> {
    let mut sort = Command::new("sort");
    let output = sort.args(arguments).current_dir(world.dir()).env("LC_ALL", "C").output();
    let output = output.expect("GNU sort");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Sorts into `out`, and gives that.
fn sorted(world: &World, arguments: &[&str]) -> Vec<u8> {
    world.ok(&[&["sort", "-o", "out"], arguments].concat());
    fs::read(world.path("out")).expect("what was written")
}

fn names(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.dir()).expect("the folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

#[test]
fn lines_are_as_gnu_sort_writes_them() {
    let world = World::new("");
    world.write("lines", lines(30_000));
    world.write("more", "b\n\na");
    world.write("empty", "");
    world.write("one", "the only line");
    for options in [&[][..], &["-r"], &["-u"], &["-n"], &["-r", "-u"], &["-n", "-r"], &["-n", "-u"]]
    {
        for files in [&["lines"][..], &["more", "empty", "lines", "more"], &["empty"], &["one"]] {
            let arguments = [options, files].concat();
            assert!(sorted(&world, &arguments) == gnu(&world, &arguments), "{arguments:?}");
        }
    }
    // The longest that there may be, and one byte more.
    for (length, is_good) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        world.write("long", format!("b\n{}\na\n", "x".repeat(length - 1)));
        let output = world.run(&["sort", "long", "-o", "out"]);
        assert_eq!(output.status.success(), is_good, "{length}: {output:?}");
        let is_sorted =
            is_good && fs::read(world.path("out")).expect("out") == gnu(&world, &["long"]);
        assert_eq!(is_sorted, is_good, "{length}");
    }
    let output = world.run_with(&["sort", "-o", "-"], &lines(30_000));
    assert!(output.status.success() && output.stdout == gnu(&world, &["lines"]));
    // In place, as with sort -o.
    world.ok(&["sort", "lines", "-o", "lines"]);
    world.ok(&["sort", "--check", "lines"]);
    world.fails(1, &["sort", "--check", "-r", "lines"]);
}

#[test]
fn records_are_sorted_by_their_keys_and_those_with_the_same_stay_in_their_order() {
    let world = World::new("");
    world.write("records", records(20_000, 500));
    for options in [&[][..], &["-r"], &["-u"]] {
        let gnu = gnu(&world, &[&["-s", "-k1.1,1.10", "records"], options].concat());
        assert!(
            sorted(&world, &[&["--records", "records"], options].concat()) == gnu,
            "{options:?}"
        );
    }
    let told = |options: &[&str]| {
        let output = world.run(&[&["sort", "--check", "--json", "--records"], options].concat());
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.success(), told["checksum"].clone(), told["duplicates"].clone())
    };
    sorted(&world, &["--records", "records"]);
    let (unsorted, sorted) = (told(&["records"]), told(&["out"]));
    assert_eq!((unsorted.0, &unsorted.1), (false, &sorted.1));
    assert_eq!((sorted.0, &sorted.2), (true, &serde_json::json!(19_500)));
    assert!(!told(&["out", "-u"]).0, "there are keys twice");
}

#[test]
fn csv_is_sorted_by_a_column_below_its_header() {
    let world = World::new("");
    let text = "name,\"the end\",n\nb,\"2026, late\",10\n\"a \"\"x\"\"\",\"two\nlines\",9\nc,2026,-1.5\nd,2026,9\n";
    world.write("a.csv", text);
    let by = |options: &[&str]| {
        let sorted = sorted(&world, &[&["--csv", "a.csv"], options].concat());
        String::from_utf8(sorted).expect("text")
    };
    let [b, a, c, d] = [
        "b,\"2026, late\",10\n",
        "\"a \"\"x\"\"\",\"two\nlines\",9\n",
        "c,2026,-1.5\n",
        "d,2026,9\n",
    ];
    let with_header = |all: [&str; 4]| format!("name,\"the end\",n\n{}", all.concat());
    assert_eq!(by(&[]), with_header([a, b, c, d]));
    assert_eq!(by(&["--key", "the end"]), with_header([c, d, b, a]));
    assert_eq!(by(&["--key", "2", "-r"]), with_header([a, b, c, d]));
    assert_eq!(by(&["--key", "n", "-n"]), with_header([c, a, d, b]));
    world.write("b.csv", "name,\"the end\",n\r\ne,1,1\r\n\r\nf,0,0");
    assert_eq!(
        by(&["b.csv", "--key", "2"]),
        format!("name,\"the end\",n\nf,0,0\ne,1,1\r\n{}", [c, d, b, a].concat())
    );
    let stderr = world.fails(1, &["sort", "--csv", "a.csv", "-o", "x", "--key", "start"]);
    assert!(
        stderr.contains("there is no column start") && stderr.contains("name, the end, n"),
        "{stderr}"
    );
    world.write("c.csv", "other,header,here\n1,2,3\n");
    world.fails(1, &["sort", "--csv", "a.csv", "c.csv", "-o", "x"]);
    world.write("d.csv", "name,end\n1\n");
    let stderr = world.fails(1, &["sort", "--csv", "d.csv", "-o", "x", "--key", "end"]);
    assert!(stderr.contains("at byte 9: a record has no column 2"), "{stderr}");
    assert!(!world.path("x").exists());
}

#[test]
fn what_is_larger_than_memory_and_what_has_one_key_almost_everywhere() {
    let world = World::new("");
    let mut noise = Noise(3);
    let skewed = |_| match noise.below(10) {
        0 => format!("{:060}\n", noise.below(1_000_000)),
        _ => "the same key again and again, which is no short one either\n".to_owned(),
    };
    world.write("skewed", (0..700_000).map(skewed).collect::<String>());
    assert!(sorted(&world, &["skewed", "--memory", "32MiB"]) == gnu(&world, &["skewed"]));
    world.write("records", records(400_000, 1_000_000));
    world.write("one", records(300_000, 1));
    for file in ["records", "one"] {
        let told =
            world.json(&["sort", "--records", file, "-o", "out", "--memory", "32MiB", "--json"]);
        assert!(told["spilled"].as_u64() > Some(5_000_000), "{told}");
        let gnu = gnu(&world, &["-s", "-k1.1,1.10", file]);
        assert!(fs::read(world.path("out")).expect("sorted") == gnu, "{file}: {told}");
    }
}

#[test]
fn what_cannot_be_sorted_is_said_and_leaves_what_there_was() {
    let world = World::new("");
    world.write("out", "as it was");
    world.write("huge", "a\n".repeat(10) + &"x".repeat(3 << 20));
    world.write("odd", "x".repeat(150));
    for (arguments, wanted) in [
        (&["huge"][..], "a record has more than 1048576 bytes"),
        (&["--records", "odd"], "has 150 bytes: no whole records of 100"),
        (&["absent"], "cannot read absent: No such file"),
        (&["odd", "--memory", "1MiB"], "give it 32.00 MiB at least"),
        (&["odd", "--join", "static:absent.toml"], "absent.toml"),
    ] {
        let stderr = world.fails(1, &[&["sort", "-o", "out"], arguments].concat());
        assert!(stderr.contains(wanted), "{arguments:?}: {stderr}");
    }
    assert_eq!(fs::read_to_string(world.path("out")).expect("it is there"), "as it was");
    assert_eq!(names(&world), ["esker.toml", "huge", "odd", "out"]);
}

#[test]
fn whatever_ends_it_nothing_is_written_by_half() {
    let world = World::new("");
    world.write("records", records(600_000, 1_000_000));
    world.write("out", "as it was");
    fs::create_dir(world.path("spill")).expect("a folder");
    for name in ["KILL", "INT"] {
        let mut child = esker()
            .args([
                "sort",
                "--records",
                "records",
                "-o",
                "out",
                "--memory",
                "32MiB",
                "--spill",
                "spill",
            ])
            .current_dir(world.dir())
            .stderr(Stdio::null())
            .spawn()
            .expect("esker");
        world.wait_for("something that has no room in memory", || {
            let folders = fs::read_dir(world.path("spill")).expect("a folder");
            folders
                .flatten()
                .any(|it| fs::read_dir(it.path().join("worker")).is_ok_and(|it| it.count() > 0))
        });
        signal(&child.id().to_string(), name);
        assert!(!child.wait().expect("it ends").success());
        assert_eq!(fs::read_to_string(world.path("out")).expect("it is there"), "as it was");
        assert_eq!(names(&world), ["esker.toml", "out", "records", "spill"]);
        if name == "INT" {
            let left = fs::read_dir(world.path("spill")).expect("a folder").count();
            assert_eq!(left, 0, "files in the folder for what has no room");
        }
        fs::remove_dir_all(world.path("spill")).expect("removed");
        fs::create_dir(world.path("spill")).expect("a folder");
    }
}

/// How the workers of a cluster stand: as many as there are.
fn workers(cluster: &Cluster) -> Vec<Value> {
    let status = cluster.json(&["cluster", "status"]);
    let rows = status["workers"].as_array().expect("workers").iter();
    rows.map(|worker| worker["standing"].clone()).collect()
}

/// Whether no worker of a cluster knows of anything that was sorted.
fn is_forgotten(cluster: &Cluster) -> bool {
    let is_clean = |worker: &Value| {
        worker["spaces"] == 0 && ["pinned", "disk"].iter().all(|it| worker["ledger"][it] == 0)
    };
    workers(cluster).iter().all(is_clean)
}

#[test]
fn it_is_sorted_over_the_workers_of_a_cluster() {
    let cluster = Cluster::start("2");
    let world = &cluster.world;
    world.write("records", records(300_000, 1_000_000));
    world.write("one", records(300_000, 1));
    world.write("lines", lines(20_000));
    let join = ["--join", &cluster.join];
    for file in ["records", "one"] {
        let arguments = ["sort", "--records", file, "-o", "out", "--memory", "64MiB", "--json"];
        let told = world.json(&[&arguments[..], &join].concat());
        let gnu = gnu(world, &["-s", "-k1.1,1.10", file]);
        assert!(fs::read(world.path("out")).expect("sorted") == gnu, "{file}: {told}");
    }
    let all = [&["lines"][..], &join].concat();
    assert!(sorted(world, &all) == gnu(world, &["lines"]));
    let workers = workers(&cluster);
    assert_eq!(workers.len(), 2);
    for worker in &workers {
        assert!(worker["tally"]["writes"].as_u64() > Some(0), "{worker}");
    }
    assert!(is_forgotten(&cluster), "{workers:?}");
}

/// Begins a sort over a cluster that cannot end: nobody reads what it writes, of which there is something already.
fn begun(cluster: &Cluster) -> Child {
    cluster.world.write("records", records(300_000, 1_000_000));
    let mut child = esker()
        .args(["sort", "--records", "records", "-o", "-", "--join", &cluster.join])
        .current_dir(cluster.world.dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("esker");
    let mut first = [0];
    child.stdout.as_mut().expect("piped").read_exact(&mut first).expect("something was written");
    child
}

#[test]
fn a_sort_that_is_killed_leaves_nothing_with_the_workers_for_long() {
    let cluster = Cluster::start("2");
    let mut child = begun(&cluster);
    assert!(!is_forgotten(&cluster), "the workers hold what is sorted");
    child.kill().expect("killed");
    child.wait().expect("it ends");
    cluster.world.wait_for("the workers to forget it", || is_forgotten(&cluster));
    // Nor does Consul know of it any more.
    let left = cluster.keys();
    assert!(!left.contains("sort-"), "{left}");
}

#[test]
fn a_worker_that_is_killed_ends_a_sort_with_what_was_lost() {
    let cluster = Cluster::start("3");
    let mut child = begun(&cluster);
    cluster.kill_second();
    let mut rest = child.stdout.take().expect("piped");
    let reading = std::thread::spawn(move || rest.read_to_end(&mut Vec::new()).expect("read"));
    let output = child.wait_with_output().expect("it ends");
    reading.join().expect("it reads to the end");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("gone with what they held of the sort: node2"), "{stderr}");
    // The others have forgotten it, and sort the same again.
    let world = &cluster.world;
    let sorted = sorted(world, &["--records", "records", "--join", &cluster.join]);
    assert!(sorted == gnu(world, &["-s", "-k1.1,1.10", "records"]));
    world.wait_for("the workers to forget it", || is_forgotten(&cluster));
}
