//! Sessions of people in a browser. Each ends with the API key behind it: no session is
//! found whose key is gone.

use alerts_domain::Timestamp;
use alerts_domain::api_key::KeyDigest;
use alerts_domain::id::ApiKeyId;
use alerts_domain::session::Session;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::audit::{AuditEntry, log_of};
use crate::change::Change;
use crate::columns::Columns;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text, us};
use crate::statement::Statement;

/// What became of a session that was to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionOpening {
    /// It is open.
    Opened {
        /// How many older ones were ended, since there were too many.
        others_ended: u64,
    },
    /// The key behind it is gone.
    KeyGone,
}

impl Store {
    /// Opens a session of somebody who holds its key, and ends the oldest ones when the
    /// key has too many.
    pub async fn open_session(
        &self,
        session: &Session,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<SessionOpening, StoreError> {
        let owner = log_of(session.tenant.as_ref());
        self.retried(|| async {
            let mut change = self.change(&owner).await?;
            // Its revocation takes the same lock, and so comes before this or after it.
            if !has_key(change.connection(), session.api_key_id).await? {
                return Ok(SessionOpening::KeyGone);
            }
            let others_ended = insert(&mut change, session).await?;
            change.commit(entry, now).await?;
            Ok(SessionOpening::Opened { others_ended })
        })
        .await
    }

    /// The session with this token, if its key is still there: one row of an index.
    pub async fn find_session(&self, digest: &KeyDigest) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query(
            "SELECT sessions.* FROM sessions JOIN api_keys ON api_keys.id = sessions.api_key_id
             WHERE sessions.digest = $1",
        )
        .bind(digest.to_string())
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Ends a session. Says whether it was open.
    pub async fn end_session(
        &self,
        session: &Session,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let owner = log_of(session.tenant.as_ref());
        self.retried(|| async {
            let mut change = self.change(&owner).await?;
            let ended = sqlx::query("DELETE FROM sessions WHERE id = $1")
                .bind(session.id.to_string())
                .execute(change.connection())
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(false);
            }
            change.commit(entry, now).await?;
            Ok(true)
        })
        .await
    }

    /// Forgets sessions and portal links whose time is over, and those whose key is
    /// gone. Says how many.
    pub async fn forget_ended_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let mut forgotten = 0;
            for statement in [
                "DELETE FROM sessions WHERE expires_at <= $1
                    OR api_key_id NOT IN (SELECT id FROM api_keys)",
                "DELETE FROM portal_links WHERE expires_at <= $1
                    OR api_key_id NOT IN (SELECT id FROM api_keys)",
            ] {
                let gone = sqlx::query(statement).bind(us(now)).execute(&mut *transaction).await?;
                forgotten += gone.rows_affected();
            }
            transaction.commit().await?;
            Ok(forgotten)
        })
        .await
    }
}

/// Whether a key is there, within a transaction.
pub(crate) async fn has_key(
    connection: &mut AnyConnection,
    key: ApiKeyId,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM api_keys WHERE id = $1")
        .bind(key.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Ends what was opened with a key, or by its links, as it is revoked.
pub(crate) async fn end_with_key(
    connection: &mut AnyConnection,
    key: ApiKeyId,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM sessions WHERE api_key_id = $1",
        "DELETE FROM portal_links WHERE api_key_id = $1",
    ] {
        sqlx::query(statement).bind(key.to_string()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Writes a session, and says how many older ones of its kind were ended for it.
pub(crate) async fn insert(change: &mut Change<'_>, session: &Session) -> Result<u64, StoreError> {
    let insert = Columns::default()
        .set("id", session.id.to_string())
        .set("digest", session.digest.to_string())
        .set("api_key_id", session.api_key_id.to_string())
        .set("portal", session.portal.as_ref().map(json_text))
        .set("tenant", session.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()))
        .set("role", session.role.as_str().to_owned())
        .set("created_at", us(session.created_at))
        .set("expires_at", us(session.expires_at))
        .insert("sessions");
    insert.build().execute(change.connection()).await?;
    let others = too_many(session).build().execute(change.connection()).await?;
    Ok(others.rows_affected())
}

/// Removes the oldest ones that were opened like this one, beyond as many as may be.
fn too_many(session: &Session) -> Statement {
    /// An OFFSET without a LIMIT is known to Postgres alone.
    const ALL: i64 = i64::MAX;

    let mut query = Statement::new(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE api_key_id = ",
    );
    query.bind(session.api_key_id.to_string());
    let most = match (&session.portal, &session.tenant) {
        (Some(_), Some(tenant)) => {
            query.push(" AND portal IS NOT NULL AND tenant = ").bind(tenant.as_str().to_owned());
            Session::MOST_OF_PORTAL
        }
        _ => {
            query.push(" AND portal IS NULL");
            Session::MOST_OF_KEY
        }
    };
    // Not the new one, also when the clock was set back and it looks old.
    query.push(" AND id <> ").bind(session.id.to_string());
    query.push(" ORDER BY id DESC LIMIT ").bind(ALL);
    query.push(" OFFSET ").bind(i64::from(most) - 1).push(")");
    query
}

fn read(row: &AnyRow) -> Result<Session, StoreError> {
    let read = Reader::new(row, "sessions")?;
    Ok(Session {
        id: read.parse("id")?,
        digest: read.parse("digest")?,
        api_key_id: read.parse("api_key_id")?,
        portal: read.json_optional("portal")?,
        tenant: read.tenant_optional()?,
        role: read.parse("role")?,
        created_at: read.time("created_at")?,
        expires_at: read.time("expires_at")?,
    })
}
