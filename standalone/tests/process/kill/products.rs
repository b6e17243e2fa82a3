//! Products with their stock, their orders and cancellations.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::api::{Answer, Api, Call};

/// Buyers at a time.
const BUYERS: u64 = 4;

const PRICE_CENTS: u64 = 1_999;

/// The products, one of each round, and all orders.
#[derive(Default)]
pub struct Products {
    all: Vec<Product>,
    orders: Vec<Order>,
    /// The number of orders that are checked.
    checked: usize,
}

/// A product of a merchant who has no other one.
struct Product {
    call: Call,
    merchant: String,
    stock: u64,
    /// Its id, once it was answered.
    id: Option<u64>,
}

struct Order {
    call: Call,
    /// The product's id.
    product: u64,
    quantity: u64,
    state: State,
}

/// What is known of an order. Placed ones have the answer.
enum State {
    Unanswered,
    Refused,
    Placed(Value),
    /// Its cancellation is not answered.
    Cancelling(Value),
    Cancelled(Value),
}

impl Products {
    /// Makes a product, and has buyers order it and those before.
    pub async fn run(&mut self, api: &Api) {
        let mut product = Product::new(self.all.len());
        let made = product.send(api).await;
        self.all.push(product);
        if made.is_none() {
            return;
        }
        let ids: Vec<u64> = self.all.iter().filter_map(|product| product.id).collect();
        let round = self.all.len();
        let buyers = (0..BUYERS).map(|buyer| buy(api, format!("{round}-{buyer}"), &ids));
        self.orders.extend(join_all(buyers).await.into_iter().flatten());
    }

    /// Sends all that was not answered again, and compares the new orders and all stocks.
    pub async fn check(&mut self, api: &Api) {
        if let Some(product) = self.all.last_mut() {
            let id = product.id;
            product.send(api).await.expect("the process lives");
            assert!(id.is_none_or(|id| product.id == Some(id)), "{:?} is another", product.call);
        }
        for order in &mut self.orders[self.checked..] {
            order.decide(api).await;
            order.check(api).await;
        }
        self.checked = self.orders.len();
        for product in &self.all {
            let id = product.id.expect("it is made");
            let sold: u64 = self.of(id).filter(|order| order.is_confirmed()).map(units).sum();
            let stock = api.get(format!("/products/{id}")).await["stock"].as_u64();
            assert_eq!(stock, Some(product.stock - sold), "the stock of product {id}");
        }
    }

    /// Compares all orders with the list, and the ledger with the orders.
    pub async fn end(&self, api: &Api) {
        let listed = api.list("/orders", "orders").await;
        let listed = listed.iter().map(|order| (order["id"].as_str(), order["status"].as_str()));
        let known = self
            .orders
            .iter()
            .filter_map(|order| Some((Some(order.body()?["id"].as_str()?), Some(order.status()))));
        let (mut listed, mut known): (Vec<_>, Vec<_>) = (listed.collect(), known.collect());
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known, "all orders");
        let mut made = api.list("/products", "products").await;
        made.retain(|product| product["merchant_id"].as_str().is_some_and(is_own_merchant));
        assert_eq!(made.len(), self.all.len(), "a product is made once");
        for product in &self.all {
            let orders = self.of(product.id.expect("it is made"));
            product.check_ledger(api, &orders.collect::<Vec<_>>()).await;
        }
        println!("{} orders of {} products", known.len(), self.all.len());
    }

    fn of(&self, product: u64) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(move |order| order.product == product)
    }
}

/// Whether a merchant is not one of the seeded ones.
fn is_own_merchant(id: &str) -> bool {
    id.starts_with("merchant-")
}

fn units(order: &Order) -> u64 {
    order.quantity
}

/// Orders until the process dies.
async fn buy(api: &Api, buyer: String, products: &[u64]) -> Vec<Order> {
    let mut orders = Vec::new();
    for number in 0.. {
        let newest = products.len() - 1;
        let product = products[if fastrand::bool() { newest } else { fastrand::usize(..=newest) }];
        let mut order = Order::new(&buyer, number, product);
        let lives = order.place(api).await.is_some();
        orders.push(order);
        if !lives {
            break;
        }
    }
    orders
}

impl Product {
    fn new(number: usize) -> Self {
        let merchant = format!("merchant-{number}");
        let stock = fastrand::u64(10..=400);
        let body = json!({
            "name": format!("Product {number}"), "price": PRICE_CENTS, "stock": stock,
            "merchant_id": merchant, "lanes": fastrand::u8(1..=16),
        });
        let call = Call::post("/products", body).key(format!("product-{number}"));
        Self { call, merchant, stock, id: None }
    }

    async fn send(&mut self, api: &Api) -> Option<()> {
        let answer = api.send(&self.call).await?;
        self.id = answer.expect(201, &self.call)["id"].as_u64();
        Some(())
    }

