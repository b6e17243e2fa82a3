//! The scenario `orders`: buyers compete for a product's units.
//!
//! Invariants: every unit is sold once or is left, and every other buyer gets `OUT_OF_STOCK`.

use std::{collections::BTreeMap, error::Error};

use clap::Args;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    burst::Burst,
    report::Run,
};

/// Arguments of the scenario.
#[derive(Debug, Args)]
pub struct Scenario {
    /// Number of buyers, who order one unit each
    #[arg(long, default_value_t = 500)]
    buyers: u32,
    /// Number of units in stock
    #[arg(long, default_value_t = 100)]
    stock: u32,
    /// Number of items over which the stock is split; the stack's default if omitted
    #[arg(long)]
    lanes: Option<u32>,
    /// Number of concurrent orders; as many as there are buyers if omitted
    #[arg(long)]
    at_once: Option<usize>,
}

impl Scenario {
    /// Creates the product, places the orders and checks the invariants.
    pub async fn run(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        let product = self.create_product(api).await?;
        let id = &product["id"];
        let at_once = self.at_once.unwrap_or(usize::try_from(self.buyers)?);
        run.note(format_args!(
            "Product {id} has {} units in {} lanes; {} buyers order one each, {at_once} at once.",
            self.stock, product["lanes"], self.buyers
        ));

        let buyers: Vec<u32> = (0..self.buyers).collect();
        let orders = buyers.iter().map(|&buyer| order(api, id, buyer));
        let burst = Burst::send(run, api, "orders", at_once, orders, Clone::clone).await;
        self.check(api, id, &burst.counts, run).await
    }

    async fn create_product(&self, api: &Api) -> Result<Value, Box<dyn Error>> {
        let mut product = json!({
            "name": "Limited Edition Product",
            "price": 1000,
            "stock": self.stock,
            "merchant_id": "merchant_001",
        });
        if let Some(lanes) = self.lanes {
            product["lanes"] = lanes.into();
        }
        match api.post("/products", &product).await? {
            Answer { status: StatusCode::CREATED, body, .. } => Ok(body),
            Answer { status, body, .. } => {
                Err(format!("product not created: {status} {body}").into())
            }
        }
    }

    async fn check(
        &self,
        api: &Api,
        product: &Value,
        counts: &BTreeMap<String, u32>,
        run: &Run,
    ) -> Result<(), Box<dyn Error>> {
        let count = |outcome| counts.get(outcome).copied().unwrap_or_default();
        let (confirmed, out_of_stock) = (count(CONFIRMED), count(OUT_OF_STOCK));
        let left = api.get(&format!("/products/{product}")).await?.body["stock"].clone();
        let orders: u32 = counts.values().sum();
        let sold = orders.min(self.stock);
        run.invariant(
            format!("sold + left = initial stock: {confirmed} + {left} = {}", self.stock),
            left == self.stock - confirmed,
        );
        run.invariant(
            format!("exactly {sold} of {orders} orders succeed: {confirmed} did"),
            confirmed == sold,
        );
        run.invariant(
            format!("all other orders get OUT_OF_STOCK: {out_of_stock} did"),
            out_of_stock == orders - sold,
        );
        Ok(())
    }
}

const CONFIRMED: &str = "201 CONFIRMED";
const OUT_OF_STOCK: &str = "409 OUT_OF_STOCK";

/// Places one order and returns its status code with the order's status or the error code.
async fn order(api: &Api, product: &Value, buyer: u32) -> String {
    let body = json!({"product_id": product, "quantity": 1, "buyer_id": format!("buyer-{buyer}")});
    match api.post("/orders", &body).await {
        Ok(Answer { status, body, .. }) => {
            let word = body["status"].as_str().or(body["error"]["code"].as_str()).unwrap_or("?");
            format!("{} {word}", status.as_u16())
        }
        Err(failure) => failure.to_string(),
    }
}
