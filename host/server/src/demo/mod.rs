//! The demo: a company whose workflows run, fail and are told of. Its last day is lived
//! through at the first start; its present goes on while the demo is up. Receivers in this
//! process stand in for its Slack, its PagerDuty and its servers.

mod chance;
mod company;
mod live;
mod past;
mod receiver;
mod setup;
mod sign_in;
mod targets;
mod workflows;

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::run_url::LinkTemplate;
use alerts_domain::secret::Secret;
use alerts_engine::{Clock as _, Engine, EngineParts, ManualClock, SystemClock};
use ipnet::IpNet;

use self::company::{ANALYTICS, BY_HAND, COMPANY};
use self::receiver::Receivers;
use self::setup::{Company, Pause};
use self::sign_in::WayIn;
use self::targets::Targets;
use crate::encryption;
use crate::keys::KeyRegistry;
use crate::say::say;
use crate::server::Server;
use crate::settings::Settings;

/// The demo could not be set up.
pub(crate) type DemoError = Box<dyn std::error::Error + Send + Sync>;

/// Where the company's people would look at a run.
const RUN_LINK: &str = "https://exosphere.example.com/graph/{namespace}/{graph_name}/{run_id}";

/// A demo whose receivers are up, and whose past is over.
#[derive(Debug)]
pub(crate) struct Demo {
    receivers: Receivers,
    /// Signs what goes to the terminal.
    secret: Secret,
    /// When it was started.
    begun: Timestamp,
    /// Until when everything that happened is known.
    told_until: Timestamp,
}

/// Opens the loopback addresses for the receivers, and lets alerts lead to runs.
pub(crate) fn adapt(settings: &mut Settings) -> Result<(), DemoError> {
    let loopback: IpNet = "127.0.0.0/8".parse()?;
    settings.allow_targets.push(loopback);
    if settings.run_link.is_none() {
        settings.run_link = Some(LinkTemplate::parse(RUN_LINK)?);
    }
    Ok(())
}

impl Demo {
    /// Starts the receivers. In a database that is new to it, and that no other host
    /// shares, the company's last day is lived through.
    pub(crate) async fn begin(parts: EngineParts) -> Result<Self, DemoError> {
        let store = parts.store.clone();
        let begun = SystemClock.now();
        let targets = Arc::new(Targets::new(begun));
        let secret = Secret::generate_signing(parts.entropy.bytes());
        let earlier = setup::earlier_port(&store).await?;
        let receivers = Receivers::start(earlier, targets.clone(), secret.clone()).await?;
        let mut demo = Self { receivers, secret, begun, told_until: begun };
        // Other hosts of a database would take a host with a clock of its own for dead.
        if !store.is_shared() && !setup::has_past(&store).await? {
            say("Demo: lives through the company's last day; once, for a minute or two …");
            encryption::ensure(&store, &parts.keyring, &parts.entropy).await?;
            let keys = KeyRegistry::new(store);
            demo.told_until = begun - jiff::SignedDuration::try_from(past::GAP)?;
            let make = async |engine: &Engine, clock: &ManualClock| {
                demo.ensure(engine, &keys, clock).await
            };
            past::live_through(parts, targets, demo.told_until, make).await?;
        }
        Ok(demo)
    }

    /// Makes what is missing, lets the company's present begin, and says how to go on.
    pub(crate) async fn play(&self, server: &Server) -> Result<(), DemoError> {
        self.ensure(server.engine(), server.keys(), &NoPause).await?;
        let way_in = sign_in::make(server).await?;
        let present = live::go_on(server.engine().clone(), self.told_until, self.begun);
        tokio::spawn(present);
        say(self.how_to_go_on(server, &way_in));
        Ok(())
    }

    async fn ensure(
        &self,
        engine: &Engine,
        keys: &KeyRegistry,
        people: &impl Pause,
    ) -> Result<(), DemoError> {
        let receivers = &self.receivers.url();
        Company { engine, keys, receivers, secret: &self.secret }.ensure(people).await
    }

    fn how_to_go_on(&self, server: &Server, WayIn { key, link }: &WayIn) -> String {
        let url = server.url();
        let namespaces: Vec<_> = COMPANY.iter().map(|namespace| namespace.name).collect();
        format!(
            r#"
Exosphere Alerts with a company to look at. Its workflows run, fail and are told of until Ctrl-C.

  Sign in:    {link}
              (opens once; afterwards sign in with the key below)
  Dashboard:  {url}/settings/alerts   API: {url}/docs
  Namespaces: {namespaces}   Receivers: {receivers}

This key works for a day, or until the demo is started again:

  KEY='{key}'

Post a run that fails, and see its alert arrive here:

  curl -sS {url}/v1/events -H "x-api-key: $KEY" -H 'content-type: application/cloudevents+json' -d '{{"specversion": "1.0", "id": "'$(date +%s%N)'", "source": "/v0/namespace/{ANALYTICS}", "type": "workflow.failed", "namespace": "{ANALYTICS}", "time": "'$(date -u +%FT%TZ)'", "data": {{"graph_name": "{BY_HAND}", "status": "FAILED", "errored_count": 5, "total_count": 9}}}}'
"#,
            key = key.expose(),
            namespaces = namespaces.join(", "),
            receivers = self.receivers.url(),
        )
    }
}

/// In the present nobody waits for the company's people.
struct NoPause;

impl Pause for NoPause {
    async fn pause(&self) {}
}
