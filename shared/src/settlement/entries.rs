//! The ledger as a settlement reads it: counted by the plan, read by the batches.

use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, Select},
};

use super::{Settings, batches::Place, defect::Defect, totals::Totals};
use crate::{
    aws::{Aws, ServiceError},
    dynamo::{
        Item,
        keys::{self},
        text,
    },
    orders::MerchantId,
    time::{Day, Timestamp},
};

/// It was recorded in time.
const IN_TIME: &str = "recorded_at <= :cutoff";

/// What a settlement needs of an entry.
const ATTRIBUTES: &str = "sk, merchant_id, kind, gross_cents, fee_cents, net_cents";

/// A shard of a day of the ledger, as far as it was recorded up to the cutoff.
#[derive(Debug, Clone, Copy)]
pub struct Shard {
    pub day: Day,
    pub number: u64,
    pub cutoff: Timestamp,
}

/// A part of a shard that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Entries recorded in time.
    pub in_time: u64,
    /// All entries that were looked at.
    pub looked_at: u64,
    /// The sort key of the last one; `None`: the shard has no more.
    pub last: Option<String>,
}

/// An entry, as far as it is settled.
#[derive(Debug, PartialEq, Eq)]
pub struct Paid<'a> {
    pub merchant: &'a str,
    pub amounts: Totals,
}

/// The table of the ledger, and a client that takes its time: a page of a megabyte does, on a small function.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

impl Ledger {
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self { client: aws.patient().dynamo(), table: settings.ledger_table.clone() }
    }

    /// Counts the entries after a place, at most so many, and at most a megabyte of them: consistently, one read unit for 4 KB.
    pub async fn count(&self, shard: Shard, after: Option<&str>, limit: u64) -> Result<Counted, ServiceError> {
        let query = self.entries(shard, after).select(Select::Count).consistent_read(true);
        let page = query.limit(i32::try_from(limit).unwrap_or(i32::MAX)).send().await?;
        Ok(Counted {
            in_time: page.count().unsigned_abs().into(),
            looked_at: page.scanned_count().unsigned_abs().into(),
            last: page.last_evaluated_key().and_then(sort_key).map(str::to_owned),
        })
    }

    /// Reads the entries after a place, through another, at most a megabyte of them, and tells where the page ended.
    pub async fn read(
        &self,
        shard: Shard,
        after: Option<&str>,
        through: Option<&str>,
        consistent: bool,
    ) -> Result<(Vec<Item>, Option<String>), ServiceError> {
        let query = self.entries(shard, after).projection_expression(ATTRIBUTES).consistent_read(consistent);
        let query = match through {
            None => query,
            Some(through) => query
                .key_condition_expression("pk = :pk AND sk <= :through")
                .expression_attribute_values(":through", text(through)),
        };
        let page = query.send().await?;
        let last = page.last_evaluated_key().and_then(sort_key).map(str::to_owned);
        Ok((page.items.unwrap_or_default(), last))
    }

    fn entries(&self, shard: Shard, after: Option<&str>) -> QueryFluentBuilder {
        let pk = keys::ledger_shard(shard.day, shard.number);
        let begin = after.map(|sk| Place::from([("pk".into(), text(pk.clone())), ("sk".into(), text(sk))]));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .set_exclusive_start_key(begin);
        if shard.day.last() <= shard.cutoff {
            return query;
        }
        query.filter_expression(IN_TIME).expression_attribute_values(":cutoff", text(shard.cutoff))
    }
}

fn sort_key(item: &Item) -> Option<&str> {
    item.get("sk")?.as_s().ok().map(String::as_str)
}

/// Reads an entry, strictly: what is not as the ledger's own code writes it settles nothing.
pub fn paid(item: &Item) -> Result<Paid<'_>, Defect> {
    let unreadable =
        |attribute| Defect::LedgerUnreadable { entry: sort_key(item).unwrap_or("without a key").to_owned(), attribute };
    let said = |attribute| item.get(attribute).and_then(|value| value.as_s().ok()).ok_or(unreadable(attribute));
    let cents = |attribute| {
        let digits = item.get(attribute).and_then(|value: &AttributeValue| value.as_n().ok());
        digits.and_then(|digits| digits.parse().ok()).ok_or(unreadable(attribute))
    };
    let merchant = said("merchant_id")?;
    MerchantId::check(merchant).map_err(|_| unreadable("merchant_id"))?;
    if !matches!(said("kind")?.as_str(), "SALE" | "REVERSAL") {
        return Err(unreadable("kind"));
    }
    let amounts = Totals { gross: cents("gross_cents")?, fee: cents("fee_cents")?, net: cents("net_cents")?, count: 1 };
    if !amounts.balance() {
        return Err(unreadable("net_cents"));
    }
    Ok(Paid { merchant, amounts })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{dynamo::number, ledger::Entry};

    fn sale() -> Item {
        let at = "2026-11-20T12:00:00Z".parse().expect("a time");
        Entry::sale(Uuid::nil(), "merchant_001", 2_000, 58, at).item().expect("an item")
    }

    #[test]
    fn an_entry_of_the_ledger_is_read() {
        let item = sale();
        let amounts = Totals { gross: 2_000, fee: 58, net: 1_942, count: 1 };
        assert_eq!(paid(&item), Ok(Paid { merchant: "merchant_001", amounts }));
    }

    #[test]
    fn an_entry_that_the_ledger_would_not_write_is_named_and_settles_nothing() {
        for (attribute, value) in [
            ("merchant_id", text("merchant 1")),
            ("merchant_id", text("")),
            ("merchant_id", number(1)),
            ("kind", text("PENDING")),
            ("gross_cents", text("2000")),
            ("fee_cents", AttributeValue::N("0.5".into())),
            ("fee_cents", AttributeValue::N("99999999999999999999".into())),
            ("net_cents", number(1_943)),
        ] {
            let mut item = sale();
            item.insert(attribute.to_owned(), value);
            let defect = paid(&item).expect_err(attribute).to_string();
            assert!(defect.contains("merchant_001#00000000-0000-0000-0000-000000000000"), "{defect}");
            assert!(defect.ends_with(&format!("its {attribute} is not what a ledger holds")), "{defect}");
            let mut item = sale();
            item.remove(attribute);
            assert!(paid(&item).is_err(), "without {attribute}");
        }
    }
}
