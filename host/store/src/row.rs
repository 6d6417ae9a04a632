//! From columns to the domain's types, with the row's id in every complaint.

use std::str::FromStr;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use serde::de::DeserializeOwned;
use sqlx::any::AnyRow;
use sqlx::{Any, Decode, Row as _, Type};

use crate::error::StoreError;

/// One row of `table`, known to people by its `id`.
pub(crate) struct Reader<'r> {
    row: &'r AnyRow,
    table: &'static str,
    id: String,
}

impl<'r> Reader<'r> {
    /// A row whose column `id` names it.
    pub(crate) fn new(row: &'r AnyRow, table: &'static str) -> Result<Self, StoreError> {
        let id =
            row.try_get("id").map_err(|error| of_column(table, "without a readable id", error))?;
        Ok(Self { row, table, id })
    }

    pub(crate) fn damaged(&self, column: &str, detail: impl std::fmt::Display) -> StoreError {
        StoreError::damaged(self.table, &self.id, format!("{column}: {detail}"))
    }

    /// A column as the database has it.
    pub(crate) fn get<T: Decode<'r, Any> + Type<Any>>(
        &self,
        column: &str,
    ) -> Result<T, StoreError> {
        self.row.try_get(column).map_err(|error| of_column(self.table, &self.id, error))
    }

    /// A text that is an id, a status, …
    pub(crate) fn parse<T: FromStr>(&self, column: &str) -> Result<T, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        let text: String = self.get(column)?;
        text.parse().map_err(|error| self.damaged(column, error))
    }

    pub(crate) fn parse_optional<T: FromStr>(&self, column: &str) -> Result<Option<T>, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        let text: Option<String> = self.get(column)?;
        text.map(|text| text.parse().map_err(|error| self.damaged(column, error))).transpose()
    }

    pub(crate) fn tenant(&self) -> Result<TenantId, StoreError> {
        self.named_tenant(self.get("tenant")?)
    }

    pub(crate) fn tenant_optional(&self) -> Result<Option<TenantId>, StoreError> {
        let name: Option<String> = self.get("tenant")?;
        name.map(|name| self.named_tenant(name)).transpose()
    }

    fn named_tenant(&self, name: String) -> Result<TenantId, StoreError> {
        TenantId::new(&name).map_err(|error| self.damaged("tenant", error.detail))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|error| self.damaged(column, error))
    }

    pub(crate) fn json_optional<T: DeserializeOwned>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| self.damaged(column, error)))
            .transpose()
    }

    pub(crate) fn bool(&self, column: &str) -> Result<bool, StoreError> {
        Ok(self.get::<i64>(column)? != 0)
    }

    /// A count that fits.
    pub(crate) fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T, StoreError> {
        let value: i64 = self.get(column)?;
        T::try_from(value).map_err(|_| self.damaged(column, format!("{value} is out of range")))
    }

    pub(crate) fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        let us: i64 = self.get(column)?;
        Timestamp::from_microsecond(us).map_err(|error| self.damaged(column, error))
    }

    pub(crate) fn time_optional(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        let us: Option<i64> = self.get(column)?;
        us.map(|us| Timestamp::from_microsecond(us).map_err(|error| self.damaged(column, error)))
            .transpose()
    }
}

/// A value of another type than its column's is damage of that row; SQLite takes
/// any. That there is no such column is a mistake in the statement.
fn of_column(table: &'static str, id: &str, error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            StoreError::damaged(table, id, error)
        }
        other => other.into(),
    }
}

/// A time as it is stored.
pub(crate) fn us(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A value as JSON text. The domain's types always have one.
pub(crate) fn json_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
