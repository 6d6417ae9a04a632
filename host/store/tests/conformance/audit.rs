//! The audit log shows when somebody has tampered with it.

use alerts_domain::quota::Quotas;
use alerts_store::AuditCheck;

use crate::fixture::{ada, at, bob, endpoint, entry};
use crate::on_both;

on_both! {
    async fn a_chain_is_whole_until_an_entry_is_altered_or_taken_out(db: Db) {
        for _ in 0..3 {
            db.create_endpoint(&endpoint(&ada()), &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        }
        assert_eq!(db.verify_audit(&ada()).await.unwrap(), AuditCheck::Intact { entries: 3 });
        assert_eq!(db.verify_audit(&bob()).await.unwrap(), AuditCheck::Intact { entries: 0 });

        let mut connection = db.connection().await;
        let alter = sqlx::query("UPDATE audit SET actor = 'nobody' WHERE seq = 2");
        alter.execute(&mut connection).await.unwrap();
        assert_eq!(db.verify_audit(&ada()).await.unwrap(), AuditCheck::Broken { seq: 2 });
        let remove = sqlx::query("DELETE FROM audit WHERE seq = 1");
        remove.execute(&mut connection).await.unwrap();
        assert_eq!(db.verify_audit(&ada()).await.unwrap(), AuditCheck::Broken { seq: 1 });
    }

    async fn entries_are_listed_newest_first_in_pages(db: Db) {
        for n in 0..3 {
            let entry = entry(&format!("action.{n}"));
            db.create_endpoint(&endpoint(&ada()), &Quotas::NONE, &entry, at(n)).await.unwrap();
        }
        let page = db.list_audit(&ada(), 2, None).await.unwrap();
        let seen = page.items.iter().map(|e| (e.seq, e.action.as_str(), e.at)).collect::<Vec<_>>();
        assert_eq!(seen, [(3, "action.2", at(2)), (2, "action.1", at(1))]);
        assert!(page.has_more);
        let rest = db.list_audit(&ada(), 2, Some(2)).await.unwrap();
        assert_eq!((rest.items.len(), rest.has_more), (1, false));
        assert!(db.list_audit(&bob(), 2, None).await.unwrap().items.is_empty());
    }

    async fn changes_at_once_leave_one_whole_chain(db: Db) {
        let endpoints: Vec<_> = (0..20).map(|_| endpoint(&ada())).collect();
        let entry = entry("webhook.created");
        let changes = endpoints.iter().map(|made| db.create_endpoint(made, &Quotas::NONE, &entry, at(0)));
        for changed in futures_util::future::join_all(changes).await {
            changed.unwrap();
        }
        assert_eq!(db.verify_audit(&ada()).await.unwrap(), AuditCheck::Intact { entries: 20 });
    }
}
