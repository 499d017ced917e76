//! The steps of `cargo xtask test`, in the order that finds the cheapest fault first, and their sum.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::tidy;
use crate::tools::{self, Tools};

/// How many tests passed and were ignored so far, as the runners say.
#[derive(Default)]
struct Tally {
    passed: u64,
    ignored: u64,
}

/// One command with what it is for.
struct Step<'a> {
    name: &'a str,
    folder: &'a str,
    command: &'a str,
}

const WEB_INSTALL: Step<'static> =
    Step { name: "npm packages", folder: "web", command: "npm ci --no-audit --no-fund" };

const BEFORE: [Step<'static>; 9] = [
    Step { name: "format", folder: ".", command: "cargo fmt --all --check" },
    WEB_INSTALL,
    Step { name: "page: types", folder: "web", command: "npm run check" },
    Step { name: "page: unit tests", folder: "web", command: "npm test" },
    Step {
        name: "lints",
        folder: ".",
        command: "cargo clippy --workspace --features esker/s3,esker/graphql --all-targets --locked -- -D warnings",
    },
    // Only these crates' code is another one without S3 and GraphQL.
    Step {
        name: "lints without features",
        folder: ".",
        command: "cargo clippy -p esker-store -p esker-web -p esker --locked -- -D warnings",
    },
    // With S3 and GraphQL too, so that everything is built once.
    Step {
        name: "tests",
        folder: ".",
        command: "cargo test --workspace --features esker/s3,esker/graphql --locked --no-fail-fast",
    },
    // With both again, so that what the lints have checked need not be once more.
    Step {
        name: "docs",
        folder: ".",
        command: "cargo doc --workspace --features esker/s3,esker/graphql --no-deps --locked --document-private-items",
    },
    // The advisory database lives on GitHub, which a build machine may not reach; it is checked where it can be.
    Step { name: "dependencies", folder: ".", command: "cargo deny check bans licenses sources" },
];

/// Drives the program that the tests above have built.
const BROWSER: Step<'static> =
    Step { name: "browser tests", folder: "web", command: "npm run e2e" };

/// The browser test's pictures that the documentation shows.
const PICTURES: [&str; 7] = [
    "plan.png",
    "problem.png",
    "chart.png",
    "overview.png",
    "pipeline-problem.png",
    "whatif-plan.png",
    "planning.png",
];

/// Everything a change must pass.
pub(crate) fn test(root: &Path) -> Result<()> {
    let start = Instant::now();
    let tools = tools::ensure(root)?;
    let mut tally = Tally::default();
    let mut times = Vec::new();
    announce("tidy");
    tidy::check(root)?;
    for step in BEFORE.iter().chain([&BROWSER]) {
        let begun = Instant::now();
        run(root, &tools, step, &mut tally)?;
        times.push((step.name, begun.elapsed()));
    }
    println!();
    for (name, time) in times {
        println!("{:>8.1} s  {name}", time.as_secs_f64());
    }
    match tools.installed.as_slice() {
        [] => println!("installed: nothing, all was there"),
        names => println!("installed: {}", names.join(", ")),
    }
    println!(
        "\ntest result: ok. {} passed; 0 failed; {} ignored; finished in {:.1}s",
        tally.passed,
        tally.ignored,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Runs the browser test and keeps its picture for the README.
pub(crate) fn screenshot(root: &Path) -> Result<()> {
    let tools = tools::ensure(root)?;
    let build = Step { name: "program", folder: ".", command: "cargo build --bin esker" };
    let mut tally = Tally::default();
    for step in [&WEB_INSTALL, &build, &BROWSER] {
        run(root, &tools, step, &mut tally)?;
    }
    let images = root.join("docs/images");
    std::fs::create_dir_all(&images)?;
    let pictures = target(root).join("screenshots");
    for picture in PICTURES {
        let from = pictures.join(picture);
        std::fs::copy(&from, images.join(picture))
            .with_context(|| format!("the browser test left no {}", from.display()))?;
    }
    println!("the pictures are in {}", images.display());
    Ok(())
}

fn announce(name: &str) {
    println!("\n── {name}");
}

/// Where cargo builds to.
fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Runs one step, showing its output as it comes and counting its tests.
fn run(root: &Path, tools: &Tools, step: &Step<'_>, tally: &mut Tally) -> Result<()> {
    announce(&format!("{}: {}", step.name, step.command));
    let mut words = step.command.split(' ');
    let program = words.next().context("a step has a command")?;
    let mut command = Command::new(program);
    command
        .args(words)
        .current_dir(root.join(step.folder))
        .env("RUSTDOCFLAGS", "-D warnings")
        .env("PYTHONPATH", &tools.python_path)
        .env("ESKER_TAPS", &tools.taps)
        .env("ESKER_CONSUL", &tools.consul)
        .env("ESKER_BROWSER", &tools.browser)
        .env("ESKER_BIN", target(root).join("debug/esker"))
        .env("ESKER_SCREENSHOTS", target(root).join("screenshots"))
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .env("NO_COLOR", "1")
        .env_remove("FORCE_COLOR")
        .stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run {program}"))?;
    let output = child.stdout.take().context("the output is piped")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        writeln!(std::io::stdout(), "{line}")?;
        count(&line, tally);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} failed: `{}` in {} ended with {status}", step.name, step.command, step.folder);
    }
    Ok(())
}

/// Reads the summary lines of cargo test, vitest (`Tests  12 passed`) and Playwright (`  3 passed`).
fn count(line: &str, tally: &mut Tally) {
    let line = line.trim();
    let runner = ["test result: ok. ", "Tests "].iter().find_map(|p| line.strip_prefix(p));
    let playwright = line.contains(" passed (").then_some(line);
    let Some(text) = runner.or(playwright) else {
        return;
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    for pair in words.windows(2) {
        let number = pair[0].parse().unwrap_or(0);
        match pair[1].trim_end_matches(';') {
            "passed" => tally.passed += number,
            "ignored" => tally.ignored += number,
            _ => {}
        }
    }
}
