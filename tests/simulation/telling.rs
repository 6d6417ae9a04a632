//! Emitters: they tell a host of what happened, and again where they got no
//! answer, or a refusal.

use alerts_domain::event::Event;
use serde_json::json;

use crate::faults::Outage;
use crate::run::{Run, moment, tenant};
use crate::workload::Fact;

impl Run<'_> {
    /// Hosts learn within a second that another one has switched a rule off;
    /// here, before they are told of anything.
    pub(crate) async fn spread_news(&mut self) {
        if std::mem::take(&mut self.is_news) {
            for host in self.living() {
                self.tick(host).await;
            }
        }
    }

    /// An emitter tells some host.
    pub(crate) async fn tell_someone(&mut self, facts: &[usize]) {
        self.spread_news().await;
        // Rather the one whose lease is over and who does not know it yet.
        let forgotten = self.forgotten.take().filter(|host| self.hosts[*host].is_some());
        let Some(host) = forgotten.or(self.any_living()) else {
            self.untold.extend(facts);
            return;
        };
        self.tell(host, facts).await;
        if forgotten.is_some() && self.hosts[host].is_some() && self.random.percent(40) {
            self.note(format!("  host {host} dies before it beats again"));
            self.crash(host);
        }
    }

    /// An emitter tells a host of these facts, in one request.
    pub(crate) async fn tell(&mut self, host: usize, facts: &[usize]) {
        self.model.doing += 1;
        let events = facts.iter().map(|fact| {
            let fact = &self.plan.facts[*fact];
            (tenant(fact.tenant), event(fact))
        });
        let accepted = match self.engine(host).intake().accept(events.collect()).await {
            Ok(accepted) => accepted,
            Err(error) => {
                self.is_outage(&error, Outage::stops_all);
                self.note(format!("  host {host} refuses: {error}"));
                self.untold.extend(facts);
                self.observe().await;
                return;
            }
        };
        let has_language = self.has_language(host);
        let can_write = !self.outage.is_some_and(Outage::stops_all);
        for (fact, accepted) in facts.iter().zip(accepted) {
            let was_known = self.model.accept(*fact, self.now(), has_language);
            assert_eq!(accepted.duplicate, was_known, "fact {fact} told again?");
            assert!(was_known || can_write, "fact {fact} is accepted, and nothing can be written");
            let known = *self.accepted.entry(accepted.id).or_insert(*fact);
            let id = |fact: usize| &self.plan.facts[fact].id;
            assert_eq!(id(known), id(*fact), "another event's id was answered");
            self.note(format!("  host {host} has {} as {}", id(known), accepted.id));
        }
        self.observe().await;
        // A host that died before it answered is told again.
        let may_die = self.plan.disturbances.crashes && self.world.may_interrupt();
        if may_die && self.random.percent(3) {
            self.note(format!("  host {host} dies before it answers"));
            self.crash(host);
            self.untold.extend(facts);
        }
    }

    /// What emitters got no answer for, or a refusal, they tell again, as long as
    /// this host lives.
    pub(crate) async fn tell_again(&mut self, host: usize) {
        for fact in std::mem::take(&mut self.untold) {
            if self.hosts[host].is_some() {
                self.tell(host, &[fact]).await;
            } else {
                self.untold.push(fact);
            }
        }
    }
}

/// A fact as the platform tells it.
fn event(fact: &Fact) -> Event {
    let mut data = json!({
        "graph_name": format!("g{}", fact.graph),
        "run_id": format!("r{}", fact.run),
        "opening": fact.opening,
        "errored_count": fact.errored,
    });
    if let Some(took) = fact.took {
        data["duration_ms"] = took.into();
    }
    let body = json!({
        "specversion": "1.0",
        "id": fact.id,
        "source": "/simulation",
        "type": fact.kind,
        "time": moment(fact.at),
        "data": data,
    });
    Event::from_structured(body.to_string().into()).unwrap()
}
