//! Large contents through the program: in bounded memory, across kills, as stock git-lfs sees them.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::world::{World, esker};

/// More than one message holds, in bytes.
const SIZE: usize = 300_000_000;
/// What a process may take of memory while that much goes through it, in bytes.
const MEMORY_MAX: u64 = 160_000_000;

/// Writes bytes that do not repeat, the same for the same seed.
fn write_noise(path: &Path, mut seed: u64, size: usize) {
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let mut left = size;
    while left > 0 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bytes = (seed ^ (seed >> 29)).to_le_bytes();
        let length = left.min(bytes.len());
        file.write_all(&bytes[..length]).expect("written");
        left -= length;
    }
}

fn same(a: &Path, b: &Path) -> bool {
    Command::new("cmp").arg("-s").args([a, b]).status().expect("cmp runs").success()
}

/// The most memory a process ever had.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let kilobytes = line.trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().expect("a number") * 1024
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(folder).args(arguments).output().expect("git runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {text}");
    text
}

/// Starts a command that is still to be watched.
fn start(world: &World, arguments: &[&str]) -> Child {
    let mut command = esker();
    command.args(arguments).current_dir(world.dir()).stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::inherit()).spawn().expect("esker starts")
}

/// How many bytes of a large content have come.
fn come(world: &World) -> u64 {
    let folder = fs::read_dir(world.store().join("esker/uploads")).into_iter().flatten().flatten();
    folder.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

#[test]
fn a_large_content_takes_little_memory_and_git_lfs_reads_it() {
    let world = World::new("[project]\nname = \"p\"\n");
    let hub = world.up();
    let big = world.path("big.bin");
    write_noise(&big, 1, SIZE);
    world.ok_with(&["put", "raw/small"], b"small\n");
    let revision = world.ok(&["put", "raw/big", "big.bin"]);
    assert!(peak(hub.pid()) < MEMORY_MAX, "the hub took {} bytes", peak(hub.pid()));
    assert_eq!(world.ok(&["put", "raw/big", "big.bin"]), revision, "the same bytes again");
    let entry = world.json(&["get", "raw/big", "--json"]);
    assert_eq!(entry["size"], SIZE);
    world.ok(&["get", "raw/big", "-o", "back.bin"]);
    assert!(same(&big, &world.path("back.bin")));
    assert!(peak(hub.pid()) < MEMORY_MAX, "the hub took {} bytes", peak(hub.pid()));
    let store = format!("file://{}", world.store().display());
    let clone = world.path("clone");
    world.git(&["clone", "-q", &store, clone.to_str().expect("UTF-8")]);
    git(&clone, &["lfs", "install", "--local"]);
    git(&clone, &["lfs", "pull"]);
    assert!(same(&big, &clone.join("raw/big")));
    assert_eq!(git(&clone, &["status", "--short"]), "");
    world.ok(&["doctor"]);
}

#[test]
fn an_upload_survives_a_killed_hub_and_a_killed_client() {
    let world = World::new("[project]\nname = \"p\"\n");
    let mut hub = world.up();
    write_noise(&world.path("big.bin"), 2, SIZE / 2);
    let mut put = start(&world, &["put", "raw/big", "big.bin"]);
    let mut wanted = 8_000_000;
    for _ in 0..3 {
        world.wait_for("some of it to come", || come(&world) >= wanted);
        wanted = come(&world) + 8_000_000;
        hub.kill();
        hub = world.up();
    }
    world.wait_for("more of it to come", || come(&world) >= wanted);
    put.kill().expect("killed");
    put.wait().expect("gone");
    let before = come(&world);
    assert!(world.content("raw/big").is_none(), "nobody sees it before it is whole");
    hub.kill();
    hub = world.up();
    assert!(come(&world) >= before, "what came is kept");
    world.ok(&["put", "raw/big", "big.bin"]);
    world.ok(&["get", "raw/big", "-o", "back.bin"]);
    assert!(same(&world.path("big.bin"), &world.path("back.bin")));
    assert_eq!(come(&world), 0);
    hub.stop();
    world.git(&["fsck", "--strict"]);
}

#[test]
fn without_a_hub_too_and_from_a_pipe() {
    let world = World::new("[project]\nname = \"p\"\n[store]\nlarge = \"100kB\"\n");
    let big = world.path("big.bin");
    write_noise(&big, 3, 70_000_000);
    let piped = Command::new("sh")
        .args(["-c", "cat big.bin | \"$0\" put raw/big"])
        .arg(env!("CARGO_BIN_EXE_esker"))
        .current_dir(world.dir())
        .status();
    assert!(piped.is_ok_and(|status| status.success()));
    let printed = File::create(world.path("printed.bin")).expect("a file");
    let get = esker().args(["get", "raw/big"]).current_dir(world.dir()).stdout(printed).status();
    assert!(get.is_ok_and(|status| status.success()));
    assert!(same(&big, &world.path("printed.bin")));
    let whole = fs::read(&big).expect("the file");
    for (range, part) in [("100..", &whole[100..]), ("7..69000000", &whole[7..69_000_000])] {
        world.ok(&["get", "raw/big", "--range", range, "-o", "part.bin"]);
        assert!(fs::read(world.path("part.bin")).expect("the file") == part, "{range}");
    }
    world.ok_with(&["put", "raw/middle"], &[b'x'; 100_001]);
    let entry = world.json(&["get", "raw/middle", "--json"]);
    assert!(entry["content_id"].as_str().is_some_and(|id| id.starts_with("sha256:")), "{entry}");
    assert_eq!(world.content("raw/middle").map(|content| content.len()), Some(100_001));
}

#[test]
fn a_damaged_content_is_never_taken_for_good() {
    let world = World::new("[project]\nname = \"p\"\n");
    write_noise(&world.path("big.bin"), 4, 70_000_000);
    world.ok(&["put", "raw/big", "big.bin"]);
    let entry = world.json(&["get", "raw/big", "--json"]);
    let digits = entry["content_id"].as_str().expect("a hash").trim_start_matches("sha256:");
    let file =
        world.store().join("lfs/objects").join(&digits[..2]).join(&digits[2..4]).join(digits);
    let mut bytes = fs::read(&file).expect("the file");
    bytes[60_000_000] ^= 1;
    fs::write(&file, bytes).expect("written");
    world.write("back.bin", "as it was");
    let told = world.fails(1, &["get", "raw/big", "-o", "back.bin"]);
    assert!(told.contains("raw/big is damaged"), "{told}");
    assert_eq!(fs::read(world.path("back.bin")).expect("the file"), b"as it was");
    world.ok(&["put", "raw/big", "big.bin"]);
    world.ok(&["get", "raw/big", "-o", "back.bin"]);
    fs::remove_file(&file).expect("removed");
    let told = String::from_utf8(world.run(&["doctor"]).stdout).expect("UTF-8");
    assert!(told.contains("raw/big") && told.contains("is missing"), "{told}");
    let told = world.fails(1, &["get", "raw/big"]);
    assert!(told.contains("esker put"), "{told}");
    world.ok(&["put", "raw/big", "big.bin"]);
    world.ok(&["get", "raw/big", "-o", "back.bin"]);
    assert!(same(&world.path("big.bin"), &world.path("back.bin")));
}

#[test]
fn a_program_reads_a_large_input() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [stage.count]\ninput = \"raw/big\"\nrun = [\"wc\", \"-c\"]\noutput = \"out/count\"\n\
         [stage.both]\ninput = [\"raw/big\", \"raw/small\"]\nrun = [\"cat\"]\noutput = \"out/both\"\n",
    );
    write_noise(&world.path("big.bin"), 5, 80_000_000);
    let up = world.up();
    world.ok_with(&["put", "raw/small"], b"small\n");
    world.ok(&["put", "raw/big", "big.bin"]);
    world.wait_for_content("out/count", |content| content.trim() == "80000000");
    let problem = world.wait_for_problem("both");
    assert!(problem.to_string().contains("give it this one alone"), "{problem}");
    up.stop();
}

