//! The watch over a state-manager: look after look, while it is this host's turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::own_event;
use alerts_domain::tenant::TenantId;
use alerts_engine::{BackgroundLoop, Engine, EngineError, Pulse};
use alerts_store::{Looked, SourceLease};
use jiff::SignedDuration;

use super::SOURCE;
use super::details::{self, FailedRuns};
use super::lease::{Held, LeaseLoop};
use super::namespace::{Look, NamespaceWatch, Stop};
use super::platform::{Failure, Platform};
use super::settings::ExosphereSettings;
use super::{outbox, trouble};
use crate::status::{SourceStatus, Trouble};

/// How long a look may show no life: an answer may take forty seconds.
const SILENT_AFTER: Duration = Duration::from_secs(120);
/// Longest pause after looks that failed.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// From when on it is remarked that the platform's clock is off.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(60);
/// How often the namespaces are listed: new ones appear seldom.
const LIST_EVERY: Duration = Duration::from_secs(30);

/// The watch over Exosphere on this host.
#[expect(missing_debug_implementations, reason = "an engine has nothing to show")]
pub struct ExosphereWatch {
    engine: Engine,
    held: Held,
}

impl ExosphereWatch {
    /// Begins to watch, once it is this host's turn, until the engine shuts down.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn start(engine: &Engine, settings: ExosphereSettings) -> Result<Self, EngineError> {
        let platform = Platform::new(&settings)?;
        let held = Held::default();
        let url = settings.url.to_string();
        engine.run(LeaseLoop::new(engine.clone(), url, held.clone()));
        engine.run(WatchLoop {
            engine: engine.clone(),
            settings,
            platform,
            held: held.clone(),
            watch: None,
        });
        Ok(Self { engine: engine.clone(), held })
    }

    /// Lets the source go, so that another host need not wait until this one is known to
    /// be gone. To be called at the end.
    pub async fn release(&self) {
        let Some(lease) = self.held.end() else { return };
        if let Err(error) = self.engine.store().release_source(&lease).await {
            tracing::warn!(%error, source = SOURCE, "not let go; another host waits some seconds");
        }
    }
}

struct WatchLoop {
    engine: Engine,
    settings: ExosphereSettings,
    platform: Platform,
    held: Held,
    /// Under the lease that this host has, or has had last.
    watch: Option<Watch>,
}

/// What is kept in memory while the lease is held.
struct Watch {
    lease: SourceLease,
    namespaces: BTreeMap<TenantId, NamespaceWatch>,
    status: SourceStatus,
    /// When the namespaces were listed, by the clock that is never set.
    listed: Option<Duration>,
    /// Looks in a row that failed.
    failures: u32,
    failed_runs: FailedRuns,
}

impl BackgroundLoop for WatchLoop {
    const NAME: &'static str = "source_watch";
    const SILENT_AFTER: Duration = SILENT_AFTER;

    async fn round(&mut self, pulse: &Pulse) {
        let Some(lease) = self.held.lease() else { return };
        let mut watch = match self.watch.take().filter(|watch| watch.lease == lease) {
            Some(watch) => watch,
            None => match self.begin(lease).await {
                Ok(watch) => watch,
                Err(error) => {
                    tracing::error!(%error, source = SOURCE, "the watch cannot begin; trying again");
                    return;
                }
            },
        };
        match self.look(&mut watch, pulse).await {
            Ok(()) => self.watch = Some(watch),
            Err(Stop::Lost) => self.held.lost(),
            // The database is in trouble: what is remembered is read anew.
            Err(stop) => tracing::error!(%stop, source = SOURCE, "a look was not stored"),
        }
    }

    async fn rest(&mut self) {
        let clock = self.engine.clock();
        if self.held.lease().is_none() {
            self.held.gained().await;
            return;
        }
        let failures = self.watch.as_ref().map_or(0, |watch| watch.failures);
        let longer = self.settings.interval.saturating_mul(1 << failures.min(10));
        let pause = longer.min(MAX_PAUSE.max(self.settings.interval));
        clock.sleep_until(clock.after(pause)).await;
    }
}

