//! Lists in pages: `limit`, `cursor`, and the answer's form.

use std::fmt::Display;
use std::str::FromStr;

use alerts_store::Page;
use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// Most items on a page: a page of large deliveries stays below a megabyte.
const MAX_LIMIT: u32 = 200;
/// Items on a page when nobody says.
const DEFAULT_LIMIT: u32 = 50;

/// One page of a list, the newest item first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Listed<T> {
    /// The items.
    pub(crate) data: Vec<T>,
    /// Give this as `cursor` to get the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// Query parameters of a list without filters.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items on the page; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// The page's size.
pub(crate) fn limit(given: Option<u32>) -> Result<u32, Problem> {
    match given {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(_) => Err(Problem::field("/limit", format!("must be from 1 to {MAX_LIMIT}"))),
    }
}

/// The item before which the page begins.
pub(crate) fn cursor<T: FromStr>(given: Option<&str>) -> Result<Option<T>, Problem> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            let detail = "is not a cursor of this list; give `next_cursor` as it was answered";
            Problem::field("/cursor", detail)
        })
    };
    given.map(read).transpose()
}

impl<T> Listed<T> {
    /// A page as the store gave it. The cursor is the last item's id.
    pub(crate) fn of<R, I: Display>(
        page: Page<R>,
        id: impl Fn(&R) -> I,
        view: impl Fn(R) -> T,
    ) -> Self {
        let last = page.items.last().filter(|_| page.has_more);
        let next_cursor = last.map(|item| id(item).to_string());
        Self { data: page.items.into_iter().map(view).collect(), next_cursor }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use alerts_domain::Timestamp;
    use alerts_domain::id::RuleId;

    use super::*;

    #[test]
    fn a_limit_out_of_range_is_refused() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some(200)).unwrap(), 200);
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
    }

    #[test]
    fn a_cursor_is_the_last_items_id_and_of_one_kind() {
        let ids = [2, 1].map(|random| RuleId::new(Timestamp::UNIX_EPOCH, random));
        let page = Page { items: ids.to_vec(), has_more: true };
        let listed = Listed::of(page, |id| *id, |id| id);
        assert_eq!(listed.next_cursor, Some(ids[1].to_string()));
        let read = cursor::<RuleId>(listed.next_cursor.as_deref()).unwrap();
        assert_eq!(read, Some(ids[1]));
        assert!(cursor::<RuleId>(Some("wh_x")).is_err());
        let last = Listed::of(Page { items: ids.to_vec(), has_more: false }, |id| *id, |id| id);
        assert_eq!(last.next_cursor, None);
    }
}
