//! `GET /orders?limit&offset` or `?limit&cursor`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    limits::Bounded,
    orders::{Cursor, From, Limit},
};
use serde::Deserialize;
use serde_json::json;

/// Which orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(default = "Limit::default_page")]
    limit: Limit,
    offset: Option<Bounded<0, 1_000>>,
    cursor: Option<Cursor>,
}

impl Query {
    fn from(self) -> Result<From, ApiError> {
        match (self.offset, self.cursor) {
            (Some(_), Some(_)) => Err(ApiError::invalid("offset", "cannot be given with a cursor")),
            (None, Some(cursor)) => Ok(From::Cursor(cursor)),
            (offset, None) => Ok(From::Offset(offset.unwrap_or_default())),
        }
    }
}

/// Orders, newest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let query: Query = http::query(&request)?;
    let limit = query.limit;
    let page = app.orders().list(limit, &query.from()?).await?;
    Ok(Reply::ok(&json!({"orders": page.rows, "next_cursor": page.next})))
}
