//! The demo: a receiver in this process, an endpoint, two rules and three
//! events, and what arrives, told as it happens.

mod receiver;
mod samples;

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Actor, Entropy};
use ipnet::IpNet;

use self::receiver::Receiver;
use self::samples::{DemoError, FAILED, NAMESPACE};
use crate::say::say;
use crate::server::Server;
use crate::settings::Settings;

/// How many alerts the sample events make: the first fires one rule, the second
/// none, the third both.
const EXPECTED: usize = 3;
/// How long to wait for them.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the demo's key works.
const KEY_LASTS: Duration = Duration::from_secs(24 * 60 * 60);

/// A demo whose receiver is up.
#[derive(Debug)]
pub(crate) struct Demo {
    receiver: Receiver,
    secret: Secret,
}

impl Demo {
    /// Starts the receiver, and opens the loopback addresses for it.
    pub(crate) async fn prepare(settings: &mut Settings) -> Result<Self, DemoError> {
        let loopback: IpNet = "127.0.0.0/8".parse()?;
        settings.allow_targets.push(loopback);
        let secret = Secret::generate_signing(Entropy::from_system().bytes());
        let receiver = Receiver::start(secret.clone()).await?;
        Ok(Self { receiver, secret })
    }

    /// Makes what is missing, posts the events, waits for what arrives, and
    /// says how to go on.
    pub(crate) async fn play(&self, server: &Server) -> Result<(), DemoError> {
        let engine = server.engine();
        let actor = Actor { tenant: tenant()?, name: "demo".to_owned() };
        let now = engine.clock().now();
        let endpoint =
            samples::endpoint(engine, &actor, self.receiver.url(), self.secret.clone()).await?;
        samples::rules(engine, &actor, endpoint).await?;

        say(format_args!("\nDemo: a receiver listens on {}", self.receiver.url()));
        say(format_args!(
            "Demo: in the namespace `{NAMESPACE}`, endpoint {endpoint} leads to it, with two rules:"
        ));
        for rule in samples::RULES {
            let condition = rule.condition.unwrap_or("always");
            say(format_args!("        {:<26} on {}, {condition}", rule.name, FAILED));
        }
        for sample in samples::EVENTS {
            say(format_args!("Demo: posting  {}", sample.told()));
            let event = sample.event(now)?;
            engine.intake().accept(vec![(actor.tenant.clone(), event)]).await?;
        }
        if self.receiver.wait_for(EXPECTED, PATIENCE).await {
            say(format_args!("Demo: all {EXPECTED} alerts arrived."));
        } else {
            say(format_args!(
                "Demo: only {} of {EXPECTED} alerts arrived within {} seconds; the log says why.",
                self.receiver.count(),
                PATIENCE.as_secs()
            ));
        }
        let until = now.saturating_add(KEY_LASTS).unwrap_or(Timestamp::MAX);
        let key = server.make_platform_key("demo", until).await?;
        say(self.how_to_go_on(server, &key, now));
        Ok(())
    }

    fn how_to_go_on(&self, server: &Server, key: &Secret, now: Timestamp) -> String {
        let url = format!("http://{}", server.address());
        format!(
            r#"
The server goes on until Ctrl-C. Dashboard: {url}/settings/alerts   API: {url}/docs
This key works for a day, there and here:

  KEY='{key}'

Post another run that fails, and see it arrive here:

  curl -sS {url}/v1/events -H "x-api-key: $KEY" -H 'content-type: application/cloudevents+json' -d '{{"specversion": "1.0", "id": "'$(date +%s%N)'", "source": "/v0/namespace/{NAMESPACE}", "type": "{FAILED}", "namespace": "{NAMESPACE}", "time": "{now}", "data": {{"graph_name": "by-hand", "status": "FAILED", "errored_count": 5, "total_count": 9}}}}'

What was delivered, and what was said:

  curl -sS {url}/v1/deliveries -H "x-api-key: $KEY" -H 'x-exosphere-namespace: {NAMESPACE}'
"#,
            key = key.expose(),
        )
    }
}

fn tenant() -> Result<TenantId, DemoError> {
    TenantId::new(NAMESPACE).map_err(|error| error.detail.into())
}