impl WatchLoop {
    async fn begin(&self, lease: SourceLease) -> Result<Watch, EngineError> {
        let sources = self.engine.store().list_sources().await?;
        let stored = sources.into_iter().find(|source| source.id == SOURCE);
        let status = stored.and_then(|stored| SourceStatus::read(&stored.status?));
        Ok(Watch {
            lease,
            namespaces: BTreeMap::new(),
            status: status.unwrap_or_default(),
            listed: None,
            failures: 0,
            failed_runs: FailedRuns::default(),
        })
    }

    /// One look at all that is watched. What goes wrong with the platform is in the
    /// status; only what keeps that from being stored is an error.
    async fn look(&self, watch: &mut Watch, pulse: &Pulse) -> Result<(), Stop> {
        let began = self.engine.clock().now();
        watch.status.last_poll_at = Some(began);
        watch.status.remarks.clear();
        // What an earlier watch has left goes first.
        self.hand_over(watch).await?;
        let mut platform_time: Option<Timestamp> = None;
        let mut failed = self.list(watch).await.err();
        if failed.as_ref().is_none_or(|failure| !failure.is_everywhere()) {
            let looked = self.look_at_all(watch, pulse, &mut platform_time).await?;
            failed = failed.or(looked);
        }
        self.hand_over(watch).await?;
        match failed {
            None => {
                watch.failures = 0;
                watch.failed_runs.forget();
                if let Some(trouble) = watch.status.trouble.take() {
                    tracing::info!(source = SOURCE, was = trouble.kind, "the source answers again");
                    if trouble.is_told {
                        self.announce(watch, own_event::SOURCE_RECOVERED, &trouble, began).await?;
                    }
                }
                watch.status.last_success_at = Some(began);
                watch.status.platform_time = platform_time.or(Some(began));
            }
            Some(failure) => {
                watch.failures = watch.failures.saturating_add(1);
                let mut trouble = in_trouble(watch.status.trouble.take(), &failure, began);
                if trouble::is_due(&trouble, began) {
                    self.announce(watch, own_event::SOURCE_FAILING, &trouble, began).await?;
                    trouble.is_told = true;
                }
                watch.status.trouble = Some(trouble);
            }
        }
        if let Some(apart) =
            platform_time.map(|time| time.duration_since(self.engine.clock().now()))
            && apart.abs() > CLOCKS_APART
        {
            watch.status.remarks.push(format!(
                "the platform's clock is {} seconds {} this host's: times in events are the \
                 platform's; set both by a time server",
                apart.abs().as_secs(),
                if apart.is_negative() { "behind" } else { "ahead of" }
            ));
        }
        self.meter(&watch.status);
        let status = serde_json::to_string(&watch.status).unwrap_or_default();
        match self.engine.store().beat_source(&watch.lease, Some(&status)).await? {
            true => Ok(()),
            false => Err(Stop::Lost),
        }
    }

    /// Which namespaces there are to be watched.
    async fn list(&self, watch: &mut Watch) -> Result<(), Failure> {
        let wanted = &self.settings.namespaces;
        let mut names = wanted.named.clone();
        let now = self.engine.clock().monotonic();
        let is_due = watch.listed.is_none_or(|listed| now.saturating_sub(listed) >= LIST_EVERY);
        // New ones were not there at the listing before, so all of their runs are new.
        let mut since = None;
        let listed = match wanted.all_listed {
            false => {
                watch.status.listed_at = None;
                Ok(())
            }
            true if !is_due => return Ok(()),
            true => self.platform.namespaces().await.map(|answer| {
                since = watch.status.listed_at;
                watch.status.listed_at = answer.date.or(Some(self.engine.clock().now()));
                watch.listed = Some(now);
                names.extend(answer.value);
            }),
        };
        if listed.is_err() {
            // Those that are known are watched all the same.
            names.extend(watch.status.namespaces.iter().cloned());
        }
        watch.namespaces.retain(|name, _| names.contains(name));
        for name in &names {
            let named = wanted.named.contains(name);
            let since = since.filter(|_| !named && !watch.status.namespaces.contains(name));
            let new = || NamespaceWatch::new(name.clone(), since);
            watch.namespaces.entry(name.clone()).or_insert_with(new);
        }
        watch.status.namespaces = names.into_iter().collect::<BTreeSet<_>>();
        listed
    }

