//! The hostile tenants: all of them in one process beside the host, each with its
//! own attack, without a pause. They never get what a steady tenant needs, or the
//! soak says so.

mod attacker;
mod calls;
mod connections;
mod receivers;
mod tally;

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerts_outside::Outcome;
use attacker::Attacker;
use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
pub(crate) use tally::Tally;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

/// How often the attackers tell what they did.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The attackers' process, as the one that judges sees it.
pub(crate) struct Attackers {
    process: Child,
    latest: Arc<Mutex<Tally>>,
    told: Tally,
}

impl Attackers {
    /// Lets them loose on the host at `address`. Dropped, they end.
    pub(crate) fn start(address: &str) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["hostile", address])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = process.stdout.take().ok_or("the attackers have no output")?;
        let latest = Arc::new(Mutex::new(Tally::default()));
        let written = latest.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(out).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                *lock(&written) = Tally::parse(&line);
            }
        });
        Ok(Self { process, latest, told: Tally::default() })
    }

    /// What they did since the last call.
    pub(crate) fn tally(&mut self) -> Tally {
        let latest = lock(&self.latest).clone();
        let since = latest.since(&self.told);
        self.told = latest;
        since
    }

    /// That they have not ended, which they only do when an attack cannot begin.
    pub(crate) fn are_at_it(&mut self) -> Outcome {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the attackers ended with {status}").into()),
        }
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The attackers themselves: they run until they are killed.
pub(crate) async fn run(address: &str) -> Outcome {
    // What the attack costs here must not be taken for what it costs the host.
    nice(19)?;
    // One end of each of their connections is theirs.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let mut attackers = Vec::new();
    let mut attacks = JoinSet::new();
    macro_rules! attack {
        ($name:literal, $attack:path) => {{
            let attacker = Attacker::new($name, address)?;
            attackers.push(attacker.clone());
            attacks.spawn(async move {
                $attack(attacker).await.map_err(|error| format!("{}: {error}", $name))
            });
        }};
    }
    attack!("failing-conditions", calls::failing_conditions);
    attack!("rules-on-everything", calls::rules_on_everything);
    attack!("huge-events", calls::huge_events);
    attack!("unknown-keys", calls::unknown_keys);
    attack!("endless-changes", calls::endless_changes);
    attack!("idle-connections", connections::idle);
    attack!("viewers-that-do-not-read", connections::viewers_that_do_not_read);
    attack!("black-holes", receivers::black_holes);
    attack!("tarpits", receivers::tarpits);
    let mut tell = tokio::time::interval(TOLD_EVERY);
    loop {
        tokio::select! {
            Some(ended) = attacks.join_next() => ended??,
            _ = tell.tick() => {
                let mut tally = Tally::default();
                for attacker in &attackers {
                    tally.add(&attacker.tally());
                }
                println!("{}", tally.to_line());
            }
        }
    }
}
