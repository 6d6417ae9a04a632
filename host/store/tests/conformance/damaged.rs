//! A row that does not read holds up no other.

use alerts_domain::delivery::DeliveryStatus;

use crate::fixture::{ada, at, host, scheduled};
use crate::on_both;

on_both! {
    async fn a_delivery_that_does_not_read_is_put_aside_and_the_others_are_claimed(db: Db) {
        let bad = scheduled(&db, &ada(), "bad").await;
        let good = scheduled(&db, &ada(), "good").await;
        let mut connection = db.connection().await;
        let mut set = async |figures: &str| {
            sqlx::query("UPDATE deliveries SET trigger_figures = $2 WHERE id = $1")
                .bind(bad.id.to_string())
                .bind(figures.to_owned())
                .execute(&mut connection)
                .await
                .unwrap();
        };
        set("{").await;
        let me = host();
        let claimed = db.claim_due(at(0), me, &[], 10, 10).await.unwrap();
        assert_eq!(claimed.iter().map(|c| c.delivery.id).collect::<Vec<_>>(), [good.id]);
        let damaged = db.damaged();
        assert_eq!(damaged.len(), 1);
        assert_eq!((damaged[0].table, damaged[0].id.as_str()), ("deliveries", bad.id.to_string().as_str()));
        assert!(damaged[0].detail.starts_with("trigger_figures"), "{}", damaged[0].detail);
        assert!(db.claim_due(at(1), me, &[], 10, 10).await.unwrap().is_empty(), "not at every turn");

        set("{}").await;
        let claimed = db.claim_due(at(2 * 3600), me, &[], 10, 10).await.unwrap();
        assert_eq!(claimed[0].delivery.id, bad.id);
        assert_eq!(claimed[0].delivery.status, DeliveryStatus::Leased);
        assert!(db.damaged().is_empty(), "it reads again");
    }

    async fn a_delivery_whose_event_does_not_read_is_claimed_without_it(db: Db) {
        let sent = scheduled(&db, &ada(), "1").await;
        let mut connection = db.connection().await;
        sqlx::query("UPDATE events SET received_at = $2 WHERE id = $1")
            .bind(sent.event_id.to_string())
            .bind(i64::MAX)
            .execute(&mut connection)
            .await
            .unwrap();
        let claimed = db.claim_due(at(0), host(), &[], 10, 10).await.unwrap();
        assert!(claimed[0].event_body.is_empty());
        assert_eq!(db.damaged()[0].table, "events");
    }
}