    /// A look at each namespace. Answers with the first failure of the platform.
    async fn look_at_all(
        &self,
        watch: &mut Watch,
        pulse: &Pulse,
        platform_time: &mut Option<Timestamp>,
    ) -> Result<Option<Failure>, Stop> {
        let mut details_left = details::MAX_REQUESTS;
        let mut failed = None;
        let Watch { lease, namespaces, status, failed_runs, .. } = watch;
        for namespace in namespaces.values_mut() {
            pulse.beat();
            let mut look = Look {
                store: self.engine.store(),
                lease,
                platform: &self.platform,
                pulse,
                clock: self.engine.clock(),
                last_success: status.platform_time,
                details_left: &mut details_left,
                failed_runs,
                remarks: &mut status.remarks,
                platform_time,
            };
            match namespace.look(&mut look).await {
                Ok(()) => {}
                Err(Stop::Failed(failure)) => {
                    let is_everywhere = failure.is_everywhere();
                    failed = failed.or(Some(failure));
                    if is_everywhere {
                        break;
                    }
                }
                Err(stop) => return Err(stop),
            }
            // Others may be long, and what is known is told at once.
            if !outbox::hand_over(&self.engine, lease).await? {
                return Err(Stop::Lost);
            }
        }
        Ok(failed)
    }

    /// Tells in each namespace how the platform is.
    async fn announce(
        &self,
        watch: &Watch,
        event_type: &'static str,
        trouble: &Trouble,
        at: Timestamp,
    ) -> Result<(), Stop> {
        let event = |name: &TenantId| {
            (name.clone(), trouble::event(name, event_type, trouble, at).to_string())
        };
        let events = watch.status.namespaces.iter().map(event).collect();
        let looked = Looked { events, ..Looked::default() };
        // Of no namespace in particular: it changes nothing that is remembered.
        if !self.engine.store().save_looked(&watch.lease, "", &looked).await? {
            return Err(Stop::Lost);
        }
        self.hand_over(watch).await
    }

    async fn hand_over(&self, watch: &Watch) -> Result<(), Stop> {
        match outbox::hand_over(&self.engine, &watch.lease).await? {
            true => Ok(()),
            false => Err(Stop::Lost),
        }
    }

    fn meter(&self, status: &SourceStatus) {
        let outcome = status.trouble.as_ref().map_or("ok", |trouble| known(&trouble.kind));
        metrics::counter!("alerts_source_polls_total", "source" => SOURCE, "outcome" => outcome)
            .increment(1);
        let behind = status.last_success_at.map(|at| self.engine.clock().now().duration_since(at));
        metrics::gauge!("alerts_source_behind_seconds", "source" => SOURCE)
            .set(behind.map_or(0.0, |behind| behind.as_secs_f64().max(0.0)));
    }
}

/// The kinds of trouble that there are, as labels.
fn known(kind: &str) -> &'static str {
    match kind {
        "unauthorized" => "unauthorized",
        "unreachable" => "unreachable",
        "failing" => "failing",
        _ => "not_exosphere",
    }
}

/// The trouble that there is now, after what there was before. Another one is told in the
/// log.
fn in_trouble(before: Option<Trouble>, failure: &Failure, now: Timestamp) -> Trouble {
    let (kind, detail) = (failure.kind().to_owned(), failure.to_string());
    match before {
        Some(before) if before.kind == kind => Trouble { detail, ..before },
        before => {
            tracing::error!(source = SOURCE, %failure, "the source is not seen; trying again");
            // That it is in trouble, of whatever kind, was told already.
            let is_told = before.as_ref().is_some_and(|before| before.is_told);
            let since = before.map_or(now, |before| before.since);
            Trouble { kind, detail, since, is_told }
        }
    }
}
