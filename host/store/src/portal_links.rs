//! Portal links that nobody has opened yet. One that is opened is gone, and a session is
//! there in its place.

use alerts_domain::Timestamp;
use alerts_domain::api_key::KeyDigest;
use alerts_domain::session::{PortalLink, Session};
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::audit::AuditEntry;
use crate::columns::Columns;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text, us};
use crate::sessions;

/// What became of a portal link that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkCreation {
    /// It can be opened.
    Created,
    /// The namespace has as many as it may that nobody has opened.
    TooMany,
    /// The key behind it is gone.
    KeyGone,
}

impl Store {
    /// Makes a portal link, if its namespace has fewer than `most` that can be opened.
    pub async fn create_portal_link(
        &self,
        link: &PortalLink,
        most: u32,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<LinkCreation, StoreError> {
        self.retried(|| async {
            // The links of one namespace are made one after another, so that they can be
            // counted.
            let mut change = self.change(&link.tenant).await?;
            if !sessions::has_key(change.connection(), link.api_key_id).await? {
                return Ok(LinkCreation::KeyGone);
            }
            if unopened(change.connection(), &link.tenant, now).await? >= i64::from(most) {
                return Ok(LinkCreation::TooMany);
            }
            let insert = Columns::default()
                .set("id", link.portal.link.to_string())
                .set("digest", link.digest.to_string())
                .set("api_key_id", link.api_key_id.to_string())
                .set("portal", json_text(&link.portal))
                .set("tenant", link.tenant.as_str().to_owned())
                .set("role", link.role.as_str().to_owned())
                .set("created_at", us(link.created_at))
                .set("expires_at", us(link.expires_at))
                .insert("portal_links");
            insert.build().execute(change.connection()).await?;
            change.commit(entry, now).await?;
            Ok(LinkCreation::Created)
        })
        .await
    }

    /// The link with this token, if its key is still there, and when that key ends. Its
    /// time may be over.
    pub async fn find_portal_link(
        &self,
        digest: &KeyDigest,
    ) -> Result<Option<(PortalLink, Option<Timestamp>)>, StoreError> {
        let row = sqlx::query(
            "SELECT portal_links.*, api_keys.expires_at AS key_expires_at
             FROM portal_links JOIN api_keys ON api_keys.id = portal_links.api_key_id
             WHERE portal_links.digest = $1",
        )
        .bind(digest.to_string())
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Opens a session by a link, once: of two who open it, one finds it gone. Says how
    /// many older sessions were ended for it.
    pub async fn open_portal_link(
        &self,
        link: &PortalLink,
        session: &Session,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.retried(|| async {
            let mut change = self.change(&link.tenant).await?;
            let taken = sqlx::query("DELETE FROM portal_links WHERE id = $1 AND expires_at > $2")
                .bind(link.portal.link.to_string())
                .bind(us(now))
                .execute(change.connection())
                .await?;
            if taken.rows_affected() == 0 {
                return Ok(None);
            }
            let others_ended = sessions::insert(&mut change, session).await?;
            change.commit(entry, now).await?;
            Ok(Some(others_ended))
        })
        .await
    }
}

async fn unopened(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let row =
        sqlx::query("SELECT count(*) AS n FROM portal_links WHERE tenant = $1 AND expires_at > $2")
            .bind(tenant.as_str().to_owned())
            .bind(us(now))
            .fetch_one(connection)
            .await?;
    Ok(row.try_get("n")?)
}

fn read(row: &AnyRow) -> Result<(PortalLink, Option<Timestamp>), StoreError> {
    let read = Reader::new(row, "portal_links")?;
    let link = PortalLink {
        portal: read.json("portal")?,
        digest: read.parse("digest")?,
        api_key_id: read.parse("api_key_id")?,
        tenant: read.tenant()?,
        role: read.parse("role")?,
        created_at: read.time("created_at")?,
        expires_at: read.time("expires_at")?,
    };
    Ok((link, read.time_optional("key_expires_at")?))
}