    /// Compares the merchant's figures, which are sums of the ledger, with the orders.
    async fn check_ledger(&self, api: &Api, orders: &[&Order]) {
        let company = json!({"name": self.merchant, "employees": 1});
        let put = Call::put(format!("/companies/{}", self.merchant), company);
        api.answer(&put).await.expect(200, &put);
        let figures = api.get(format!("/api/sales?companyId={}", self.merchant)).await;
        let placed = orders.iter().filter(|order| order.body().is_some()).count();
        let kept: Vec<_> = orders.iter().filter(|order| order.is_confirmed()).collect();
        let gross: u64 = kept.iter().map(|order| order.quantity * PRICE_CENTS).sum();
        let found = ["sales", "reversals", "gross_cents"].map(|name| figures[name].as_u64());
        let expected = [placed as u64, (placed - kept.len()) as u64, gross];
        assert_eq!(found, expected.map(Some), "the ledger of {}", self.merchant);
    }
}

impl Order {
    fn new(buyer: &str, number: u32, product: u64) -> Self {
        let quantity = fastrand::u64(1..=3);
        let body = json!({"product_id": product, "quantity": quantity, "buyer_id": buyer});
        let call = Call::post("/orders", body).key(format!("{buyer}-{number}"));
        Self { call, product, quantity, state: State::Unanswered }
    }

    /// Places the order, sometimes twice, and cancels some.
    async fn place(&mut self, api: &Api) -> Option<()> {
        if fastrand::u8(..5) == 0 {
            let answers = tokio::join!(api.send(&self.call), api.send(&self.call));
            for answer in <[_; 2]>::from(answers) {
                self.record(answer.as_ref());
            }
        }
        self.send(api).await?;
        if fastrand::u8(..5) == 0 {
            self.cancel(api).await?;
        }
        Some(())
    }

    async fn send(&mut self, api: &Api) -> Option<()> {
        let answer = api.send(&self.call).await;
        self.record(answer.as_ref());
        answer.map(drop)
    }

    /// Takes the answer to the request, which all of its repetitions get too.
    fn record(&mut self, answer: Option<&Answer>) {
        let state = match answer {
            Some(answer) if answer.status == 201 => State::Placed(answer.json()),
            Some(answer) if answer.json()["error"]["code"] == "OUT_OF_STOCK" => State::Refused,
            Some(answer) if answer.status != 503 => panic!("{:?}: {answer}", self.call),
            _ => State::Unanswered,
        };
        match (&self.state, state) {
            (State::Placed(before), State::Placed(now)) => assert_eq!(before, &now),
            (State::Placed(before), State::Refused) => panic!("{before} is refused now"),
            (State::Placed(_), _) => {}
            // One that was refused may be placed by a repetition: units of others come back.
            (_, state) => self.state = state,
        }
    }

    async fn cancel(&mut self, api: &Api) -> Option<()> {
        let (State::Placed(order) | State::Cancelling(order)) = &self.state else {
            return Some(());
        };
        let order = order.clone();
        let id = order["id"].as_str().expect("an id");
        let token = order["order_token"].as_str().expect("a token");
        let call = Call::trigger(format!("/orders/{id}/cancel")).order_token(token);
        self.state = State::Cancelling(order.clone());
        let answer = api.send(&call).await?;
        assert_eq!(answer.expect(200, &call)["status"], "CANCELLED");
        self.state = State::Cancelled(order);
        Some(())
    }

    /// Sends again what was not answered.
    async fn decide(&mut self, api: &Api) {
        match self.state {
            State::Unanswered => self.send(api).await.expect("the process lives"),
            State::Cancelling(_) => self.cancel(api).await.expect("the process lives"),
            _ => {}
        }
        assert!(!matches!(self.state, State::Unanswered), "{:?}", self.call);
    }

    /// Compares the order with what is stored.
    async fn check(&self, api: &Api) {
        let Some(order) = self.body() else { return };
        let id = order["id"].as_str().expect("an id");
        let stored = api.get(format!("/orders/{id}")).await;
        let changed = if self.is_confirmed() { &[][..] } else { &["status", "updated_at"] };
        let mut order = order.clone();
        order.as_object_mut().expect("an order").remove("order_token").expect("its token");
        for (name, value) in order.as_object().expect("an order") {
            if !changed.contains(&name.as_str()) {
                assert_eq!(&stored[name], value, "{name} of {order}");
            }
        }
        assert_eq!(stored["status"], self.status(), "{order}");
    }

    /// Returns the order as it was placed, if it was.
    fn body(&self) -> Option<&Value> {
        match &self.state {
            State::Unanswered | State::Refused => None,
            State::Placed(order) | State::Cancelling(order) | State::Cancelled(order) => {
                Some(order)
            }
        }
    }

    fn is_confirmed(&self) -> bool {
        matches!(self.state, State::Placed(_))
    }

    fn status(&self) -> &'static str {
        if self.is_confirmed() { "CONFIRMED" } else { "CANCELLED" }
    }
}
