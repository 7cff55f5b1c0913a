//! What stentor carries on this machine, measured from outside, beside what the machine itself can do.
//!
//! ```text
//! cargo build --release --bins --example load
//! target/release/examples/load [PART...] [--alertmanager PROGRAM] [--bins DIR] [--dir DIR] ...
//! ```
//!
//! It starts `stentord` (from DIR, else from where it lies itself) in a temporary directory under `--dir`, with one
//! webhook channel that leads to a sink of its own, and drives it through its socket and through
//! `stentorctl`. The limits of the disk and of HTTP are measured in the same run, so that ratios mean something
//! also on a machine that is busy. Nothing leaves loopback; it ends by itself, within a few minutes.
//!
//! Load, sink and daemon share the cores. One user may have 64 connections, so more callers than that are
//! several users, and that takes root.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]

mod accepting;
mod alerts;
mod callers;
mod comparing;
mod crowd;
mod daemon;
mod instructions;
mod limits;
mod mail;
mod outage;
mod proc;
mod rival;
mod sending;
mod sink;
mod starting;
mod table;
mod users;
mod wire;

use clap::{Parser, ValueEnum};
use daemon::{Daemon, Place};
use limits::Limits;
use rival::Alertmanager;
use sink::Sink;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use table::Table;

/// Whatever went wrong, for whoever runs this.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Start,
    Idle,
    Send,
    Accept,
    Alerts,
    Mail,
    Outage,
    Crowd,
    /// Under valgrind, and only when it is named
    Instructions,
}

/// Measures stentor on this machine.
#[derive(Parser)]
pub struct Args {
    /// Only these parts
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Where stentord and stentorctl are [default: beside this program, or one directory up]
    #[arg(long, value_name = "DIR")]
    bins: Option<PathBuf>,
    /// The disk to measure on: temporary files go here
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Alerts in a burst
    #[arg(long, default_value_t = 20_000)]
    count: u64,
    /// Attempts at once on the channel [default: the daemon's own]
    #[arg(long)]
    slots: Option<usize>,
    /// Alerts in a burst over POST /api/v2/alerts
    #[arg(long, default_value_t = 10_000)]
    burst: u64,
    /// Incidents that are open at once
    #[arg(long, default_value_t = 100_000)]
    crowd: u64,
    /// How long the receiver is down
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    outage: u64,
    /// Debian's prometheus-alertmanager, to compare with (benches/alertmanager.sh fetches it)
    #[arg(long, value_name = "PROGRAM")]
    alertmanager: Option<PathBuf>,
    /// How long to look at the idle daemon
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    idle: u64,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        self.parts.contains(&part) || self.parts.is_empty() && part != Part::Instructions
    }
}

// One thread for callers and sink: the cores are the daemon's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args).await {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<Table, Failed> {
    let place = Place::find(args.bins.clone(), &args.dir)?;
    let sink = Sink::start().await?;
    let mut table = Table::default();
    if args.wants(Part::Instructions) {
        step("instructions");
        instructions::measure(&place, &sink, args, &mut table).await?;
        if args.parts.len() == 1 {
            return Ok(table);
        }
    }
    step("the machine");
    let limits = limits::measure(&place, &sink, args, &mut table).await?;
    if args.wants(Part::Start) {
        step("starting");
        starting::measure(&place, &sink, args, &mut table).await?;
    }
    let daemon = Daemon::start(&place, &sink, args.slots).await?;
    if args.wants(Part::Idle) {
        step("idle");
        idle(&daemon, Duration::from_secs(args.idle), &mut table).await?;
    }
    if args.wants(Part::Send) {
        step("sending");
        sending::measure(&place, &daemon, &sink, &mut table).await?;
    }
    if args.wants(Part::Accept) {
        step("accepting and delivering");
        accepting::measure(&daemon, &sink, args.count, &limits, &mut table).await?;
    }
    daemon.stop().await?;
    if args.wants(Part::Alerts) {
        step("alerts, beside Alertmanager where it is there");
        compare(&place, &sink, args, &limits, &mut table).await?;
    }
    if args.wants(Part::Mail) {
        step("mail");
        mail::measure(&place, args, &mut table).await?;
    }
    if args.wants(Part::Outage) {
        step("a receiver that is down");
        outage::measure(&place, &sink, args, &mut table).await?;
    }
    if args.wants(Part::Crowd) {
        step("many open incidents");
        crowd::measure(&place, &sink, args, &mut table).await?;
    }
    Ok(table)
}

async fn compare(place: &Place, sink: &Sink, args: &Args, limits: &Limits, table: &mut Table) -> Result<(), Failed> {
    let theirs = match &args.alertmanager {
        None => None,
        Some(program) => {
            let it = Alertmanager::start(program, place, sink).await?;
            let theirs = comparing::measure(it.taker(), sink, args).await?;
            it.stop().await?;
            Some(theirs)
        }
    };
    let daemon = Daemon::start(place, sink, args.slots).await?;
    let ours = comparing::measure(daemon.taker(), sink, args).await?;
    daemon.stop().await?;
    comparing::print(&ours, theirs.as_ref(), limits, table);
    Ok(())
}

/// Says how far it is, for whoever waits.
fn step(what: &str) {
    eprintln!("... {what}");
}

async fn idle(daemon: &Daemon, span: Duration, table: &mut Table) -> Result<(), Failed> {
    tokio::time::sleep(Duration::from_secs(3)).await;
    table.row("resident memory, idle", format!("{:.1} MiB", daemon.memory_kib()? as f64 / 1024.0));
    let (cpu, wakes) = (daemon.cpu()?, daemon.wakes()?);
    tokio::time::sleep(span).await;
    let cpu = (daemon.cpu()? - cpu).as_secs_f64() / span.as_secs_f64();
    let wakes = daemon.wakes()?.saturating_sub(wakes) as f64 / span.as_secs_f64();
    table.row("CPU, idle", format!("{:.2} % of a core", 100.0 * cpu));
    table.row("wake-ups, idle", format!("{wakes:.1} /s"));
    Ok(())
}
