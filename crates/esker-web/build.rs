//! Builds the page into `OUT_DIR/dist`, each file also as `.gz`, to be embedded.
//!
//! In this order: a ready build named by `ESKER_WEB_DIST`; a shipped `web-dist/` beside this file; a page of one
//! line if `ESKER_WEB=stub`; else `npm run build` in the repository's `web/`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

const STUB: &str =
    "<!doctype html><title>esker</title><p>built with ESKER_WEB=stub, without the page</p>\n";

fn main() {
    let here = PathBuf::from(env("CARGO_MANIFEST_DIR"));
    let dist = PathBuf::from(env("OUT_DIR")).join("dist");
    println!("cargo::rerun-if-env-changed=ESKER_WEB_DIST");
    println!("cargo::rerun-if-env-changed=ESKER_WEB");
    fs::remove_dir_all(&dist).ok();
    fs::create_dir_all(&dist).expect("OUT_DIR can be written");
    let shipped = here.join("web-dist");
    if let Ok(ready) = std::env::var("ESKER_WEB_DIST") {
        println!("cargo::rerun-if-changed={ready}");
        copy(Path::new(&ready), &dist);
    } else if shipped.is_dir() {
        println!("cargo::rerun-if-changed=web-dist");
        copy(&shipped, &dist);
    } else if std::env::var("ESKER_WEB").is_ok_and(|kind| kind == "stub") {
        fs::write(dist.join("index.html"), STUB).expect("OUT_DIR can be written");
    } else {
        npm(&here.join("../../web"), &dist);
    }
    compress(&dist);
}

fn env(name: &str) -> String {
    std::env::var(name).expect("cargo sets it")
}

/// Builds the page with npm, installing its packages first if the lock file asks for others.
fn npm(web: &Path, dist: &Path) {
    for input in
        ["src", "public", "index.html", "package.json", "package-lock.json", "vite.config.ts"]
    {
        println!("cargo::rerun-if-changed={}", web.join(input).display());
    }
    let installed = web.join("node_modules/.package-lock.json");
    let newer = |a: &Path, b: &Path| Some(modified(a)? > modified(b)?);
    if newer(&web.join("package-lock.json"), &installed).unwrap_or(true) {
        run(web, &["ci", "--no-audit", "--no-fund"]);
    }
    let out = dist.to_str().expect("OUT_DIR is UTF-8");
    run(web, &["run", "build", "--", "--outDir", out, "--emptyOutDir"]);
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn run(web: &Path, arguments: &[&str]) {
    let output = Command::new("npm").args(arguments).current_dir(web).output();
    let why = match output {
        Ok(output) if output.status.success() => return,
        Ok(output) => format!(
            "it ended with {}:\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => error.to_string(),
    };
    panic!(
        "cannot build the page: `npm {}` in {}: {why}\n\
         esker's page is built with Node 20.19 or newer and npm. Either\n\
         - install them (https://nodejs.org, or `apt-get install nodejs npm`), or\n\
         - point ESKER_WEB_DIST to a ready build of web/, or\n\
         - set ESKER_WEB=stub to build without the page.",
        arguments.join(" "),
        web.display()
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("OUT_DIR can be written");
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let entry = entry.expect("the folder can be read");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the page can be copied");
        }
    }
}

fn compress(folder: &Path) {
    for entry in fs::read_dir(folder).expect("just written") {
        let path = entry.expect("just written").path();
        if path.is_dir() {
            compress(&path);
            continue;
        }
        let bytes = fs::read(&path).expect("just written");
        let mut name = path.into_os_string();
        name.push(".gz");
        let file = fs::File::create(name).expect("OUT_DIR can be written");
        let mut encoder = GzEncoder::new(file, Compression::best());
        encoder.write_all(&bytes).expect("OUT_DIR can be written");
        encoder.finish().expect("OUT_DIR can be written");
    }
}
