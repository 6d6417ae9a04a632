//! Dead letters are sent again as new deliveries that point to the old ones.

use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::id::DeliveryId;
use alerts_store::{RedriveOutcome, RedriveScope};

use crate::fixture::{ada, at, bob, dead, entry, scheduled};
use crate::on_both;

fn new_ids() -> impl Fn() -> DeliveryId {
    let next = std::sync::atomic::AtomicU64::new(1_000_000);
    move || {
        let random = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        DeliveryId::new(at(100), u128::from(random))
    }
}

on_both! {
    async fn each_id_gets_an_answer_and_the_dead_one_a_new_delivery(db: Db) {
        let buried = dead(&db, &ada(), "1").await;
        let waiting = scheduled(&db, &ada(), "2").await;
        let foreign = dead(&db, &bob(), "3").await;
        let scope = RedriveScope::Ids(vec![buried.id, waiting.id, foreign.id]);
        let done = db.redrive(&ada(), &scope, at(9), new_ids(), &entry("x")).await.unwrap();
        let RedriveOutcome::Redriven(id) = done[0].outcome else { panic!("{done:?}") };
        assert_eq!(done[1].outcome, RedriveOutcome::WrongState(DeliveryStatus::Scheduled));
        assert_eq!(done[2].outcome, RedriveOutcome::NotFound);

        let (again, _) = db.get_delivery(&ada(), id).await.unwrap().unwrap();
        assert_eq!((again.redrive_of, again.attempt_count), (Some(buried.id), 0));
        assert_eq!(again.next_attempt_at, Some(at(9)));
        assert_eq!((again.event_id, &again.rule_name), (buried.event_id, &buried.rule_name));
        let (old, _) = db.get_delivery(&ada(), buried.id).await.unwrap().unwrap();
        assert_eq!(old.status, DeliveryStatus::Dead, "a terminal state is never left");
    }

    async fn a_rules_dead_letters_are_redriven_once(db: Db) {
        let buried = dead(&db, &ada(), "1").await;
        dead(&db, &ada(), "2").await;
        let of_rule = RedriveScope::Dead {
            alert_rule_id: buried.alert_rule_id,
            from: Some(at(-10)),
            to: Some(at(10)),
        };
        let next = new_ids();
        let done = db.redrive(&ada(), &of_rule, at(9), &next, &entry("x")).await.unwrap();
        assert_eq!(done.iter().map(|redriven| redriven.id).collect::<Vec<_>>(), [buried.id]);
        assert!(db.redrive(&ada(), &of_rule, at(9), &next, &entry("x")).await.unwrap().is_empty());
        let all = RedriveScope::Dead { alert_rule_id: None, from: None, to: None };
        let done = db.redrive(&ada(), &all, at(9), &next, &entry("x")).await.unwrap();
        assert_eq!(done.len(), 1, "the one that was not yet");
    }
}
