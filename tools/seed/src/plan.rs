//! What a seed stands for: the companies, the products and every transaction, each made from its number alone.
//!
//! Transactions come in blocks of fifty, whose last is the reversal of one of the other 49: two percent are reversals, no sale is
//! reversed twice, and the first transactions do not depend on how many follow. Their times are spread evenly over all days, so
//! that what is written at one moment falls on many partitions of the ledger.

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

use crate::draw::Draw;

/// Transactions of which one is a reversal.
const BLOCK: u64 = 50;

/// What a product costs at least and at most, in cents.
const PRICE_CENTS: (i64, i64) = (50, 49_999);

/// What its merchant pays at least and at most, in basis points.
const FEE_BASIS_POINTS: (i64, i64) = (0, 500);

/// Units of an order at most.
const MOST_UNITS: i64 = 5;

/// Units of a product at first.
const STOCK: u32 = 1_000_000;

/// What is not said.
const MERCHANTS: u16 = 50;
const PRODUCTS: u16 = 100;
const TRANSACTIONS: u64 = 100_000;
const DAYS: u16 = 30;
const SEED: u64 = 7;

/// Whom a company employs at least and at most.
const EMPLOYEES: (i64, i64) = (1, 250);

/// Everything on which the companies, products and transactions depend.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Plan {
    /// How many merchants there are: `merchant_001` and so on
    #[arg(long, default_value_t = MERCHANTS, value_parser = clap::value_parser!(u16).range(1..=999))]
    pub merchants: u16,
    /// How many products they sell; the merchants take turns
    #[arg(long, default_value_t = PRODUCTS, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub products: u16,
    /// How many transactions there are: sales, and one reversal for each 49 of them
    #[arg(long, default_value_t = TRANSACTIONS, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub transactions: u64,
    /// Over how many UTC days they are spread
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u16).range(1..=3_660))]
    pub days: u16,
    /// The last of these days, in UTC; yesterday if not given
    #[arg(long, default_value_t = yesterday())]
    pub until: Day,
    /// Another number makes other products and other transactions
    #[arg(long, default_value_t = SEED)]
    pub seed: u64,
}

fn merchant_id(number: u16) -> String {
    format!("merchant_{number:03}")
}

/// The last day that is over.
fn yesterday() -> Day {
    Day::of(Timestamp::now()).plus(-1)
}

impl Plan {
    /// Up to this day, and for the rest as it is where nothing is said.
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

    /// The first moment of the first day.
    #[must_use]
    pub fn begin(&self) -> Timestamp {
        self.until.plus(1 - i64::from(self.days)).start()
    }

    /// The merchants as companies. Each depends on its number and the seed alone: plans that differ in anything else share them.
    ///
    /// # Errors
    /// None that the bounds of the arguments leave possible.
    pub fn companies(&self) -> Result<Vec<(CompanyId, NewProfile)>, serde_json::Error> {
        let stream = Draw::stream([self.seed]);
        let company = |number: u16| {
            let employees = Draw::of(stream, number.into()).between(EMPLOYEES.0, EMPLOYEES.1);
            let profile = json!({"name": format!("Merchant {number:03}"), "employees": employees});
            Ok((
                serde_json::from_value(merchant_id(number).into())?,
                serde_json::from_value(profile)?,
            ))
        };
        (1..=self.merchants).map(company).collect()
    }

    /// The products, by their numbers from 1.
    ///
    /// # Errors
    /// None that the bounds of the arguments leave possible.
    pub fn catalog(&self) -> Result<Vec<NewProduct>, serde_json::Error> {
        (1..=self.products).map(|number| self.product(number)).collect()
    }

    /// The same product of the same plan has the same key, so that it is created once. The key names all that the product
    /// depends on: plans that differ in it have products of their own.
    pub fn product_key(&self, number: usize) -> Result<IdempotencyKey, InvalidKey> {
        let Self { seed, merchants, .. } = self;
        format!("seed-{seed}-merchants-{merchants}-product-{number}").as_bytes().try_into()
    }

    /// All transactions, made one by one as they are asked for.
    pub fn entries(&self, catalog: &[NewProduct]) -> impl Iterator<Item = Entry> {
        let stream = self.stream();
        (0..self.transactions).map(move |number| self.entry(catalog, stream, number))
    }

    fn product(&self, number: u16) -> Result<NewProduct, serde_json::Error> {
        let mut draw = Draw::of(Draw::stream([self.seed, self.merchants.into()]), number.into());
        let merchant = (number - 1) % self.merchants + 1;
        serde_json::from_value(json!({
            "name": format!("Product {number:04}"),
            "price": draw.between(PRICE_CENTS.0, PRICE_CENTS.1),
            "stock": STOCK,
            "merchant_id": merchant_id(merchant),
            "fee_basis_points": draw.between(FEE_BASIS_POINTS.0, FEE_BASIS_POINTS.1),
        }))
    }

    /// Of everything but the number of transactions: other arguments make other order ids, so none of their transactions
    /// passes for one of these on another day.
    fn stream(&self) -> u64 {
        let Self { seed, merchants, products, days, until, transactions: _ } = self;
        let until = until.number().cast_unsigned();
        Draw::stream([*seed, u64::from(*merchants), u64::from(*products), u64::from(*days), until])
    }

    fn entry(&self, catalog: &[NewProduct], stream: u64, number: u64) -> Entry {
        let mut draw = Draw::of(stream, number);
        if number % BLOCK < BLOCK - 1 {
            return self.sale(catalog, &mut draw);
        }
        let sold = number - 1 - draw.below(BLOCK - 1);
        let sale = self.entry(catalog, stream, sold);
        let recorded_at = self.reversal_time(sale.recorded_at, &mut draw);
        sale.reversed(recorded_at)
    }

    fn sale(&self, catalog: &[NewProduct], draw: &mut Draw) -> Entry {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&draw.bits().to_be_bytes());
        id[8..].copy_from_slice(&draw.bits().to_be_bytes());
        let index = draw.between(1, i64::from(self.products)) - 1;
        let product = &catalog[usize::try_from(index).unwrap_or_default()];
        let gross_cents = i64::from(product.price.get()) * draw.between(1, MOST_UNITS);
        let fee_cents = fee_cents(gross_cents, product.fee_basis_points.get());
        // The very last millisecond is left to reversals, so that each has a later moment than its sale.
        let recorded_at = Timestamp::from_millis(
            draw.between(self.begin().as_millis(), self.until.last().as_millis() - 1),
        );
        Entry::sale(
            Uuid::new_v8(id),
            &product.merchant_id.to_string(),
            gross_cents,
            fee_cents,
            recorded_at,
        )
    }

    /// After the sale: on the same day for about half of all, on that or any later one for the others.
    fn reversal_time(&self, sold_at: Timestamp, draw: &mut Draw) -> Timestamp {
        let next = sold_at.as_millis() + 1;
        let last = if draw.below(2) == 0 {
            Day::of(Timestamp::from_millis(next)).last()
        } else {
            self.until.last()
        };
        Timestamp::from_millis(draw.between(next, last.as_millis()))
    }
}
