//! Sealed values, read and replaced when the keys change.

use alerts_domain::keyring::Sealed;
use alerts_domain::quota::Quotas;
use alerts_store::{Idempotency, KeptAnswer, SealedKind, SealedRow};

use crate::fixture::{Db, ada, at, bob, endpoint, entry};
use crate::on_both;

async fn all(db: &Db, kind: SealedKind, page: u32) -> Vec<SealedRow> {
    let mut rows: Vec<SealedRow> = Vec::new();
    loop {
        let next = db.list_sealed(kind, rows.last(), page).await.unwrap();
        if next.is_empty() {
            return rows;
        }
        rows.extend(next);
    }
}

fn sealed(text: &str) -> Sealed {
    Sealed::from_stored(text.to_owned())
}

on_both! {
    async fn every_sealed_value_is_listed_once_in_pages_of_any_size(db: Db) {
        let mut made = Vec::new();
        for tenant in [bob(), ada(), ada()] {
            let endpoint = endpoint(&tenant);
            db.create_endpoint(&endpoint, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
            made.push((tenant, endpoint.id.to_string()));
        }
        // A deleted endpoint's row stays, and its secrets with it.
        let gone = made[1].1.parse().unwrap();
        assert!(db.delete_endpoint(&ada(), gone, None, &entry("x"), at(1)).await.unwrap());
        made.sort();
        for page in [1, 2, 10] {
            let rows = all(&db, SealedKind::EndpointSecrets, page).await;
            let seen: Vec<_> = rows.into_iter().map(|row| (row.tenant, row.id)).collect();
            assert_eq!(seen, made, "pages of {page}");
        }

        for key in ["b", "a", "unanswered"] {
            let taken = db.take_idempotency_key(&ada(), key, "f", at(0), at(-60)).await.unwrap();
            let Idempotency::Fresh(taken) = taken else { panic!("{taken:?}") };
            if key != "unanswered" {
                let kept = KeptAnswer { kind: 201, sealed_body: sealed(key) };
                assert!(db.keep_idempotent_answer(&taken, &kept).await.unwrap());
            }
        }
        let mut rows = all(&db, SealedKind::IdempotentAnswer, 1).await;
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        let row = |id: &str| SealedRow { tenant: ada(), id: id.to_owned(), sealed: sealed(id) };
        assert_eq!(rows, [row("a"), row("b")]);
    }

    async fn a_value_is_replaced_only_while_it_is_the_one_that_was_read(db: Db) {
        let mut made = [endpoint(&ada()), endpoint(&ada())];
        for endpoint in &made {
            db.create_endpoint(endpoint, &Quotas::NONE, &entry("webhook.created"), at(0)).await.unwrap();
        }
        let rows = all(&db, SealedKind::EndpointSecrets, 10).await;
        // Meanwhile a tenant changes one of them.
        made[0].sealed_secrets = sealed("v1.new.theirs");
        made[0].version = 2;
        assert!(db.update_endpoint(&made[0], 1, &Quotas::NONE, &entry("x"), at(1)).await.unwrap());

        let ours = rows.into_iter().map(|row| (row, sealed("v1.new.ours"))).collect::<Vec<_>>();
        assert_eq!(db.replace_sealed(SealedKind::EndpointSecrets, &ours).await.unwrap(), 1);
        let stored = async |index: usize| {
            let read = db.get_endpoint(&ada(), made[index].id).await.unwrap().unwrap();
            (read.sealed_secrets.as_str().to_owned(), read.version)
        };
        assert_eq!(stored(0).await, ("v1.new.theirs".to_owned(), 2));
        assert_eq!(stored(1).await, ("v1.new.ours".to_owned(), 1), "the same secrets still");
    }
}
