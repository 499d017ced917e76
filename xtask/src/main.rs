//! The project's own commands. `cargo xtask test` is everything a change must pass; `ci` is the same in a
//! machine's hands; `tidy` holds the rooms and the limits; `screenshot` renews the README's picture.

mod steps;
mod tidy;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask <command>

  test         install what is missing, then format, tidy, lints, tests (Rust, browser), docs, deny
  ci           the same
  tidy         only the rooms and limits of ARCHITECTURE.md and STYLE.md
  screenshot   run the browser test and keep its pictures in docs/images";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let root = root()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test" | "ci"] => steps::test(&root),
        ["tidy"] => tidy::check(&root),
        ["screenshot"] => steps::screenshot(&root),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("{USAGE}"),
    }
}

fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().context("xtask lies in the workspace")?;
    Ok(root.to_path_buf())
}
