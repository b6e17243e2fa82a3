//! The file of a settlement, read apart from any code that settles.

use std::fmt;

const HEADER: &str = "merchant_id,date,gross,fee,net,txn_count";

/// What the lines of a file add up to; amounts in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Lines, without the header.
    pub rows: u64,
    /// Transactions.
    pub count: u64,
    gross: i128,
    fee: i128,
    net: i128,
}

impl Sheet {
    /// Reads a whole file.
    ///
    /// # Errors
    /// A line that is none of a settlement, or whose amounts do not balance.
    pub fn read(file: &str) -> Result<Self, String> {
        let Some(lines) = file.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix("\r\n"))
        else {
            return Err(format!("the file does not begin with the line {HEADER}"));
        };
        let mut sheet = Self::default();
        for (line, number) in lines.split_inclusive('\n').zip(2..) {
            let row = line.strip_suffix("\r\n").and_then(row);
            let row = row.ok_or_else(|| {
                format!("line {number} is no line of a settlement: {}", line.escape_debug())
            })?;
            sheet.add(&row);
        }
        Ok(sheet)
    }

    fn add(&mut self, row: &Self) {
        self.rows += row.rows;
        self.count += row.count;
        self.gross += row.gross;
        self.fee += row.fee;
        self.net += row.net;
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, count, gross, fee, net } = self;
        let [gross, fee, net] = [gross, fee, net].map(|cents| amount(*cents));
        write!(f, "{count} transactions in {rows} rows: gross {gross}, fee {fee}, net {net}")
    }
}

/// One line. The last columns are looked at from behind: a merchant's name may be in quotes.
fn row(line: &str) -> Option<Sheet> {
    let mut columns = line.rsplit(',');
    let count = columns.next()?.parse().ok()?;
    let mut amount = || cents(columns.next()?);
    let (net, fee, gross) = (amount()?, amount()?, amount()?);
    (columns.count() >= 2 && gross - fee == net).then_some(Sheet {
        rows: 1,
        count,
        gross,
        fee,
        net,
    })
}

/// `-12.30`
fn cents(amount: &str) -> Option<i128> {
    let (whole, places) = amount.split_once('.')?;
    (places.len() == 2).then(|| format!("{whole}{places}").parse().ok())?
}

fn amount(cents: i128) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

/// The first line in which a file is not as expected.
pub fn difference(found: &str, expected: &str) -> Option<String> {
    if found == expected {
        return None;
    }
    let (mut found, mut expected) = (found.split_inclusive('\n'), expected.split_inclusive('\n'));
    let shown = |line: Option<&str>| {
        line.map_or("missing".to_owned(), |line| line.escape_debug().to_string())
    };
    (1_u64..).find_map(|number| {
        let (found, expected) = (found.next(), expected.next());
        (found != expected).then(|| {
            format!("line {number} is {}, and should be {}", shown(found), shown(expected))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "merchant_id,date,gross,fee,net,txn_count\r\n\
                        merchant_001,2026-11-19,10.00,0.29,9.71,2\r\n\
                        \"a,b\",2026-11-20,-1.50,-0.05,-1.45,1\r\n";

    #[test]
    fn a_file_is_added_up() {
        let sheet = Sheet::read(FILE).expect("a settlement");
        assert_eq!((sheet.rows, sheet.count), (2, 3));
        assert_eq!(sheet.to_string(), "3 transactions in 2 rows: gross 8.50, fee 0.24, net 8.26");
        assert_eq!(Sheet::read(&format!("{HEADER}\r\n")), Ok(Sheet::default()));
    }

    #[test]
    fn what_is_no_settlement_is_named() {
        for (from, to, named) in [
            ("merchant_id", "id", "begin with"),
            ("txn_count\r\n", "txn_count\n", "begin with"),
            ("9.71", "9.72", "line 2"),
            ("-0.05", "-0.5", "line 3"),
            ("-1.45,1", "-1.45,one", "line 3"),
            ("merchant_001,", "", "line 2"),
            ("1\r\n", "1", "line 3"),
        ] {
            let error = Sheet::read(&FILE.replace(from, to)).expect_err(from);
            assert!(error.contains(named), "{from}: {error}");
        }
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(difference(FILE, FILE), None);
        let short = FILE.replace("\"a,b\",2026-11-20,-1.50,-0.05,-1.45,1\r\n", "");
        let last = r#"\"a,b\",2026-11-20,-1.50,-0.05,-1.45,1\r\n"#;
        assert_eq!(
            difference(FILE, &short),
            Some(format!("line 3 is {last}, and should be missing"))
        );
        assert_eq!(
            difference(&short, FILE),
            Some(format!("line 3 is missing, and should be {last}"))
        );
        let unix = FILE.replace("\r\n", "\n");
        let expected = r"line 1 is merchant_id,date,gross,fee,net,txn_count\r\n, and should be merchant_id,date,gross,fee,net,txn_count\n";
        assert_eq!(difference(FILE, &unix).as_deref(), Some(expected));
    }
}
