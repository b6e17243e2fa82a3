//! How the process starts and stops.

use std::{
    io::{Read, Write},
    net::TcpStream,
    slice,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    api::{Api, Call},
    folder::Folder,
    program::{Once, serve},
};

fn product() -> Call {
    let body = json!({"name": "Unit", "price": 1000, "stock": 10, "merchant_id": "m"});
    Call::post("/products", body)
}

fn order() -> Value {
    json!({"product_id": 1, "quantity": 2, "buyer_id": "buyer"})
}

async fn place_order(api: &Api) -> Value {
    let call = Call::post("/orders", order());
    api.answer(&call).await.expect(201, &call)
}

/// Asserts that the only order is this one, and that its units are sold.
async fn assert_only_order(api: &Api, placed: &Value) {
    let mut order = placed.clone();
    order.as_object_mut().expect("an order").remove("order_token");
    assert_eq!(api.list("/orders", "orders").await, slice::from_ref(&order));
    assert_eq!(api.get("/products/1").await["stock"], 8);
}

#[tokio::test]
async fn a_start_a_stop_and_a_start_again_keep_the_data() {
    let folder = Folder::new();
    let once = Once::start(&folder, []);
    let api = once.api();
    api.answer(&product()).await.expect(201, &product());
    let order = place_order(&api).await;
    once.stop();
    for signal in ["-TERM", "-INT"] {
        let once = Once::start(&folder, []);
        assert_only_order(&once.api(), &order).await;
        once.signal(signal);
        assert!(once.end().success(), "{signal}");
    }
}

#[tokio::test]
async fn a_stop_answers_the_request_in_flight_and_accepts_no_other() {
    let folder = Folder::new();
    let once = Once::start(&folder, []);
    once.api().answer(&product()).await.expect(201, &product());

    let body = order().to_string();
    let mut stream = TcpStream::connect(once.address()).expect("connects");
    let head = format!(
        "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut reading = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut reading).expect("the body is awaited");
    assert_eq!(&reading, b"HTTP/1.1 100 Continue\r\n\r\n");
    once.signal("-TERM");
    while TcpStream::connect(once.address()).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stream.write_all(body.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer, and the end of the connection");
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(once.end().success());

    let (_, order) = answer.split_once("\r\n\r\n").expect("a body");
    let order = serde_json::from_str(order).expect("an order");
    let once = Once::start(&folder, []);
    assert_only_order(&once.api(), &order).await;
    once.stop();
}

#[tokio::test]
async fn data_in_memory_leaves_no_folder_behind() {
    let folder = Folder::new();
    let once = Once::spawn(&mut serve(["--memory"]), &folder);
    let data = once.env().parent().expect("a folder").to_owned();
    assert!(data.join("once.db").is_file());
    once.api().answer(&product()).await.expect(201, &product());
    place_order(&once.api()).await;
    once.stop();
    assert!(!data.exists(), "{} is left", data.display());
}
