//! CSV formats: the part of a batch, for the worker that finishes, and [`CsvReport`], the file for
//! callers.

use csv::{ReaderBuilder, Terminator, WriterBuilder};
use sha2::{Digest, Sha256};

use super::{
    job::ReportFile,
    totals::{Decimal, Row, Totals},
};
use crate::{digest::hex, ledger::TooLarge, time::Day};

/// Columns of the file.
const HEADER: [&str; 6] = ["merchant_id", "date", "gross", "fee", "net", "txn_count"];

/// Minimum bytes of a chunk: more than the 5 MB that S3 requires of a part.
const CHUNK: usize = 8 * 1_024 * 1_024;

/// Characters that begin a formula in a spreadsheet.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Formats the sums of a batch, one line per merchant.
pub fn part(rows: &[Row]) -> Vec<u8> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    for Row { merchant, totals: Totals { gross, fee, net, count } } in rows {
        lines
            .serialize((merchant, gross, fee, net, count))
            .expect("five plain fields can be serialized");
    }
    lines.into_inner().expect("writes to memory succeed")
}

/// Parses the output of [`part`]. `None`: the bytes have another format.
pub fn read_part(bytes: &[u8]) -> Option<Vec<Row>> {
    let mut lines = ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let row = |(merchant, gross, fee, net, count)| Row {
        merchant,
        totals: Totals { gross, fee, net, count },
    };
    lines.deserialize().map(|line| line.map(row).ok()).collect()
}

/// The file of a settlement (RFC 4180): a header, then one line per day and merchant, sorted by day
/// and then by merchant, with decimals of two places.
///
/// Holds the lines that are not written yet, and the hash and the totals of all lines.
#[derive(Debug)]
pub struct CsvReport {
    lines: csv::Writer<Vec<u8>>,
    hash: Sha256,
    bytes: u64,
    rows: u64,
    totals: Totals,
}

impl CsvReport {
    pub fn new() -> Self {
        let mut lines = empty();
        lines.write_record(HEADER).expect("writes to memory succeed");
        Self { lines, hash: Sha256::new(), bytes: 0, rows: 0, totals: Totals::ZERO }
    }

    /// Adds a line.
    pub fn add(&mut self, day: Day, row: &Row) -> Result<(), TooLarge> {
        let Totals { gross, fee, net, count } = row.totals;
        let amounts = [gross, fee, net].map(|cents| Decimal(cents).to_string());
        let [gross, fee, net] = &amounts;
        let line =
            [&escape_formula(&row.merchant), &day.to_string(), gross, fee, net, &count.to_string()];
        self.lines.write_record(line).expect("writes to memory succeed");
        self.rows += 1;
        self.totals = self.totals.plus(row.totals)?;
        Ok(())
    }

    /// Takes the lines that are not written yet, if they fill a chunk.
    pub fn full_chunk(&mut self) -> Option<Vec<u8>> {
        self.lines.flush().expect("writes to memory succeed");
        (self.lines.get_ref().len() >= CHUNK).then(|| self.chunk())
    }

    /// Takes the lines that are not written yet.
    pub fn chunk(&mut self) -> Vec<u8> {
        let lines = std::mem::replace(&mut self.lines, empty())
            .into_inner()
            .expect("writes to memory succeed");
        self.hash.update(&lines);
        self.bytes += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        lines
    }

    /// Returns the sum of all lines.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Returns the description of the file, after its last chunk was taken.
    pub fn into_file(self) -> ReportFile {
        let sha256 = hex(&self.hash.finalize());
        ReportFile { bytes: self.bytes, sha256, rows: self.rows, totals: self.totals }
    }
}

fn empty() -> csv::Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new())
}

/// Prefixes a name that a spreadsheet would read as a formula with an apostrophe (OWASP, CSV
/// injection).
fn escape_formula(name: &str) -> String {
    if name.starts_with(FORMULA) { format!("'{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256;

    fn row(merchant: &str, gross: i64) -> Row {
        Row {
            merchant: merchant.to_owned(),
            totals: Totals { gross, fee: 29, net: gross - 29, count: 2 },
        }
    }

    fn file(rows: &[(&str, Row)]) -> (String, ReportFile) {
        let mut report = CsvReport::new();
        for (day, row) in rows {
            report.add(day.parse().expect("a day"), row).expect("small");
        }
        let bytes = report.chunk();
        (String::from_utf8(bytes).expect("a text"), report.into_file())
    }

    #[test]
    fn a_report_has_a_header_and_lines_with_decimals() {
        let (text, file) = file(&[
            ("2026-11-19", row("merchant_001", 1_000)),
            ("2026-11-20", row("merchant_001", -5)),
        ]);
        assert_eq!(
            text,
            "merchant_id,date,gross,fee,net,txn_count\r\n\
             merchant_001,2026-11-19,10.00,0.29,9.71,2\r\n\
             merchant_001,2026-11-20,-0.05,0.29,-0.34,2\r\n"
        );
        let totals = Totals { gross: 995, fee: 58, net: 937, count: 4 };
        let bytes = u64::try_from(text.len()).expect("short");
        assert_eq!(file, ReportFile { bytes, sha256: sha256(text.as_bytes()), rows: 2, totals });
    }

    #[test]
    fn an_empty_report_is_its_header() {
        let (text, file) = file(&[]);
        assert_eq!((text.as_str(), file.rows), ("merchant_id,date,gross,fee,net,txn_count\r\n", 0));
        // The output of `sha256sum`.
        assert_eq!(file.sha256, "c32b7e72355e5827e9853f46d78987fe5a95c236665efe4e01aeb381dbb061dd");
    }

    #[test]
    fn a_merchant_is_never_a_formula_or_a_second_column() {
        for (name, cell) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("\tx", "'\tx"),
            ("a-b", "a-b"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
            ("a\nb", "\"a\nb\""),
        ] {
            let (text, _) = file(&[("2026-11-19", row(name, 100))]);
            let line = text
                .strip_prefix("merchant_id,date,gross,fee,net,txn_count\r\n")
                .expect("a header");
            assert_eq!(line, format!("{cell},2026-11-19,1.00,0.29,0.71,2\r\n"));
        }
    }

    #[test]
    fn a_report_is_the_same_in_chunks_and_as_a_whole() {
        let day = "2026-11-19".parse().expect("a day");
        let mut chunked = CsvReport::new();
        let mut text = Vec::new();
        let mut rows = Vec::new();
        for n in 0..400_000 {
            let row = row(&format!("merchant_{n:06}"), n);
            chunked.add(day, &row).expect("small");
            text.extend(
                chunked
                    .full_chunk()
                    .inspect(|chunk| assert!(chunk.len() >= CHUNK))
                    .unwrap_or_default(),
            );
            rows.push(("2026-11-19", row));
        }
        assert!(!text.is_empty());
        text.extend(chunked.chunk());
        let (whole, file) = file(&rows);
        assert_eq!((String::from_utf8(text).expect("a text"), chunked.into_file()), (whole, file));
    }

    #[test]
    fn a_part_is_read_as_it_was_written() {
        let rows = [row("a", i64::MIN + 29), row("b-c.d_E", 0)];
        assert_eq!(read_part(&part(&rows)), Some(rows.to_vec()));
        assert_eq!(read_part(&part(&[])), Some(vec![]));
        for other in ["a,1,2\n", "a,1,2,3,x\n", "\u{0}"] {
            assert_eq!(read_part(other.as_bytes()), None, "{other}");
        }
    }
}
