//! The shop that tests of orders begin with.

use serde_json::json;

use super::Process;
use crate::orders::{NewOrder, NewProduct, Order};

/// `POST /products` for a product with so many units at 1 000 cents, in so many lanes.
#[must_use]
pub fn new_product(stock: u32, lanes: u32) -> NewProduct {
    let name = "Limited Edition Product";
    let product = json!({"name": name, "price": 1000, "stock": stock, "merchant_id": "merchant_001", "lanes": lanes});
    serde_json::from_value(product).expect("a fit product")
}

/// `POST /orders` for so many units.
#[must_use]
pub fn new_order(product: u32, quantity: u32, buyer: &str) -> NewOrder {
    let order = json!({"product_id": product, "quantity": quantity, "buyer_id": buyer});
    serde_json::from_value(order).expect("a fit order")
}

impl Process {
    /// Creates a product with so many units in the default number of lanes; answers its id.
    pub async fn product(&self, stock: u32) -> u32 {
        let new = new_product(stock, crate::orders::stock::DEFAULT_LANES);
        let created = self.app.orders().create_product(new, None, self.app.now()).await;
        created.expect("a product").product.id
    }

    /// Places an order.
    pub async fn order(&self, product: u32, quantity: u32, buyer: &str) -> Order {
        let placed = self.app.orders().place(new_order(product, quantity, buyer), None, self.app.now()).await;
        placed.expect("an order").order
    }
}
