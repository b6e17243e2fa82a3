//! Who is let in by a process: its own tokens, from its first start on.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use crate::{
    api::{Api, Call},
    folder::Folder,
    program::Once,
};

fn product() -> Call {
    let body = json!({"name": "Mug", "price": 900, "stock": 5, "merchant_id": "merchant_001"});
    Call::post("/products", body)
}

async fn status(api: &Api, call: Call) -> u16 {
    api.answer(&call).await.status
}

#[tokio::test]
async fn a_process_makes_a_token_of_each_role_and_lets_nobody_else_in() {
    let folder = Folder::new();
    let once = Once::start(&folder, []);
    for name in ["env", "keys.json", "secrets.json"] {
        let file = fs::metadata(folder.path("data").join(name)).expect(name);
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
    let read = once.api_with(Some(once.variable("ONCE_READ_TOKEN")));
    let [nobody, stranger] = [None, Some("stranger".to_owned())].map(|token| once.api_with(token));
    for (api, get, post) in
        [(&once.api(), 200, 201), (&read, 200, 403), (&nobody, 401, 401), (&stranger, 401, 401)]
    {
        assert_eq!(status(api, Call::get("/orders")).await, get);
        assert_eq!(status(api, product()).await, post);
    }
    assert_eq!(status(&nobody, Call::get("/products")).await, 200, "products are shown to all");
    once.stop();
}

#[tokio::test]
async fn a_buyer_has_the_token_of_the_order_also_after_a_start_again() {
    let folder = Folder::new();
    let once = Once::start(&folder, []);
    once.api().answer(&product()).await.expect(201, &product());
    let order = Call::post("/orders", json!({"product_id": 1, "quantity": 1, "buyer_id": "b"}));
    let order = order.key("d4f7c2a0-a-key-that-nobody-guesses");
    let placed = once.api_with(None).answer(&order).await.expect(201, &order);
    once.stop();

    let once = Once::start(&folder, []);
    let nobody = once.api_with(None);
    assert_eq!(nobody.answer(&order).await.expect(201, &order), placed, "with the same token");
    let path = format!("/orders/{}", placed["id"].as_str().expect("an id"));
    let token = placed["order_token"].as_str().expect("a token");
    assert_eq!(status(&nobody, Call::get(&path)).await, 401);
    assert_eq!(status(&nobody, Call::get(&path).order_token("other")).await, 403);
    assert_eq!(status(&nobody, Call::get(&path).order_token(token)).await, 200);
    let cancel = Call::trigger(format!("{path}/cancel")).order_token(token);
    assert_eq!(nobody.answer(&cancel).await.expect(200, &cancel)["status"], "CANCELLED");
    once.stop();
    let log = fs::read_to_string(folder.path("log")).expect("a log");
    assert!(log.contains("Order placed") && !log.contains(token), "a log has no token");
}

#[tokio::test]
async fn a_parameter_closes_what_is_open_by_default() {
    let folder = Folder::new();
    let switches = ["AcceptNeedsToken", "OrdersNeedToken", "TestNeedsToken"];
    let parameters = switches.map(|name| format!("{name}=true"));
    let options = parameters.iter().flat_map(|parameter| ["--parameter", parameter]);
    let once = Once::start(&folder, options);
    let nobody = once.api_with(None);
    for call in [
        Call::get("/api/verve/accept?id=1"),
        Call::post("/orders", json!({})),
        Call::post("/test", json!({})),
    ] {
        assert_eq!(status(&nobody, call.clone()).await, 401, "{call:?}");
        assert!(matches!(status(&once.api(), call.clone()).await, 200 | 400), "{call:?}");
    }
    once.stop();
}