#[test]
fn gc_removes_what_no_version_names() {
    let world = World::new("[project]\nname = \"p\"\n[store]\nlarge = \"1kB\"\n");
    world.ok_with(&["put", "raw/big"], &[b'a'; 2_000]);
    world.ok_with(&["put", "raw/big"], &[b'b'; 2_000]);
    let refused = world.run_with(&["put", "raw/big", "--if-head", "none"], &[b'c'; 2_000]);
    assert!(!refused.status.success());
    let left = world.store().join("lfs/objects/aa/bb");
    fs::create_dir_all(&left).expect("a folder");
    let left = left.join(format!("aabb{}", "0".repeat(60)));
    fs::write(&left, "left by a PUT that was broken off").expect("written");
    let dry = world.json(&["gc", "--grace", "0s", "--json"]);
    assert_eq!((&dry["removed"], &dry["kept"]), (&false.into(), &2.into()), "{dry}");
    let told = String::from_utf8(world.run(&["gc", "--force"]).stderr).expect("UTF-8");
    assert!(told.starts_with("0 of 0 B removed"), "young ones stay: {told}");
    assert!(left.exists());
    let done = world.json(&["gc", "--force", "--grace", "0s", "--json"]);
    assert_eq!(done["unnamed"], dry["unnamed"]);
    assert!(!left.exists());
    assert_eq!(world.content("raw/big@HEAD~1").map(|content| content.len()), Some(2_000));
    world.ok(&["doctor"]);
}
