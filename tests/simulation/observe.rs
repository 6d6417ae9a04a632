//! What the hosts have made, held against the model.

use std::fmt::Write as _;

use alerts_domain::delivery::{Delivery, DeliveryStatus};
use alerts_domain::trigger::Trigger;
use alerts_store::DeliveryFilter;
use serde_json::Value;

use crate::model::{Key, Time};
use crate::plan::TENANTS;
use crate::run::{Run, origin, tenant};

/// A delivery as it was last seen.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) delivery: Delivery,
    pub(crate) key: Key,
}

impl Run<'_> {
    /// Looks at the database: what is new must be owed, what is owed must be there,
    /// and what was final must be as it was.
    pub(crate) async fn observe(&mut self) {
        for number in 0..TENANTS.len() {
            let (tenant, filter) = (tenant(number), DeliveryFilter::default());
            let page = self.store.list_deliveries(&tenant, &filter, 1000, None).await.unwrap();
            for delivery in page.items.into_iter().rev() {
                match self.seen.get_mut(&delivery.id) {
                    Some(seen) => {
                        let before = &seen.delivery;
                        let is_kept = !before.status.is_terminal() || *before == delivery;
                        assert!(is_kept, "a final state was left: {before:?}, {delivery:?}");
                        assert!(before.attempt_count <= delivery.attempt_count, "{delivery:?}");
                        seen.delivery = delivery;
                    }
                    None => self.meet(delivery).await,
                }
            }
        }
        let doing = self.model.doing;
        for (key, owed) in &self.model.owed {
            let is_kept = self.kept.contains(key);
            assert!(is_kept, "{key:?} was owed in doing {} of {doing}: no delivery", owed.by);
        }
        self.observe_rules().await;
    }

    /// A delivery that was not there before.
    async fn meet(&mut self, delivery: Delivery) {
        let rule = delivery.alert_rule_id.unwrap();
        let rule = self.rules.iter().position(|known| *known == rule).unwrap();
        let key = match self.plan.rules[rule].trigger {
            Trigger::Duration(_) => {
                let event = self.store.get_event(&delivery.tenant, delivery.event_id);
                let event = event.await.unwrap().expect("the event of a delivery is stored");
                let body: Value = serde_json::from_slice(&event.body).unwrap();
                let data = &body["data"];
                let run = data["run_id"].as_str().unwrap()[1..].parse().unwrap();
                let opening = data["opening"].as_u64().unwrap() as usize;
                Key::Run { rule, run, opening }
            }
            _ => Key::Fact { rule, fact: self.accepted[&delivery.event_id] },
        };
        let mut line = format!("  made {} for {key:?}", delivery.id);
        let owed = self.model.owed.get(&key);
        write!(line, ", {}", delivery.status).unwrap();
        self.note(line);
        let owed = owed.unwrap_or_else(|| panic!("{key:?} is not owed: {delivery:?}"));
        assert_eq!(owed.by, self.model.doing, "{key:?} at another time than owed");
        let is_skipped = delivery.status == DeliveryStatus::Skipped;
        assert_eq!(is_skipped, owed.is_skipped, "{key:?}: {delivery:?}");
        assert!(self.kept.insert(key), "a second alert for {key:?}: {delivery:?}");
        self.seen.insert(delivery.id, Seen { delivery, key });
    }

    /// The host itself switches rules off whose target is gone.
    async fn observe_rules(&mut self) {
        for (number, plan) in self.plan.rules.iter().enumerate() {
            let state = &mut self.model.rules[number];
            if state.is_deleted || !state.is_active {
                continue;
            }
            let tenant = tenant(plan.tenant);
            let stored = self.store.get_rule(&tenant, self.rules[number]).await.unwrap().unwrap();
            if stored.spec.is_active {
                continue;
            }
            assert!(stored.disabled_reason.is_some(), "rule {number} is off without a reason");
            let gone =
                self.world.sends().into_iter().filter(|send| {
                    send.is_gone() && self.seen[&send.delivery].key.rule() == number
                });
            let gone = gone.count();
            assert!(
                gone >= self.plan.endpoints[plan.endpoint].gone_after as usize,
                "rule {number} is off after {gone} times gone"
            );
            self.is_news = true;
            state.is_active = false;
            state.changed_at = stored.updated_at.duration_since(origin()).as_millis() as Time;
            self.trace.note(format!("  rule {number} is off: its target is gone"));
        }
    }
}
