//! A key that a request has taken (`Idempotency-Key`), and holds while it makes its
//! change.

use alerts_domain::tenant::TenantId;
use sqlx::AnyConnection;

use crate::error::StoreError;

/// A key that is taken for one request.
///
/// The fence counts how often the key was taken: who holds an older number was
/// given up for dead, and can neither finish a change nor keep an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Whose request it is.
    pub tenant: TenantId,
    /// The key, apart from those of other callers.
    pub key: String,
    /// Which taking of the key this is.
    pub fence: i64,
}

tokio::task_local! {
    /// The key that the change under way was asked for with.
    static HELD: Taken;
}

impl Taken {
    /// Does `work`. The first change that it commits is marked as this request's in
    /// its own transaction, and is undone if the key was taken by somebody else
    /// since: so what a key stands for is done once, whatever crashes.
    pub async fn hold<T>(self, work: impl Future<Output = T>) -> T {
        HELD.scope(self, work).await
    }
}

/// Marks the held key, if there is one, as used for the change of `resource` that
/// this transaction makes.
pub(crate) async fn mark_done(
    connection: &mut AnyConnection,
    resource: &str,
) -> Result<(), StoreError> {
    let Ok(held) = HELD.try_with(Clone::clone) else { return Ok(()) };
    let marked = sqlx::query(
        "UPDATE idempotency_keys SET done = COALESCE(done, $4)
         WHERE tenant = $1 AND key = $2 AND fence = $3",
    )
    .bind(held.tenant.as_str())
    .bind(held.key.as_str())
    .bind(held.fence)
    .bind(resource)
    .execute(connection)
    .await?;
    if marked.rows_affected() == 0 {
        return Err(StoreError::Overtaken { key: held.key });
    }
    Ok(())
}
