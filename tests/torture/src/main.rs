//! `cargo xtask torture`: a host under load is killed, and its power is cut, again
//! and again. What it has answered must be there each time, and arrive.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line for developers: its output is its purpose"
)]

mod check;
mod contents;
mod disk;
mod ground;
mod kept;
mod load;
mod mount;
mod receiver;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use alerts_outside::Outcome;
use clap::Parser;
use ground::Ground;
use kept::Kept;
use load::Load;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use receiver::Receiver;

/// Kill a host under load, and cut its power, again and again.
///
/// Nothing that was answered may be lost, repeats carry the same id, and the audit
/// log is whole. Kills happen on this machine's disk. Power cuts happen on a disk
/// in memory that forgets and tears what was not synced; they need /dev/fuse. A last
/// one, on a disk whose fsync lies, must lose something, or the rest shows nothing.
#[derive(Parser)]
#[command(name = "cargo xtask torture --", bin_name = "cargo xtask torture --")]
struct Cli {
    /// How often the host is killed.
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// How often its power is cut.
    #[arg(long, default_value_t = 50)]
    cuts: usize,
    /// Decides when it is struck, and what is torn. Chosen and told when absent.
    #[arg(long)]
    seed: Option<u64>,
    /// Say so and go on where no power can be cut, instead of failing.
    #[arg(long)]
    cuts_if_possible: bool,
}

/// Events that are accepted before each blow, so that it falls under load.
const EVENTS_BETWEEN: usize = 20;
/// Events that are there to be kept, or lost, at the first cut.
const EVENTS_BEFORE_FIRST_CUT: usize = 200;

fn main() -> ExitCode {
    let cli = Cli::parse();
    alerts_outside::prepare();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(alerts_outside::unless_interrupted(run(&cli))))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("torture: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Outcome {
    let seed = cli.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("torture: seed {seed}; what the host does beside it is never twice the same");
    let mut chance = StdRng::seed_from_u64(seed);
    if cli.kills > 0 {
        torture(Ground::folder()?, cli.kills, &mut chance).await?;
    }
    if cli.cuts == 0 {
        return Ok(());
    }
    let ground = match Ground::forgetful() {
        Ok(ground) => ground,
        Err(why) if cli.cuts_if_possible => {
            println!("torture: NO POWER IS CUT: {why}");
            return Ok(());
        }
        Err(why) => return Err(format!("{why}; `--cuts 0` goes without").into()),
    };
    cut_first(false, &mut chance).await?;
    torture(ground, cli.cuts, &mut chance).await?;
    cut_first(true, &mut chance).await
}

/// Strikes a host so many times, and judges it.
async fn torture(mut ground: Ground, blows: usize, chance: &mut StdRng) -> Outcome {
    let (blow, started) = (ground.blow(), Instant::now());
    let receiver = Receiver::start().await?;
    // Some fall on a first start, when nothing is there and nothing was promised.
    let mut struck = blows.div_ceil(10);
    for _ in 0..struck {
        ground.strike_at_start(chance).await?;
    }
    println!("torture: {struck} of {blows}: {blow} at the first start");
    let mut host = ground.start().await?;
    let endpoint = load::prepare(&host, &receiver).await?;
    let mut load = Load::start(&ground.address, &endpoint)?;
    let mut checked = 0;
    while struck < blows {
        load.accepts(EVENTS_BETWEEN).await?;
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..1000))).await;
        ground.strike(host, Kept::ByChance, chance).await?;
        // Answers that are still on their way were given before the blow.
        let (changes, accepted) = (load.promised.changes(), load.promised.accepted_after(checked));
        struck += 1;
        let again = struck < blows && chance.random_bool(0.25);
        if again {
            ground.strike_at_start(chance).await?;
            struck += 1;
        }
        host = ground.start().await.map_err(|error| format!("after {blow} {struck}: {error}"))?;
        check::is_kept(&host, &endpoint, &accepted, changes, &load.promised)
            .await
            .map_err(|error| format!("after {blow} {struck}: {error}"))?;
        checked += accepted.len();
        let word = if again { ", and once more while it started" } else { "" };
        println!(
            "torture: {struck} of {blows}: {blow}{word}; {checked} events answered, all there"
        );
    }
    let promised = load.stop().await?;
    let sum = check::has_arrived(&promised, &receiver).await?;
    host.kill().await?;
    println!(
        "torture: {blows} times {blow}: {} events were answered 202, none is lost; {} arrived more than \
         once, each with its one id; the audit log is whole; {:.0} s",
        sum.accepted,
        sum.taken_more_than_once,
        started.elapsed().as_secs_f64(),
    );
    Ok(())
}

/// The first start of all, and a cut after its first answers that keeps nothing but
/// what was synced. On a disk whose `fsync` lies the assertions must fail: the control.
async fn cut_first(lies: bool, chance: &mut StdRng) -> Outcome {
    let mut ground = Ground::forgetful()?;
    if lies {
        ground.lie();
    }
    let receiver = Receiver::start().await?;
    let host = ground.start().await?;
    let endpoint = load::prepare(&host, &receiver).await?;
    let mut load = Load::start(&ground.address, &endpoint)?;
    load.accepts(EVENTS_BEFORE_FIRST_CUT).await?;
    ground.strike(host, Kept::Nothing, chance).await?;
    let (changes, accepted) = (load.promised.changes(), load.promised.accepted_after(0));
    let found = match ground.start().await {
        Ok(host) => check::is_kept(&host, &endpoint, &accepted, changes, &load.promised).await,
        Err(error) => Err(error),
    };
    match (lies, found) {
        (false, Ok(())) => {
            println!("torture: of a first start only what was synced was kept: nothing is lost");
            Ok(())
        }
        (false, Err(error)) => {
            Err(format!("after a first start of which only what was synced is left: {error}")
                .into())
        }
        (true, Ok(())) => {
            Err("a disk whose fsync lies lost nothing: this torture shows nothing".into())
        }
        (true, Err(error)) => {
            println!("torture: with an fsync that lies, as it must be: {error}");
            Ok(())
        }
    }
}
