//! A corrupt file, and a full disk.

use std::{fs, process::Command};

use serde_json::json;

use crate::{
    api::{Api, Call},
    folder::Folder,
    program::{ONCE, Once, refusal, serve_data},
};

/// The largest file of a process with a full disk, in bytes: the log of a start, and some more.
const MAX_FILE_BYTES: u64 = 512 << 10;

#[test]
fn a_corrupt_file_is_named() {
    for name in ["once.db", "keys.json", "secrets.json"] {
        let folder = Folder::new();
        Once::start(&folder, []).stop();
        let path = folder.path("data").join(name);
        let mut content = fs::read(&path).expect("a file");
        let page = content.len().min(4096);
        content[..page].fill_with(|| fastrand::u8(b'!'..=b'~'));
        fs::write(&path, content).expect("written");
        let message = refusal(&mut serve_data(&folder, []));
        assert!(message.contains(path.to_str().expect("text")), "{message}");
    }
}

/// Places orders until one is not placed, 2 000 at most, and returns the bodies of the answers.
async fn orders_until_full(api: &Api) -> Vec<serde_json::Value> {
    let mut orders = Vec::new();
    for number in 0..2_000 {
        let body = json!({"product_id": 1, "quantity": 1, "buyer_id": "b".repeat(128)});
        let call = Call::post("/orders", body).key(format!("order-{number}"));
        let answer = api.answer(&call).await;
        if answer.status != 201 {
            assert_eq!(answer.status, 503, "{answer}");
            return orders;
        }
        let mut order = answer.json();
        order.as_object_mut().expect("an order").remove("order_token");
        orders.push(order);
    }
    panic!("the disk is not full")
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_nothing() {
    let folder = Folder::new();
    let once = Once::start(&folder, []);
    let stock = json!({"name": "Unit", "price": 1, "stock": 100_000, "merchant_id": "m"});
    let product = Call::post("/products", stock);
    once.api().answer(&product).await.expect(201, &product);
    once.stop();

    let mut limited = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", MAX_FILE_BYTES / 512);
    limited.args(["-c", &script, "sh", ONCE, "serve", "--port", "0", "--data"]);
    let once = Once::spawn(limited.arg(folder.path("data")), &folder);
    let api = once.api();
    let placed = orders_until_full(&api).await;
    assert!(placed.len() > 10, "{} orders", placed.len());
    api.get(format!("/orders/{}", placed[0]["id"].as_str().expect("an id"))).await;
    once.stop();

    let once = Once::start(&folder, []);
    let api = once.api();
    let listed = api.list("/orders", "orders").await;
    for order in &placed {
        assert!(listed.contains(order), "{order} is lost");
    }
    let stock = api.get("/products/1").await["stock"].as_u64();
    assert_eq!(stock, Some(100_000 - listed.len() as u64));
    once.stop();
}
