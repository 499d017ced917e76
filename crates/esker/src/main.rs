//! The program: reads the command line, finds the project, starts planes or asks a hub. Everything it does is
//! done by the crates below it; this one only decides which, and says how it went.

mod bench;
mod cli;
mod commands;
mod endpoints;
mod joined;
mod logging;
mod planes;
mod project;
mod reach;
mod reload;
mod replication;
mod say;
mod status;
mod stop;
mod working;
mod write;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use mimalloc::MiMalloc;

/// What is allocated in one thread is freed in another, much at a time: libc's gives the memory back each time, and is given it anew.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // Not a command for people: how the runner runs programs, so that nothing of them survives it.
    if arguments.next().is_some_and(|first| first == "supervise") {
        return esker_pipeline::supervise::supervise(arguments);
    }
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => say::error(&error),
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let (hub, named) = reach::said(&cli.hub, matches!(cli.command, Command::Web(_)))?;
    let place = project::Place { dir: cli.dir, hub };
    match cli.command {
        Command::Up(up) => planes::up(&place, &up)?,
        Command::Hub(hub) => planes::hub(&place, &hub)?,
        Command::Runner(log) => planes::runner(&place, &log)?,
        Command::Web(web) => match web.what {
            Some(cli::WebCommand::Password) => commands::password::password()?,
            None => planes::web(&place, &web, named)?,
        },
        Command::Worker(worker) => commands::worker::worker(&worker)?,
        Command::Run(run) => return commands::run::run(&place, &run),
        Command::Put(put) => commands::put::put(&place, &put)?,
        Command::Mv(mv) => commands::mv::mv(&place, &mv)?,
        Command::Get(get) => commands::get::get(&place, &get)?,
        Command::Log(history) => commands::log::log(&place, &history)?,
        Command::Ls(list) => commands::log::ls(&place, &list)?,
        Command::Diff(diff) => commands::diff::diff(&place, &diff)?,
        Command::Bisect(bisect) => commands::bisect::bisect(&place, &bisect)?,
        Command::Export(export) => commands::export::export(&place, &export)?,
        Command::Why(why) => commands::why::why(&place, &why)?,
        Command::Uses(uses) => commands::uses::uses(&place, &uses)?,
        Command::Tag(tag) => commands::tag::tag(&place, &tag)?,
        Command::Watch(watch) => commands::watch::watch(&place, &watch)?,
        Command::Model(model) => commands::model::model(&place, &model)?,
        Command::Cache(cache) => commands::cache::cache(&place, &cache)?,
        Command::Cluster(cluster) => commands::cluster::cluster(&place, &cluster)?,
        Command::Sort(sort) => return commands::sort::sort(&sort),
        Command::Check(check) => return commands::check::check(&place, &check),
        Command::Schema => commands::schema::print()?,
        Command::Init(init) => commands::init::init(&place, &init)?,
        Command::Restore(restore) => commands::restore::restore(&place, &restore)?,
        Command::Repair(repair) => return commands::repair::repair(&place, &repair),
        Command::Doctor(doctor) => return commands::doctor::doctor(&place, &doctor),
        Command::Problems(problems) => return commands::problems::problems(&place, &problems),
        Command::Replay(replay) => return commands::replay::replay(&place, &replay),
        Command::Excavate(asked) => return commands::excavate::excavate(&place, &asked),
        Command::Backfill(backfill) => return commands::backfill::backfill(&place, &backfill),
        Command::WhatIf(what_if) => return commands::whatif::what_if(&place, &what_if),
        Command::Override(asked) => commands::overrides::overrides(&place, &asked)?,
        Command::Lineage(lineage) => commands::lineage::lineage(&place, &lineage)?,
        Command::Webhooks(webhooks) => return commands::webhooks::webhooks(&place, &webhooks),
        Command::Gc(gc) => commands::gc::gc(&place, &gc)?,
        Command::Bench(bench) => return bench::run(&place, &bench),
        Command::Prune(prune) => commands::prune::prune(&place, &prune)?,
        Command::Qplan(qplan) => return commands::qplan::run(&qplan),
    }
    Ok(ExitCode::SUCCESS)
}
