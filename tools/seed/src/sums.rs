//! Sums per merchant and day, added up while the transactions are generated and never read back
//! from a table.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
};

use once::ledger::Entry;

/// The sums of one merchant's day, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Amount that buyers paid.
    pub gross: Cents,
    /// Fee that the merchant pays of it.
    pub fee: Cents,
    /// Amount that the merchant gets.
    pub net: Cents,
    /// Number of transactions, reversals included.
    pub count: u64,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.gross.0 += other.gross.0;
        self.fee.0 += other.fee.0;
        self.net.0 += other.net.0;
        self.count += other.count;
    }
}

impl From<&Entry> for Sum {
    fn from(entry: &Entry) -> Self {
        let Entry { gross_cents, fee_cents, net_cents, .. } = *entry;
        Self { gross: Cents(gross_cents), fee: Cents(fee_cents), net: Cents(net_cents), count: 1 }
    }
}

/// Sums by date and merchant. Their size depends on merchants and days, not on transactions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<(String, String), Sum>);

impl Sums {
    /// Adds a transaction to the UTC day on which it was recorded.
    pub fn add(&mut self, entry: &Entry) {
        let day = (entry.recorded_at.date(), entry.merchant_id.clone());
        self.0.entry(day).or_default().add(&entry.into());
    }

    /// Returns the sum of all merchants and days.
    #[must_use]
    pub fn total(&self) -> Sum {
        let mut total = Sum::default();
        self.0.values().for_each(|sum| total.add(sum));
        total
    }

    /// Writes the sums as CSV (RFC 4180): a header, then a line for every merchant and day with
    /// transactions, sorted by date and then by merchant. No value needs quotes.
    pub fn write_csv(&self, to: &mut impl Write) -> io::Result<()> {
        write!(to, "merchant_id,date,gross,fee,net,txn_count\r\n")?;
        for ((date, merchant), Sum { gross, fee, net, count }) in &self.0 {
            write!(to, "{merchant},{date},{gross},{fee},{net},{count}\r\n")?;
        }
        to.flush()
    }
}

/// An amount in cents, displayed with two decimals: `-12.30`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cents(pub i64);

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use once::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_amount_has_two_decimals() {
        for (cents, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (-1_230, "-12.30"),
            (100_000_000, "1000000.00"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(Cents(cents).to_string(), text);
        }
    }

    #[test]
    fn lines_are_sorted_by_date_and_then_by_merchant() {
        let mut sums = Sums::default();
        let sale = |merchant, gross, at: &str| {
            let at: Timestamp = at.parse().expect("a time");
            Entry::sale(Uuid::nil(), merchant, gross, 29, at)
        };
        let reversed_later = sale("merchant_001", 1_000, "2026-11-19T12:00:00Z");
        for entry in [
            sale("merchant_002", 2_000, "2026-11-20T00:00:00Z"),
            reversed_later.clone().reversed("2026-11-20T23:59:59.999Z".parse().expect("a time")),
            sale("merchant_002", 500, "2026-11-19T23:59:59.999Z"),
            reversed_later,
            sale("merchant_002", 1, "2026-11-20T07:00:00Z"),
        ] {
            sums.add(&entry);
        }
        let mut csv = Vec::new();
        sums.write_csv(&mut csv).expect("a Vec accepts all writes");
        assert_eq!(
            String::from_utf8(csv).expect("a text"),
            "merchant_id,date,gross,fee,net,txn_count\r\n\
             merchant_001,2026-11-19,10.00,0.29,9.71,1\r\n\
             merchant_002,2026-11-19,5.00,0.29,4.71,1\r\n\
             merchant_001,2026-11-20,-10.00,-0.29,-9.71,1\r\n\
             merchant_002,2026-11-20,20.01,0.58,19.43,2\r\n"
        );
        assert_eq!(sums.total().count, 5);
    }
}
