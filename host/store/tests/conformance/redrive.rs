//! Dead letters are sent again as new deliveries that point to the old ones.

use alerts_domain::delivery::{DeliveryStatus, Lease};
use alerts_domain::id::DeliveryId;
use alerts_store::{DeliveryFilter, RedriveOutcome, RedriveScope};

use crate::fixture::{ada, at, bob, dead, entry, host, in_hand, scheduled};
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

    async fn what_was_sent_again_is_marked_and_counted_no_more(db: Db) {
        let (first, second) = (dead(&db, &ada(), "1").await, dead(&db, &ada(), "2").await);
        scheduled(&db, &ada(), "3").await;
        dead(&db, &bob(), "4").await;
        let (any, next) = (DeliveryFilter::default(), new_ids());
        let count = async |filter: &DeliveryFilter| {
            let counts = db.count_deliveries(&ada(), filter).await.unwrap();
            let of = |wanted| counts.by_status.iter().find(|(status, _)| *status == wanted).unwrap().1;
            (of(DeliveryStatus::Dead), of(DeliveryStatus::Scheduled), counts.to_redrive)
        };
        assert_eq!(count(&any).await, (2, 1, 2));
        let scope = RedriveScope::Ids(vec![first.id]);
        let mut newest = None;
        for _ in 0..2 {
            let done = db.redrive(&ada(), &scope, at(9), &next, &entry("x")).await.unwrap();
            let RedriveOutcome::Redriven(id) = done[0].outcome else { panic!("{done:?}") };
            newest = Some(id);
        }
        assert_eq!(count(&any).await, (2, 3, 1));
        let marks = db.redriven_as(&ada(), &[first.id, second.id]).await.unwrap();
        assert_eq!(marks.into_iter().collect::<Vec<_>>(), [(first.id, newest.unwrap())]);
        assert!(db.redriven_as(&bob(), &[first.id]).await.unwrap().is_empty());
        let of_one = DeliveryFilter { webhook_endpoint_id: Some(second.webhook_endpoint_id), ..any };
        assert_eq!(count(&of_one).await, (1, 0, 1));
        for (is_redriven, id) in [(true, first.id), (false, second.id)] {
            let filter = DeliveryFilter {
                status: Some(DeliveryStatus::Dead),
                is_redriven: Some(is_redriven),
                ..DeliveryFilter::default()
            };
            let page = db.list_deliveries(&ada(), &filter, 10, None).await.unwrap();
            assert_eq!(page.items.iter().map(|each| each.id).collect::<Vec<_>>(), [id]);
        }
    }

    async fn what_a_host_holds_is_counted_too(db: Db) {
        for n in 0..3 {
            in_hand(&db, &ada(), &n.to_string(), Lease { host: host(), fence: 1 }).await;
        }
        in_hand(&db, &bob(), "9", Lease { host: host(), fence: 1 }).await;
        let counts = db.count_deliveries(&ada(), &DeliveryFilter::default()).await.unwrap();
        assert!(counts.by_status.contains(&(DeliveryStatus::Leased, 3)), "{counts:?}");
    }
}
