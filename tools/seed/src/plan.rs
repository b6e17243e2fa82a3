//! The companies, products and transactions of a plan, each generated from its number alone.
//!
//! Transactions come in blocks of fifty, and the last of a block reverses one of the other 49: two
//! percent are reversals, no sale is reversed twice, and the first transactions do not depend on
//! the number of later ones. Their times are distributed evenly over all days, so that concurrent
//! writes go to many partitions of the ledger.

use clap::Args;
use once::{
    company::{CompanyId, NewProfile},
    idempotency::{IdempotencyKey, InvalidKey},
    ledger::{Entry, fee_cents},
    orders::NewProduct,
    time::{Day, Timestamp},
};
use serde_json::json;
use uuid::Uuid;

use crate::random::SplitMix64;

/// Number of transactions in a block, the last of which is a reversal.
const BLOCK: u64 = 50;

/// Lowest and highest price of a product, in cents.
const PRICE_CENTS: (i64, i64) = (50, 49_999);

/// Lowest and highest fee of a product, in basis points.
const FEE_BASIS_POINTS: (i64, i64) = (0, 500);

/// Maximum units of an order.
const MAX_UNITS: i64 = 5;

/// Initial units of a product.
const STOCK: u32 = 1_000_000;

/// Lowest and highest number of employees of a company.
const EMPLOYEES: (i64, i64) = (1, 250);

/// Defaults of the arguments.
const MERCHANTS: u16 = 50;
const PRODUCTS: u16 = 100;
const TRANSACTIONS: u64 = 100_000;
const DAYS: u16 = 30;
const SEED: u64 = 7;

/// The arguments that determine the companies, products and transactions.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Plan {
    /// Number of merchants: `merchant_001` and so on
    #[arg(
        long,
        default_value_t = MERCHANTS,
        value_parser = clap::value_parser!(u16).range(1..=999)
    )]
    pub merchants: u16,
    /// Number of products, assigned to the merchants in turn
    #[arg(
        long,
        default_value_t = PRODUCTS,
        value_parser = clap::value_parser!(u16).range(1..=1_000)
    )]
    pub products: u16,
    /// Number of transactions: sales, and one reversal for each 49 of them
    #[arg(
        long,
        default_value_t = TRANSACTIONS,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000)
    )]
    pub transactions: u64,
    /// Number of UTC days over which the transactions are distributed
    #[arg(
        long,
        default_value_t = DAYS,
        value_parser = clap::value_parser!(u16).range(1..=3_660)
    )]
    pub days: u16,
    /// Last of these days, in UTC; yesterday if omitted
    #[arg(long, default_value_t = yesterday())]
    pub until: Day,
    /// Seed of the random numbers; another seed gives other companies, products and transactions
    #[arg(long, default_value_t = SEED)]
    pub seed: u64,
}

fn merchant_id(number: u16) -> String {
    format!("merchant_{number:03}")
}

/// Returns the last UTC day that is over.
fn yesterday() -> Day {
    Day::of(Timestamp::now()).plus(-1)
}

impl Plan {
    /// Returns the default plan with this last day.
    #[must_use]
    pub fn until(until: Day) -> Self {
        Self {
            merchants: MERCHANTS,
            products: PRODUCTS,
            transactions: TRANSACTIONS,
            days: DAYS,
            until,
            seed: SEED,
        }
    }

