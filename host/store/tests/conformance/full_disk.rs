//! A disk that is full costs nothing but time.

use alerts_domain::quota::Quotas;
use sqlx::{AnyConnection, Connection as _};

use crate::fixture::{Db, ada, at, endpoint, entry, event};

/// A trigger that ends the transaction by itself, as SQLite does when the disk
/// is full (<https://www.sqlite.org/lang_transaction.html>, 2.3).
const FULL: &str = "CREATE TRIGGER full BEFORE INSERT ON events
    BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END";

#[tokio::test]
async fn after_a_transaction_that_ended_by_itself_the_next_ones_are_written() {
    let db = Db::sqlite().await;
    let mut connection: AnyConnection = AnyConnection::connect(&db.url).await.unwrap();
    sqlx::query(FULL).execute(&mut connection).await.unwrap();
    for n in 0..3 {
        let refused = db.accept(vec![event(&ada(), &n.to_string())]).await.unwrap_err();
        assert!(refused.to_string().contains("full"), "{refused}");
    }
    sqlx::query("DROP TRIGGER full").execute(&mut connection).await.unwrap();
    db.accept(vec![event(&ada(), "1")]).await.unwrap();
    db.create_endpoint(&endpoint(&ada()), &Quotas::NONE, &entry("webhook.created"), at(0))
        .await
        .unwrap();
}
