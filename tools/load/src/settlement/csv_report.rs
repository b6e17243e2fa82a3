//! Reads and compares the CSV file of a settlement, independently of the code that writes it.

use std::fmt;

const HEADER: &str = "merchant_id,date,gross,fee,net,txn_count";

/// Totals of the lines of a file, amounts in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvTotals {
    /// Number of lines, without the header.
    pub rows: u64,
    /// Number of transactions.
    pub count: u64,
    gross: i128,
    fee: i128,
    net: i128,
}

impl CsvTotals {
    /// Adds up all lines of a file.
    ///
    /// # Errors
    /// The header is not that of a settlement, or a line is invalid or does not balance.
    pub fn read(file: &str) -> Result<Self, String> {
        let Some(lines) = file.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix("\r\n"))
        else {
            return Err(format!("the file must begin with the line {HEADER}"));
        };
        let mut totals = Self::default();
        for (line, number) in lines.split_inclusive('\n').zip(2..) {
            let row = line.strip_suffix("\r\n").and_then(row);
            let row = row.ok_or_else(|| {
                format!("line {number} is not a line of a settlement: {}", line.escape_debug())
            })?;
            totals.add(&row);
        }
        Ok(totals)
    }

    fn add(&mut self, row: &Self) {
        self.rows += row.rows;
        self.count += row.count;
        self.gross += row.gross;
        self.fee += row.fee;
        self.net += row.net;
    }
}

impl fmt::Display for CsvTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, count, gross, fee, net } = self;
        let [gross, fee, net] = [gross, fee, net].map(|cents| amount(*cents));
        write!(f, "{count} transactions in {rows} rows: gross {gross}, fee {fee}, net {net}")
    }
}

/// Parses one line. The columns are split from the end, because a merchant's name may be quoted and
/// contain commas.
fn row(line: &str) -> Option<CsvTotals> {
    let mut columns = line.rsplit(',');
    let count = columns.next()?.parse().ok()?;
    let mut amount = || cents(columns.next()?);
    let (net, fee, gross) = (amount()?, amount()?, amount()?);
    (columns.count() >= 2 && gross - fee == net).then_some(CsvTotals {
        rows: 1,
        count,
        gross,
        fee,
        net,
    })
}

/// Parses an amount like `-12.30`.
fn cents(amount: &str) -> Option<i128> {
    let (whole, places) = amount.split_once('.')?;
    (places.len() == 2).then(|| format!("{whole}{places}").parse().ok())?
}

fn amount(cents: i128) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

/// Describes the first line that differs from the expected file, if any.
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
        (found != expected)
            .then(|| format!("line {number} is {}, but must be {}", shown(found), shown(expected)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "merchant_id,date,gross,fee,net,txn_count\r\n\
                        merchant_001,2026-11-19,10.00,0.29,9.71,2\r\n\
                        \"a,b\",2026-11-20,-1.50,-0.05,-1.45,1\r\n";

    #[test]
    fn the_lines_of_a_file_are_added_up() {
        let totals = CsvTotals::read(FILE).expect("a settlement");
        assert_eq!((totals.rows, totals.count), (2, 3));
        assert_eq!(totals.to_string(), "3 transactions in 2 rows: gross 8.50, fee 0.24, net 8.26");
        assert_eq!(CsvTotals::read(&format!("{HEADER}\r\n")), Ok(CsvTotals::default()));
    }

    #[test]
    fn the_first_invalid_line_is_named() {
        for (from, to, named) in [
            ("merchant_id", "id", "begin with"),
            ("txn_count\r\n", "txn_count\n", "begin with"),
            ("9.71", "9.72", "line 2"),
            ("-0.05", "-0.5", "line 3"),
            ("-1.45,1", "-1.45,one", "line 3"),
            ("merchant_001,", "", "line 2"),
            ("1\r\n", "1", "line 3"),
        ] {
            let error = CsvTotals::read(&FILE.replace(from, to)).expect_err(from);
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
            Some(format!("line 3 is {last}, but must be missing"))
        );
        assert_eq!(
            difference(&short, FILE),
            Some(format!("line 3 is missing, but must be {last}"))
        );
        let unix = FILE.replace("\r\n", "\n");
        assert_eq!(
            difference(FILE, &unix),
            Some(format!(r"line 1 is {HEADER}\r\n, but must be {HEADER}\n"))
        );
    }
}
