//! `cargo xtask soak`: one steady tenant among hostile ones, for an hour. The host's
//! memory must stay flat, and the steady tenant notice nothing.
//!
//! The host, the steady tenant's receiver and all hostile tenants together are
//! processes of their own. Everything is on the loopback interface.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line for developers: its output is its purpose"
)]

mod hostile;
mod steady;
mod verdict;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use alerts_outside::host::{self, Host, free_address};
use alerts_outside::peer::{self, Peer};
use alerts_outside::{Outcome, prepare, unless_interrupted};
use clap::{Parser, Subcommand};
use hostile::Attackers;
use steady::Steady;
use verdict::{Delays, Window};

/// Run a host among hostile tenants, and judge what it costs a steady one.
///
/// The first tenth of the time is quiet: what is measured then is what the rest is
/// held against. Prints a line a minute, and a verdict; the summary goes to
/// target/soak.md.
#[derive(Parser)]
#[command(name = "cargo xtask soak --", bin_name = "cargo xtask soak --")]
struct Cli {
    /// How long it takes, from 3 minutes on.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(3..=24 * 60))]
    minutes: u64,
    /// Where the summary goes.
    #[arg(long, default_value = "target/soak.md")]
    out: std::path::PathBuf,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program is when it is not the one that judges.
#[derive(Subcommand)]
enum Role {
    /// Answers 200 to everything and keeps count.
    #[command(hide = true)]
    Receiver,
    /// All hostile tenants of a host.
    #[command(hide = true)]
    Hostile {
        /// The host's address.
        address: String,
    },
}

/// How long one line of the table looks.
const WINDOW: Duration = Duration::from_secs(60);
/// The least that is looked at without attackers.
const QUIET_AT_LEAST: Duration = Duration::from_secs(60);
/// How long the last alerts of the steady tenant may take.
const LAST_ALERTS: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let cli = Cli::parse();
    prepare();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(unless_interrupted(async {
            match &cli.role {
                Some(Role::Receiver) => peer::receiver().await,
                Some(Role::Hostile { address }) => hostile::run(address).await,
                None => soak(&cli).await,
            }
        }))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(cli: &Cli) -> Outcome {
    let whole = Duration::from_secs(cli.minutes * 60);
    let quiet_for = (whole / 10).max(QUIET_AT_LEAST);
    let folder = host::folder()?;
    let address = free_address()?;
    let host = Host::run(host::command(folder.path(), &address)?, address).await?;
    let receiver = Peer::start(&["receiver"]).await?;
    let mut steady = Steady::start(&host, &receiver).await?;

    println!("soak: {} minutes, the first {} s of them quiet\n", cli.minutes, quiet_for.as_secs());
    println!("{}", verdict::HEADING);
    let started = Instant::now();
    let mut windows = Vec::new();
    let mut attackers: Option<Attackers> = None;
    let mut arrived = 0;
    while started.elapsed() < whole {
        let is_quiet = started.elapsed() < quiet_for;
        if !is_quiet && attackers.is_none() {
            attackers = Some(Attackers::start(&host.address)?);
        }
        let until = if is_quiet { quiet_for.min(started.elapsed() + WINDOW) } else { whole };
        let look = WINDOW.min(until.saturating_sub(started.elapsed()));
        tokio::time::sleep(look).await;
        let delays = peer::seen(&receiver).await?;
        arrived += delays.len();
        let window = Window {
            is_quiet,
            minute: started.elapsed().as_secs_f64() / 60.0,
            resident_mib: host.resident_bytes()? >> 20,
            accepts: Delays::of(steady.take_accepts()),
            deliveries: Delays::of(delays),
            hostile: attackers.as_mut().map(|attackers| attackers.tally()).unwrap_or_default(),
        };
        println!("{}", window.line());
        windows.push(window);
        if let Some(attackers) = &mut attackers {
            attackers.are_at_it()?;
        }
    }
    drop(attackers);
    let told = steady.stop().await?;
    let give_up = Instant::now() + LAST_ALERTS;
    while arrived < told.accepted && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(50)).await;
        arrived += peer::seen(&receiver).await?.len();
    }
    let faults = verdict::faults(&windows, &told, arrived);
    let summary = verdict::summary(&windows, &told, arrived, &faults);
    std::fs::write(&cli.out, &summary)?;
    println!("\n{}\nwritten to {}", verdict::told(&faults), cli.out.display());
    if faults.is_empty() { Ok(()) } else { Err("the host did not hold".into()) }
}
