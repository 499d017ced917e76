//! `esker bench`: every case is measured, nothing is left behind, and what is missing is said.

use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::world::esker;

/// A folder on a disk: the system's temporary folder may be in memory, where nothing can be checked.
fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// Measures just enough of a plane, in a folder, with what is found in `path`.
fn bench(what: &str, folder: &TempDir, path: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = esker();
    command.args(["bench", what, "--smoke"]).args(arguments).current_dir(folder.path());
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command.output().expect("esker ends")
}

/// What is told of the cases of a plane, as JSON.
fn measured(what: &str, folder: &TempDir) -> Value {
    let output = bench(what, folder, None, &["--json"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// One of the cases told.
fn case<'a>(told: &'a Value, key: &str) -> &'a Value {
    let cases = told["cases"].as_array().expect("cases");
    let found = cases.iter().find(|case| case["key"] == key);
    found.unwrap_or_else(|| panic!("{key} is missing in {told}"))
}

fn nothing_is_left(folder: &TempDir) {
    let left = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 0, "nothing is left behind");
}

#[test]
fn every_case_of_the_store_is_measured() {
    let folder = folder();
    let told = measured("store", &folder);
    let cases = told["cases"].as_array().expect("cases");
    for case in cases {
        assert_ne!(case["verdict"], "not run", "{case}");
        assert!(case["ours"]["median"].is_number(), "{case}");
    }
    let has = |key: &str| cases.iter().any(|case| case["key"] == key);
    let bound = [
        "put-many",
        "put-one",
        "get-many",
        "get-old",
        "log-one",
        "put-old",
        "size-old",
        "kill-lost",
        "kill-fsck",
        "start-old",
        "idle-old",
    ];
    for key in bound {
        assert!(has(key), "{key} is missing in {told}");
    }
    let verdict = |key: &str| {
        cases.iter().find(|case| case["key"] == key).expect("a case")["verdict"].clone()
    };
    assert_eq!((verdict("kill-lost"), verdict("kill-fsck")), ("aim".into(), "aim".into()));
    assert!(told["machine"]["cores"].as_u64() > Some(0), "{told}");
    for peer in ["esker", "git", "python", "pyzmq"] {
        assert!(told["versions"][peer].is_string(), "{peer}: {told}");
    }
    nothing_is_left(&folder);
}

