//! `cargo xtask bench`: the promises, measured, each beside what the machine
//! itself can do in the same run. Judges nothing.
//!
//! The host, the receiver and the relay are processes of their own, as they are
//! in life, and share this machine's cores with the load.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line for developers: its output is its purpose"
)]

mod accept;
mod adapter;
mod backtest;
mod conditions;
mod deliver;
mod holes;
mod languages;
mod latency;
mod names;
mod outage;
mod postgres;
mod report;
mod rows;

use std::process::ExitCode;

use alerts_outside::{Outcome, client, events, host, load, peer, unless_interrupted};
use clap::{Parser, Subcommand};
use report::Report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure the promises beside this machine's own limits.
///
/// Writes a Markdown table to the terminal and to target/bench.md. Takes about
/// six minutes; keep the machine quiet meanwhile.
#[derive(Parser)]
#[command(name = "cargo xtask bench --", bin_name = "cargo xtask bench --")]
struct Cli {
    /// Measure only these: accept, deliver, latency, holes, names, postgres, outage,
    /// backtest, conditions, adapter, languages.
    only: Vec<String>,
    /// Events in each measurement with load.
    #[arg(long, default_value_t = 30_000)]
    events: usize,
    /// Where the table goes.
    #[arg(long, default_value = "target/bench.md")]
    out: std::path::PathBuf,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program is when it is somebody's peer.
#[derive(Subcommand)]
enum Role {
    /// Answers 200 to everything and keeps count.
    #[command(hide = true)]
    Receiver,
    /// Passes every request on and stores nothing.
    #[command(hide = true)]
    Relay {
        /// Where to.
        target: String,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    alerts_outside::prepare();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(unless_interrupted(async {
            match &cli.role {
                Some(Role::Receiver) => peer::receiver().await,
                Some(Role::Relay { target }) => peer::relay(target).await,
                None => measure(&cli).await,
            }
        }))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(cli: &Cli) -> Outcome {
    let wanted = |name: &str| cli.only.is_empty() || cli.only.iter().any(|only| only == name);
    let mut report = Report::new();
    if wanted("accept") {
        accept::measure(cli.events, &mut report).await?;
    }
    let mut peak = None;
    if ["deliver", "latency", "holes", "names", "postgres"].iter().any(|name| wanted(name)) {
        peak = Some(deliver::measure(cli.events, &mut report).await?);
    }
    if let Some(peak) = peak.filter(|_| wanted("latency")) {
        latency::measure(peak / 2.0, &mut report).await?;
    }
    if let Some(peak) = peak.filter(|_| wanted("holes")) {
        // Twice this rate comes in: a third of the peak in all.
        holes::measure(peak / 6.0, &mut report).await?;
    }
    if let Some(peak) = peak.filter(|_| wanted("names")) {
        names::measure(peak / 6.0, &mut report).await?;
    }
    if let Some(peak) = peak.filter(|_| wanted("postgres")) {
        postgres::measure(cli.events, peak, &mut report).await?;
    }
    if wanted("outage") {
        outage::measure(&mut report).await?;
    }
    if wanted("backtest") {
        backtest::measure(&mut report).await?;
    }
    if wanted("conditions") {
        conditions::measure(&mut report).await?;
    }
    if wanted("adapter") {
        adapter::measure(&mut report).await?;
    }
    if wanted("languages") {
        languages::measure(&mut report).await?;
    }
    let table = report.to_markdown();
    println!("\n{table}");
    std::fs::write(&cli.out, &table)?;
    println!("written to {}", cli.out.display());
    Ok(())
}
