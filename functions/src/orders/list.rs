//! `GET /orders?limit&offset` or `?limit&cursor`

use once::{
    App,
    cursor::Limit,
    http::{self, ApiError, Reply, Request},
    orders::{Cursor, From, Offset, Order},
};
use serde::{Deserialize, Serialize};

/// Which orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(default = "once::cursor::default_limit")]
    limit: Limit,
    offset: Option<Offset>,
    cursor: Option<Cursor>,
}

/// A page.
#[derive(Debug, Serialize)]
struct Listed {
    orders: Vec<Order>,
    next_cursor: Option<Cursor>,
}

impl Query {
    fn from(self) -> Result<From, ApiError> {
        match (self.offset, self.cursor) {
            (Some(_), Some(_)) => Err(ApiError::invalid("offset", "cannot be given with a cursor")),
            (None, Some(cursor)) => Ok(From::Cursor(cursor)),
            (Some(offset), None) => Ok(From::Offset(offset)),
            (None, None) => Ok(From::NEWEST),
        }
    }
}

/// Orders, newest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let query: Query = http::query(&request)?;
    let limit = query.limit;
    let page = app.orders().list(limit, &query.from()?).await?;
    Ok(Reply::ok(&Listed { orders: page.rows, next_cursor: page.next }))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, sample};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn pages_follow_each_other_by_their_cursor() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.product(100).await;
        for buyer in ["one", "two", "three"] {
            instance.order(1, 1, buyer).await;
        }
        let first = Call::new("GET", "/orders?limit=2&offset=0").to(&instance, handle).await;
        assert_eq!((first.status, first.body["orders"].as_array().map(Vec::len)), (200, Some(2)));
        let cursor = first.body["next_cursor"].as_str().expect("more");
        let second = Call::new("GET", &format!("/orders?limit=2&cursor={cursor}"))
            .to(&instance, handle)
            .await;
        assert_eq!(
            (second.body["orders"].as_array().map(Vec::len), &second.body["next_cursor"]),
            (Some(1), &json!(null))
        );
    }

    #[tokio::test]
    async fn the_sample_lists_nothing_where_there_is_nothing() {
        let cloud = Cloud::start().await;
        assert!(handle(cloud.instance().app, sample("order-list")).await.is_ok());
        let answer = Call::new("GET", "/orders").to(&cloud.instance(), handle).await;
        assert_eq!((answer.status, answer.body), (200, json!({"orders": [], "next_cursor": null})));
    }

    #[tokio::test]
    async fn bad_parameters_are_refused_by_name() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let of_another_form = "MjAyNi0xMS0yMFQyMzoyMDowMFojNw";
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=101", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("offset=-1", "offset"),
            ("offset=1001", "offset"),
            ("offset=x", "offset"),
            ("cursor=", "cursor"),
            ("cursor=x", "cursor"),
            ("cursor=%25", "cursor"),
            (&format!("cursor={of_another_form}"), "cursor"),
            ("page=2", "page"),
        ] {
            let answer = Call::new("GET", &format!("/orders?{query}")).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{query}: {}",
                answer.body
            );
        }
        let cursor =
            "MjAyNi0xMS0yMFQyMzoyMDowMC4wMDBaIzAxOTlhM2M0LTVlNmYtN2E4Yi05YzBkLTFlMmYzYTRiNWM2ZA";
        let both = Call::new("GET", &format!("/orders?offset=1&cursor={cursor}"))
            .to(&instance, handle)
            .await;
        assert_eq!((both.status, both.field()), (400, "offset"));
    }
}
