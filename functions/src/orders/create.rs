//! `POST /orders`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    orders::{NewOrder, Order, OrderToken, Placed},
};
use serde::Serialize;

/// An order with its own token. No other answer has the token.
#[derive(Debug, Serialize)]
struct PlacedOrder {
    #[serde(flatten)]
    order: Order,
    order_token: OrderToken,
}

/// Places an order, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let order: NewOrder = http::body(&request)?;
    let key = http::idempotency_key(&request)?;
    let now = app.now();
    // First, so that no order is placed whose token cannot be answered.
    let token_keys = app.order_tokens().keys(now).await?;
    let Placed { order, replayed } = app.orders().place(order, key.as_ref(), now).await?;
    let placed = PlacedOrder { order_token: token_keys.sign(order.id), order };
    let location = format!("/orders/{}", placed.order.id);
    Ok(Reply::created(&location, &placed).replayed(replayed))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, Instance, sample};
    use serde_json::{Value, json};

    use super::*;
    use crate::orders::checks::assert_invalid;

    async fn instance_with_product() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(100).await;
        (cloud, instance)
    }

    fn post(body: impl std::fmt::Display) -> Call {
        Call::new("POST", "/orders").body(body)
    }

    fn order() -> Value {
        json!({"product_id": 1, "quantity": 2, "buyer_id": "user-123"})
    }

    #[tokio::test]
    async fn an_order_is_returned_as_it_is_stored() {
        let (_cloud, instance) = instance_with_product().await;
        let answer = post(order()).header("x-request-id", "mine").to(&instance, handle).await;
        assert_eq!(
            (answer.status, &answer.headers["x-request-id"]),
            (201, &"mine".parse().expect("ascii"))
        );
        let id: uuid::Uuid = answer.body["id"].as_str().expect("an id").parse().expect("a UUID");
        assert_eq!(answer.headers["location"], format!("/orders/{id}"));
        let created_at = answer.body["created_at"].clone();
        assert!(created_at.as_str().is_some_and(|time| time.ends_with('Z')));
        let keys = instance.app.order_tokens().keys(instance.app.now()).await.expect("the secret");
        let mut body = answer.body.clone();
        let token = body.as_object_mut().expect("an object").remove("order_token");
        assert_eq!(token, Some(json!(keys.sign(id))));
        assert_eq!(
            body,
            json!({
                "id": id, "product_id": 1, "buyer_id": "user-123", "quantity": 2,
                "status": "CONFIRMED", "total_cents": 2000,
                "created_at": created_at, "updated_at": created_at,
            })
        );
        let stored = instance.app.orders().get(id).await.expect("a read").expect("stored");
        assert_eq!(serde_json::to_value(stored.order).expect("JSON"), body);
    }

    #[tokio::test]
    async fn without_the_secret_of_tokens_no_order_is_placed() {
        let (cloud, _) = instance_with_product().await;
        cloud.services().remove_order_secret();
        let instance = cloud.instance();
        let answer = post(order()).to(&instance, handle).await;
        assert_eq!((answer.status, answer.code()), (503, "SECRET_UNAVAILABLE"));
        let product = instance.app.orders().product(1).await.expect("a read").expect("the product");
        assert_eq!(product.stock, 100);
    }

    #[tokio::test]
    async fn the_key_of_an_operator_is_for_one_buyer_and_that_of_anybody_else_for_each() {
        let (_cloud, instance) = instance_with_product().await;
        let of = |buyer: &str| {
            let body = json!({"product_id": 1, "quantity": 2, "buyer_id": buyer});
            post(body).header("idempotency-key", "cart")
        };
        let operators = of("one").to(&instance, handle).await;
        assert_eq!(operators.status, 201);
        let other = of("two").to(&instance, handle).await;
        assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
        let mut placed = vec![operators.body["id"].clone()];
        for buyer in ["one", "two"] {
            let answer = of(buyer).anonymous().to(&instance, handle).await;
            assert_eq!(answer.status, 201, "{buyer}: {}", answer.body);
            assert!(!placed.contains(&answer.body["id"]), "an order of its own");
            placed.push(answer.body["id"].clone());
        }
    }

    #[tokio::test]
    async fn the_sample_event_places_an_order() {
        let (_cloud, instance) = instance_with_product().await;
        let reply = handle(instance.app.clone(), sample("order-create")).await;
        assert!(reply.is_ok(), "{reply:?}");
    }

    #[tokio::test]
    async fn a_repeat_with_the_same_key_is_marked_as_replayed() {
        let (_cloud, instance) = instance_with_product().await;
        let first = post(order()).header("idempotency-key", "cart").to(&instance, handle).await;
        // Two requests of one millisecond are both reported as new.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let second = post(order()).header("idempotency-key", "cart").to(&instance, handle).await;
        assert_eq!((first.status, second.status), (201, 201));
        assert_eq!(first.body, second.body);
        assert!(!first.headers.contains_key("idempotent-replayed"));
        assert_eq!(second.headers["idempotent-replayed"], "true");
        let other = json!({"product_id": 1, "quantity": 3, "buyer_id": "user-123"});
        let other = post(other).header("idempotency-key", "cart").to(&instance, handle).await;
        assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    }

    #[tokio::test]
    async fn an_order_that_cannot_be_placed_is_refused_with_the_reason() {
        let (_cloud, instance) = instance_with_product().await;
        let too_many = json!({"product_id": 1, "quantity": 101, "buyer_id": "user-123"});
        let answer = post(too_many).to(&instance, handle).await;
        assert_eq!((answer.status, answer.code()), (409, "OUT_OF_STOCK"));
        assert_eq!(answer.body["error"]["message"], "Insufficient stock");
        let unknown = json!({"product_id": 9, "quantity": 1, "buyer_id": "user-123"});
        let answer = post(unknown).to(&instance, handle).await;
        assert_eq!((answer.status, answer.code()), (404, "PRODUCT_NOT_FOUND"));
    }

    #[tokio::test]
    async fn invalid_input_is_rejected_with_its_field_and_sells_nothing() {
        let (_cloud, instance) = instance_with_product().await;
        let with = |name: &str, value: Value| {
            let mut order = order();
            order[name] = value;
            order.to_string()
        };
        let without = |name: &str| {
            let mut order = order();
            order.as_object_mut().expect("an object").remove(name);
            order.to_string()
        };
        let cases = [
            ("", "body"),
            ("   ", "body"),
            ("{", "body"),
            ("not json", "body"),
            ("[1, 2, \"user-123\"]", "body"),
            ("null", "body"),
            ("{} {}", "body"),
            (&format!("{} x", order()), "body"),
            (r#"{"product_id": 1, "product_id": 1, "quantity": 1, "buyer_id": "b"}"#, "product_id"),
            (&without("product_id"), "product_id"),
            (&without("quantity"), "quantity"),
            (&without("buyer_id"), "buyer_id"),
            (&with("discount", json!(5)), "discount"),
            (&with("quantity", json!("2")), "quantity"),
            (&with("quantity", json!(null)), "quantity"),
            (&with("quantity", json!(1.5)), "quantity"),
            (&with("quantity", json!(0)), "quantity"),
            (&with("quantity", json!(-1)), "quantity"),
            (&with("quantity", json!(1_000_001)), "quantity"),
            (&with("quantity", json!(4_294_967_297_u64)), "quantity"),
            (&with("quantity", json!(u64::MAX)), "quantity"),
            (
                r#"{"product_id": 1, "quantity": 99999999999999999999999, "buyer_id": "b"}"#,
                "quantity",
            ),
            (&with("product_id", json!(0)), "product_id"),
            (&with("product_id", json!("1")), "product_id"),
            (&with("buyer_id", json!("")), "buyer_id"),
            (&with("buyer_id", json!(" ")), "buyer_id"),
            (&with("buyer_id", json!("x".repeat(129))), "buyer_id"),
            (&with("buyer_id", json!("a\u{0}b")), "buyer_id"),
            (&with("buyer_id", json!(7)), "buyer_id"),
        ];
        for (body, field) in cases {
            let answer = post(body).to(&instance, handle).await;
            assert_invalid(&answer, field, body);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
        for key in ["", "a b", &"k".repeat(256)] {
            let answer = post(order()).header("idempotency-key", key).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "Idempotency-Key"), "{key:?}");
        }
        let answer = Call::new("POST", "/orders").to(&instance, handle).await;
        assert_eq!((answer.status, answer.field()), (400, "body"));
        let product = instance.app.orders().product(1).await.expect("a read").expect("the product");
        assert_eq!(product.stock, 100);
    }
}
