//! Buyers compete for a product's units.

use std::{collections::BTreeMap, error::Error};

use clap::Args;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api},
    crowd::Crowd,
    report::Run,
};

/// The scenario.
#[derive(Debug, Args)]
pub struct Rush {
    /// How many buyers want one unit each
    #[arg(long, default_value_t = 500)]
    buyers: u32,
    /// How many units there are
    #[arg(long, default_value_t = 100)]
    stock: u32,
    /// Over how many items the stock is split; the stack's default if not given
    #[arg(long)]
    lanes: Option<u32>,
    /// How many buyers order at the same moment; all if not given
    #[arg(long)]
    at_once: Option<usize>,
}

impl Rush {
    /// Creates the product, lets the buyers order, and counts.
    pub async fn run(self, api: &Api, run: &Run) -> Result<(), Box<dyn Error>> {
        let product = self.create_product(api).await?;
        let id = &product["id"];
        let at_once = self.at_once.unwrap_or(usize::try_from(self.buyers)?);
        run.say(format_args!(
            "Product {id} has {} units in {} lanes; {} buyers want one each, {at_once} at once.",
            self.stock, product["lanes"], self.buyers
        ));

        let buyers: Vec<u32> = (0..self.buyers).collect();
        let orders = buyers.iter().map(|&buyer| order(api, id, buyer));
        let crowd = Crowd::send(run, api, "orders", at_once, orders, Clone::clone).await;
        self.check(api, id, &crowd.counts, run).await
    }

    async fn create_product(&self, api: &Api) -> Result<Value, Box<dyn Error>> {
        let mut product = json!({
            "name": "Limited Edition Product", "price": 1000, "stock": self.stock, "merchant_id": "merchant_001",
        });
        if let Some(lanes) = self.lanes {
            product["lanes"] = lanes.into();
        }
        match api.post("/products", &product).await? {
            Answer { status: StatusCode::CREATED, body, .. } => Ok(body),
            Answer { status, body, .. } => {
                Err(format!("the product was refused: {status} {body}").into())
            }
        }
    }

    /// What must hold: every buyer got an answer, and every unit was sold once or is left.
    async fn check(
        &self,
        api: &Api,
        product: &Value,
        outcomes: &BTreeMap<String, u32>,
        run: &Run,
    ) -> Result<(), Box<dyn Error>> {
        let count = |outcome| outcomes.get(outcome).copied().unwrap_or_default();
        let (confirmed, refused) = (count(CONFIRMED), count(OUT_OF_STOCK));
        let left = api.get(&format!("/products/{product}")).await?.body["stock"].clone();
        let asked: u32 = outcomes.values().sum();
        let sold = asked.min(self.stock);
        run.holds(
            format!("sold + left = initial: {confirmed} + {left} = {}", self.stock),
            left == self.stock - confirmed,
        );
        run.holds(
            format!("exactly {sold} of {asked} orders succeed: {confirmed} do"),
            confirmed == sold,
        );
        run.holds(
            format!("all others are told that it is sold out: {refused} are"),
            refused == asked - sold,
        );
        Ok(())
    }
}

const CONFIRMED: &str = "201 CONFIRMED";
const OUT_OF_STOCK: &str = "409 OUT_OF_STOCK";

/// One buyer's order: what came of it.
async fn order(api: &Api, product: &Value, buyer: u32) -> String {
    let body = json!({"product_id": product, "quantity": 1, "buyer_id": format!("buyer-{buyer}")});
    match api.post("/orders", &body).await {
        Ok(Answer { status, body, .. }) => {
            let said = body["status"].as_str().or(body["error"]["code"].as_str()).unwrap_or("?");
            format!("{} {said}", status.as_u16())
        }
        Err(failure) => failure.to_string(),
    }
}