    /// Returns the start of the first day.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.until.plus(1 - i64::from(self.days)).start()
    }

    /// Returns the merchants as companies. Each depends only on its number and the seed: plans that
    /// differ in other arguments share them.
    ///
    /// # Errors
    /// None within the bounds of the arguments.
    pub fn companies(&self) -> Result<Vec<(CompanyId, NewProfile)>, serde_json::Error> {
        let stream = SplitMix64::stream([self.seed]);
        let company = |number: u16| {
            let employees =
                SplitMix64::new(stream, number.into()).between(EMPLOYEES.0, EMPLOYEES.1);
            let profile = json!({"name": format!("Merchant {number:03}"), "employees": employees});
            Ok((
                serde_json::from_value(merchant_id(number).into())?,
                serde_json::from_value(profile)?,
            ))
        };
        (1..=self.merchants).map(company).collect()
    }

    /// Returns the products, numbered from 1.
    ///
    /// # Errors
    /// None within the bounds of the arguments.
    pub fn catalog(&self) -> Result<Vec<NewProduct>, serde_json::Error> {
        (1..=self.products).map(|number| self.product(number)).collect()
    }

    /// Returns the idempotency key of a product, so that it is created once. The key contains
    /// everything that the product depends on: plans that differ in it have different products.
    ///
    /// # Errors
    /// None within the bounds of the arguments.
    pub fn product_key(&self, number: usize) -> Result<IdempotencyKey, InvalidKey> {
        let Self { seed, merchants, .. } = self;
        format!("seed-{seed}-merchants-{merchants}-product-{number}").as_bytes().try_into()
    }

    /// Returns all transactions, each generated when the iterator reaches it.
    pub fn entries(&self, catalog: &[NewProduct]) -> impl Iterator<Item = Entry> {
        let stream = self.stream();
        (0..self.transactions).map(move |number| self.entry(catalog, stream, number))
    }

    fn product(&self, number: u16) -> Result<NewProduct, serde_json::Error> {
        let stream = SplitMix64::stream([self.seed, self.merchants.into()]);
        let mut random = SplitMix64::new(stream, number.into());
        let merchant = (number - 1) % self.merchants + 1;
        serde_json::from_value(json!({
            "name": format!("Product {number:04}"),
            "price": random.between(PRICE_CENTS.0, PRICE_CENTS.1),
            "stock": STOCK,
            "merchant_id": merchant_id(merchant),
            "fee_basis_points": random.between(FEE_BASIS_POINTS.0, FEE_BASIS_POINTS.1),
        }))
    }

    /// Returns the stream of the transactions, which depends on all arguments except the number of
    /// transactions. Plans that differ in them have different order ids, so no transaction of one
    /// is mistaken for a transaction of the other on another day.
    fn stream(&self) -> u64 {
        let Self { seed, merchants, products, days, until, transactions: _ } = self;
        let until = until.number().cast_unsigned();
        SplitMix64::stream([
            *seed,
            u64::from(*merchants),
            u64::from(*products),
            u64::from(*days),
            until,
        ])
    }

    fn entry(&self, catalog: &[NewProduct], stream: u64, number: u64) -> Entry {
        let mut random = SplitMix64::new(stream, number);
        if number % BLOCK < BLOCK - 1 {
            return self.sale(catalog, &mut random);
        }
        let sold = number - 1 - random.below(BLOCK - 1);
        let sale = self.entry(catalog, stream, sold);
        let recorded_at = self.reversal_time(sale.recorded_at, &mut random);
        sale.reversed(recorded_at)
    }

    fn sale(&self, catalog: &[NewProduct], random: &mut SplitMix64) -> Entry {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&random.next_u64().to_be_bytes());
        id[8..].copy_from_slice(&random.next_u64().to_be_bytes());
        let index = random.between(1, i64::from(self.products)) - 1;
        let product = &catalog[usize::try_from(index).unwrap_or_default()];
        let gross_cents = i64::from(product.price.get()) * random.between(1, MAX_UNITS);
        let fee_cents = fee_cents(gross_cents, product.fee_basis_points.get());
        // The last millisecond is reserved for reversals, so that each is later than its sale.
        let recorded_at = Timestamp::from_millis(
            random.between(self.start().as_millis(), self.until.last().as_millis() - 1),
        );
        Entry::sale(
            Uuid::new_v8(id),
            &product.merchant_id.to_string(),
            gross_cents,
            fee_cents,
            recorded_at,
        )
    }

    /// Returns a time after the sale: on the same day for about half of all reversals, on the same
    /// or any later day for the others.
    fn reversal_time(&self, sold_at: Timestamp, random: &mut SplitMix64) -> Timestamp {
        let next = sold_at.as_millis() + 1;
        let last = if random.below(2) == 0 {
            Day::of(Timestamp::from_millis(next)).last()
        } else {
            self.until.last()
        };
        Timestamp::from_millis(random.between(next, last.as_millis()))
    }
}
