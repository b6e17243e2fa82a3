//! `GET /orders?limit&offset` or `?limit&cursor`

use once::{
    App,
    cursor::{Cursor, Filter, Limit},
    http::{self, ApiError, Reply, Request},
    orders::{Offset, OrderPlace, PageStart},
};
use serde::Deserialize;

/// The parameters of a list of orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(default = "once::cursor::default_limit")]
    limit: Limit,
    offset: Option<Offset>,
    cursor: Option<Cursor<OrderPlace>>,
}

impl Query {
    fn start(self, filter: &Filter) -> Result<PageStart, ApiError> {
        match (self.offset, filter.place(self.cursor)?) {
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("offset", "cannot be combined with cursor"))
            }
            (None, Some(place)) => Ok(PageStart::After(place)),
            (Some(offset), None) => Ok(PageStart::Offset(offset)),
            (None, None) => Ok(PageStart::NEWEST),
        }
    }
}

/// Lists orders, newest first.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let query: Query = http::query(&request)?;
    let (limit, filter) = (query.limit, Filter::of("orders"));
    let page = app.orders().list(limit, &query.start(&filter)?).await?;
    Ok(Reply::ok(&filter.listed("orders", page)))
}

#[cfg(test)]
mod tests {
    use once::{
        cursor::Page,
        testing::{Call, Cloud},
    };
    use serde_json::json;

    use super::*;
    use crate::orders::checks::{
        assert_empty_list, assert_invalid, assert_invalid_paging, read_two_pages,
    };

    #[tokio::test]
    async fn orders_are_listed_newest_first_page_by_page() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(100).await;
        for buyer in ["one", "two", "three"] {
            instance.place_order(1, 1, buyer).await;
            // Orders of one millisecond are sorted by their ids.
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let orders = read_two_pages(&instance, "/orders", "orders", handle).await;
        let buyers: Vec<_> = orders.iter().map(|order| order["buyer_id"].as_str()).collect();
        assert_eq!(buyers, [Some("three"), Some("two"), Some("one")]);
        let page = Call::new("GET", "/orders?limit=2&offset=0").to(&instance, handle).await;
        assert_eq!(page.body["orders"].as_array().map(Vec::as_slice), Some(&orders[..2]));
        assert!(page.body["next_cursor"].is_string());
    }

    #[tokio::test]
    async fn a_list_without_orders_is_an_empty_page() {
        assert_empty_list("order-list", "/orders", "orders", handle).await;
    }

    #[tokio::test]
    async fn invalid_parameters_are_rejected() {
        assert_invalid_paging("/orders", handle).await;
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        // orders#2026-11-20T23:20:00Z#7
        let other_format = "b3JkZXJzIzIwMjYtMTEtMjBUMjM6MjA6MDBaIzc";
        let cursor = |list: &str| {
            let place: OrderPlace = "2026-11-20T23:20:00.000Z#0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
                .parse()
                .expect("a place");
            let page = Page { rows: vec![()], next: Some(place) };
            let listed = json!(Filter::of(list).listed("rows", page));
            listed["next_cursor"].as_str().expect("a cursor").to_owned()
        };
        for (query, field) in [
            ("offset=-1", "offset"),
            ("offset=1001", "offset"),
            ("offset=x", "offset"),
            (&format!("offset=1&cursor={}", cursor("orders")), "offset"),
            (&format!("cursor={}", cursor("settlements")), "cursor"),
            (&format!("cursor={other_format}"), "cursor"),
        ] {
            let answer = Call::new("GET", &format!("/orders?{query}")).to(&instance, handle).await;
            assert_invalid(&answer, field, query);
        }
    }
}
