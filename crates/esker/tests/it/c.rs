//! Programs in C, built with plain `cc` and what pkg-config says, beside real workers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::listed::Listed;
use crate::world::{World, repository};

/// Where the library is that was built with this test.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    test.parent().expect("a folder").to_owned()
}

/// Lays the library, its header and its file for pkg-config where an installation would.
fn install(folder: &Path) {
    let source = repository().join("crates/libesker");
    for name in ["lib/pkgconfig", "include"] {
        fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    fs::copy(built().join("libesker.so"), folder.join("lib/libesker.so")).expect("the library");
    fs::copy(source.join("include/esker.h"), folder.join("include/esker.h")).expect("the header");
    let template = fs::read_to_string(source.join("esker.pc.in")).expect("the template");
    let prefix = folder.to_str().expect("UTF-8");
    let file = template.replace("@PREFIX@", prefix).replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    fs::write(folder.join("lib/pkgconfig/esker.pc"), file).expect("written");
}

fn text(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{}\n{}", output.status, texts.join("\n"));
    texts[0].clone().into_owned()
}

/// Builds a program; `more` is what `cc` is told besides.
fn build(folder: &Path, source: &Path, more: &[&str]) -> PathBuf {
    install(folder);
    let mut flags = Command::new("pkg-config");
    flags.args(["--cflags", "--libs", "esker"]);
    let flags = flags.env("PKG_CONFIG_PATH", folder.join("lib/pkgconfig")).output();
    let flags = text(&flags.expect("pkg-config"));
    let program = folder.join("program");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g"]);
    cc.args(more).arg(source).args(flags.split_whitespace());
    text(&cc.args(["-lpthread", "-o"]).arg(&program).output().expect("cc"));
    program
}

fn run(world: &World, program: &Path, join: &str) -> String {
    let library = program.parent().expect("a folder").join("lib");
    let mut program = Command::new(program);
    program.arg(join).current_dir(world.dir()).env("LD_LIBRARY_PATH", library);
    let output = program.output().expect("the program starts");
    assert!(output.status.success(), "{output:?}\n{}", world.logs());
    text(&output)
}

fn beside_a_worker(source: &str, more: &[&str]) -> String {
    let listed = Listed::start();
    let folder = tempfile::tempdir().expect("a folder");
    let program = build(folder.path(), &repository().join(source), more);
    run(&listed.world, &program, Listed::JOIN)
}

const EXAMPLE: &str = "examples/c/cache.c";
const MISTAKES: &str = "crates/libesker/tests/c/mistakes.c";

#[test]
fn the_example_in_c_does_what_it_says() {
    let said = beside_a_worker(EXAMPLE, &["-fsanitize=address"]);
    for line in ["hello, world", "d: 0 bytes, absent", "3 removed", "the log has 80 bytes"] {
        assert!(said.lines().any(|it| it == line), "{line}: {said}");
    }
}

#[test]
fn mistakes_in_c_are_errors_and_no_crashes() {
    beside_a_worker(MISTAKES, &[]);
}

#[test]
fn nothing_is_used_after_it_is_freed_when_c_makes_mistakes() {
    beside_a_worker(MISTAKES, &["-fsanitize=address"]);
}

/// A C++ compiler takes the header, too.
#[test]
fn the_header_is_one_for_cpp() {
    let mut cpp = Command::new("c++");
    cpp.args(["-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-x"]);
    let header = repository().join("crates/libesker/include/esker.h");
    text(&cpp.arg("c++").arg(header).output().expect("c++"));
}

#[test]
fn a_space_begins_and_ends_from_c_where_there_is_consul() {
    let consul = std::env::var_os("ESKER_CONSUL").map_or_else(|| "consul".into(), PathBuf::from);
    let place = consul.parent().map(Path::to_owned).unwrap_or_default();
    let path = format!("{}:{}", place.display(), std::env::var("PATH").expect("a PATH"));
    let world = World::new("");
    let cluster = ["cluster", "dev", "--nodes", "2", "--memory", "64MiB"];
    let running = world.start_with(&cluster, &[("PATH", &path)]);
    let join = || {
        let log = fs::read_to_string(world.path("cluster.log")).unwrap_or_default();
        let line = log.lines().find_map(|line| line.trim().strip_prefix("join:"));
        line.map(|line| line.trim().to_owned())
    };
    world.wait_for("the cluster", || join().is_some());
    let folder = tempfile::tempdir().expect("a folder");
    let program = build(folder.path(), &repository().join(EXAMPLE), &[]);
    let said = run(&world, &program, &join().expect("just seen"));
    assert!(said.contains("part 999 is there, with 0 bytes"), "{said}");
    assert!(said.contains("\nsealed: "), "{said}");
    running.stop();
}