#[test]
fn a_case_without_its_peer_is_missed() {
    let folder = folder();
    let output = bench("store", &folder, Some(""), &["--check"]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{stdout}\n{stderr}");
    let not_run: Vec<&str> = stdout.lines().filter(|line| line.ends_with("not run")).collect();
    assert_eq!(not_run.len(), 4, "{stdout}");
    for key in ["put-many", "get-old", "log-one", "kill-fsck"] {
        assert!(stderr.contains(key), "{key}: {stderr}");
    }
    assert!(stdout.contains("no git: install it"), "{stdout}");
}

#[test]
fn every_case_of_the_pipeline_is_measured() {
    let folder = folder();
    let told = measured("pipeline", &folder);
    let cases = told["cases"].as_array().expect("cases");
    let case = |key: &str| case(&told, key);
    // DVC may not be here; it is said, then, and the rest is measured.
    for case in cases.iter().filter(|case| !case["key"].as_str().expect("a key").ends_with("-dvc"))
    {
        assert!(case["ours"]["median"].is_number(), "{case}");
    }
    for key in [
        "result-added",
        "look",
        "look-wide",
        "burst-runs",
        "burst-memory",
        "wide-start",
        "whatif-many",
        "whatif-main",
    ] {
        assert!(case(key)["must"].is_number(), "{key}: {}", case(key));
    }
    for key in ["whatif-known", "whatif-large"] {
        assert!(case(key)["ratio"].as_f64() > Some(0.0), "{key}: {}", case(key));
    }
    for key in ["crash-lost", "crash-doubled", "crash-orphans", "crash-heads", "crash-fsck"] {
        assert_eq!(case(key)["verdict"], "aim", "{}", case(key));
    }
    nothing_is_left(&folder);
}

#[test]
fn a_pipeline_without_its_peers_is_missed() {
    // The two programs of the pipeline itself are needed.
    let folder = folder();
    let programs = folder.path().join("programs");
    std::fs::create_dir(&programs).expect("a folder");
    for program in ["sort", "awk", "cat", "cp", "wc", "sh", "sleep"] {
        let path = std::env::var("PATH").expect("PATH");
        let found =
            std::env::split_paths(&path).map(|dir| dir.join(program)).find(|at| at.exists());
        std::os::unix::fs::symlink(found.expect(program), programs.join(program)).expect("a link");
    }
    let output = bench("pipeline", &folder, programs.to_str(), &["--check"]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{stdout}\n{stderr}");
    for key in
        ["result-make", "result-dvc", "nothing-make", "nothing-dvc", "whatif-dvc", "crash-fsck"]
    {
        assert!(stderr.contains(key), "{key}: {stderr}");
    }
    assert!(stdout.contains("no dvc: --install"), "{stdout}");
}

#[test]
fn every_case_of_bulk_data_is_measured() {
    let folder = folder();
    let told = measured("bulk", &folder);
    let cases = told["cases"].as_array().expect("cases");
    // A server may not be here; it is said, then, and the rest is measured.
    let is_there = |server: &str| told["versions"][server].is_string();
    let here: Vec<&Value> = cases.iter().filter(|case| case["verdict"] != "not run").collect();
    for case in &here {
        assert!(case["ours"]["median"].is_number(), "{case}");
    }
    let peers = ["redis-server", "memcached", "consul", "sort", "duckdb", "polars"];
    if peers.into_iter().all(is_there) {
        assert_eq!(here.len(), cases.len(), "{told}");
    }
    for key in [
        "bulk-get-one-redis",
        "bulk-get-1m-many-memcached",
        "bulk-begin-list",
        "bulk-sort-duckdb",
        "bulk-sort-workers",
    ] {
        assert!(case(&told, key)["verdict"].is_string(), "{key}");
    }
    assert!(case(&told, "bulk-set-1m-tcp")["ratio"].as_f64() > Some(0.0), "{told}");
    assert_eq!(case(&told, "bulk-ledger")["verdict"], "aim", "{told}");
    assert!(case(&told, "bulk-sort-skewed")["ratio"].as_f64() > Some(0.0), "{told}");
    if is_there("consul") {
        for key in ["bulk-ledger-kept", "bulk-begin-writes"] {
            assert_eq!(case(&told, key)["verdict"], "aim", "{}", case(&told, key));
        }
    }
    nothing_is_left(&folder);
}

#[test]
fn every_case_of_the_model_is_measured() {
    let folder = folder();
    let told = measured("model", &folder);
    let cases = told["cases"].as_array().expect("cases");
    let case = |key: &str| case(&told, key);
    // NATS may not be here; it is said, then, and the rest is measured.
    let nats = told["versions"]["nats-server"].is_string();
    for case in cases {
        let is_of_it = case["key"].as_str().expect("a key").ends_with("-nats");
        assert!(case["ours"]["median"].is_number() || (is_of_it && !nats), "{case}");
    }
    let bound = [
        "model-rate-125",
        "model-rate-125-digests",
        "model-rate-512",
        "model-rate-512-digests",
        "model-join-512",
        "model-join-512-echo",
        "model-verify-512",
        "model-diff",
        "model-repair",
        "model-restart",
        "model-storm",
        "model-crowd",
    ];
    for key in bound {
        assert!(case(key)["must"].is_number(), "{key}: {}", case(key));
    }
    for key in ["model-rate-512", "model-rate-512-raw", "model-storm-sockets", "model-crowd-heard"]
    {
        assert!(case(key)["ratio"].as_f64() > Some(0.0), "{key}: {}", case(key));
    }
    for key in ["model-join-512-seen", "model-join-729-changing"] {
        assert_eq!(case(key)["verdict"], "recorded", "{key}: {}", case(key));
    }
    for key in ["model-rate-512-nats", "model-join-125-nats"] {
        assert_eq!(case(key)["ratio"].is_number(), nats, "{key}: {}", case(key));
        assert_eq!(case(key)["reason"].is_string(), !nats, "{key}: {}", case(key));
    }
    assert_eq!(case("model-restart")["verdict"], "aim", "{}", case("model-restart"));
    assert_eq!(case("model-verify-512")["verdict"], "aim", "{}", case("model-verify-512"));
    nothing_is_left(&folder);
}

#[test]
fn a_model_without_its_peers_is_missed() {
    let folder = folder();
    let output = bench("model", &folder, Some(""), &["--check"]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{stdout}\n{stderr}");
    for key in ["model-rate-125", "model-join-512", "model-verify-512"] {
        assert!(stderr.contains(key), "{key}: {stderr}");
    }
    assert!(stdout.contains("no python3 with pyzmq: --install"), "{stdout}");
}

#[test]
fn every_case_of_the_page_is_measured() {
    let folder = folder();
    let told = measured("page", &folder);
    for case in told["cases"].as_array().expect("cases") {
        assert!(case["ours"]["median"].is_number(), "{case}");
    }
    for key in ["page-crowd-rate", "page-crowd-put", "page-crowd-hub", "page-crowd-heard"] {
        assert!(case(&told, key)["must"].is_number(), "{key}: {}", case(&told, key));
    }
    for key in ["page-crowd-lost", "page-stuck-left", "page-stuck-lost"] {
        assert_eq!(case(&told, key)["verdict"], "aim", "{}", case(&told, key));
    }
    nothing_is_left(&folder);
}
