//! The text form of times: exactly the `date-time` of RFC 3339, section 5.6, and nothing else.
//!
//! Upper and lower case `T` and `Z`, a fraction of any length (beyond the millisecond it is cut
//! off) and an offset of up to 23:59 are accepted. Refused are a space for `T`, a time without
//! seconds or offset, forms of ISO 8601 without hyphens and colons, a comma before the fraction, a
//! time zone in brackets, and second 60: a leap second has no place in a count of milliseconds.

use jiff::{
    SignedDuration,
    civil::{Date, DateTime},
};

use super::InvalidTimestamp;

/// Midnight at the beginning of 1970.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// Reads a text, as milliseconds since 1970. With an offset from UTC it may be up to a day outside
/// the years 0 to 9999.
pub(super) fn parse(text: &str) -> Result<i64, InvalidTimestamp> {
    let mut rest = Rest(text.as_bytes());
    let read = (rest.date(), rest.one_of(b"Tt"), rest.time(), rest.fraction(), rest.offset());
    let (Some(date), Some(_), Some([hour, minute, second]), Some(millis), Some(offset)) = read
    else {
        return Err(InvalidTimestamp::Format);
    };
    if !rest.0.is_empty() {
        return Err(InvalidTimestamp::Format);
    }
    if second == 60 {
        return Err(InvalidTimestamp::LeapSecond);
    }
    let hours = date.duration_since(EPOCH.date()).as_hours() + i64::from(hour);
    let minutes = hours * 60 + i64::from(minute) - offset;
    Ok(minutes * MINUTE_MS + i64::from(second) * 1000 + millis)
}

/// Returns the local time in UTC of milliseconds since 1970.
pub(super) fn civil(millis: i64) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_millis(millis))
}

/// What is still to be read of a text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn one_of(&mut self, expected: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        expected.contains(&first).then_some(first)
    }

    fn digit(&mut self) -> Option<i16> {
        self.one_of(b"0123456789").map(|digit| i16::from(digit - b'0'))
    }

    /// Reads a number of exactly `digits` digits, at most four.
    fn number(&mut self, digits: usize) -> Option<i16> {
        (0..digits).try_fold(0, |number, _| Some(number * 10 + self.digit()?))
    }

    fn date(&mut self) -> Option<Date> {
        let year = self.number(4)?;
        self.one_of(b"-")?;
        let month = self.number(2)?.try_into().ok()?;
        self.one_of(b"-")?;
        Date::new(year, month, self.number(2)?.try_into().ok()?).ok()
    }

    /// Reads hour, minute and second, which may be that of a leap second.
    fn time(&mut self) -> Option<[i16; 3]> {
        let hour = self.number(2)?;
        self.one_of(b":")?;
        let minute = self.number(2)?;
        self.one_of(b":")?;
        let second = self.number(2)?;
        (hour < 24 && minute < 60 && second <= 60).then_some([hour, minute, second])
    }

    /// Reads a fraction of a second, if there is one, as milliseconds.
    fn fraction(&mut self) -> Option<i64> {
        if self.0.first() != Some(&b'.') {
            return Some(0);
        }
        let digits = self.0[1..].iter().take_while(|byte| byte.is_ascii_digit());
        let digits: Vec<i64> = digits.map(|digit| i64::from(digit - b'0')).collect();
        self.0 = &self.0[1 + digits.len()..];
        let place = |index: usize| digits.get(index).copied().unwrap_or_default();
        (!digits.is_empty()).then(|| place(0) * 100 + place(1) * 10 + place(2))
    }

    /// Reads the offset from UTC, in minutes.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let (hours, _, minutes) = (self.number(2)?, self.one_of(b":")?, self.number(2)?);
        (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_lite::Regex;

    use crate::time::{InvalidTimestamp, Timestamp};

    /// Texts that are similar to it.
    const SIMILAR: &str = "[0-9]{4}[-\u{2013}]?[0-9]{1,2}-[0-9]{2}[Tt _]?[0-9]{2}:?[0-9]{2}\
                           (:[0-6][0-9])?([.,][0-9]{0,12})?([Zz]|[+-][0-9]{2}:?[0-9]{0,2})?\
                           (\\[u\\])?";

    /// The grammar of the standard, without its ranges.
    const GRAMMAR: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?\
                           ([Zz]|[+-][0-9]{2}:[0-9]{2})$";

    #[test]
    fn every_text_of_the_standard_is_accepted() {
        for (given, written) in [
            ("2026-11-20T23:20:00Z", "2026-11-20T23:20:00.000Z"),
            ("2026-11-20t23:20:00z", "2026-11-20T23:20:00.000Z"),
            ("2026-11-20T23:20:00.1Z", "2026-11-20T23:20:00.100Z"),
            ("2026-11-20T23:20:00.0129999999Z", "2026-11-20T23:20:00.012Z"),
            ("2026-11-20T23:20:00.99999999999999999999999999Z", "2026-11-20T23:20:00.999Z"),
            ("2026-11-20T23:20:00+00:00", "2026-11-20T23:20:00.000Z"),
            ("2026-11-20T23:20:00-00:00", "2026-11-20T23:20:00.000Z"),
            ("2026-11-21T00:20:00+01:00", "2026-11-20T23:20:00.000Z"),
            ("2026-11-20T23:20:00+23:59", "2026-11-19T23:21:00.000Z"),
            ("2026-11-20T23:20:00-23:59", "2026-11-21T23:19:00.000Z"),
            ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870Z"),
            ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("0000-01-01T00:00:00+01:00", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
            ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999Z"),
        ] {
            let time = given.parse::<Timestamp>().map(|time| time.to_string());
            assert_eq!(time.as_deref(), Ok(written), "{given}");
        }
    }

    #[test]
    fn every_other_text_is_refused() {
        for text in [
            "",
            "now",
            "2026-11-20",
            "2026-11-20T23:20Z",
            "2026-11-20T23Z",
            "2026-11-20T23:20:00",
            "2026-11-20 23:20:00Z",
            "2026-11-20_23:20:00Z",
            "20261120T232000Z",
            "2026-11-20T232000Z",
            "20261120T23:20:00Z",
            "2026-324T23:20:00Z",
            "2026-W47-5T23:20:00Z",
            "26-11-20T23:20:00Z",
            "+002026-11-20T23:20:00Z",
            "-000001-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "2026-11-20T23:20:00,5Z",
            "2026-11-20T23:20:00.Z",
            "2026-11-20T23:20:00.5",
            "2026-11-20T23:20:00.5.5Z",
            "2026-11-20T23:20:00+01",
            "2026-11-20T23:20:00+0100",
            "2026-11-20T23:20:00+1:00",
            "2026-11-20T23:20:00+01:00:00",
            "2026-11-20T23:20:00+24:00",
            "2026-11-20T23:20:00+25:00",
            "2026-11-20T23:20:00-01:60",
            "2026-11-20T23:20:00\u{2212}01:00",
            "2026-11-20T23:20:00 01:00",
            "2026-11-20T23:20:00Z[UTC]",
            "2026-11-20T23:20:00-05:00[America/New_York]",
            "2026-11-20T23:20:00UTC",
            "2026-11-20T24:00:00Z",
            "2026-11-20T23:60:00Z",
            "2026-11-20T23:20:61Z",
            "2026-13-20T23:20:00Z",
            "2026-00-20T23:20:00Z",
            "2026-11-00T23:20:00Z",
            "2026-11-31T23:20:00Z",
            "2026-02-29T23:20:00Z",
            " 2026-11-20T23:20:00Z",
            "2026-11-20T23:20:00Z ",
            "2026-11-20T23:20:00Z\n",
            "2026-11-20T23:20:00ZZ",
            "\u{662}026-11-20T23:20:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp::Format), "{text}");
        }
        for leap_second in ["2016-12-31T23:59:60Z", "2026-11-20T23:20:60.5+01:00"] {
            assert_eq!(leap_second.parse::<Timestamp>(), Err(InvalidTimestamp::LeapSecond));
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_are_inverse(
            millis in prop_oneof![any::<i64>(), -70_000_000_000_000..300_000_000_000_000_i64],
        ) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }

        #[test]
        fn a_text_of_the_standard_is_read_as_jiff_reads_it(
            millis in -62_000_000_000_000..253_000_000_000_000_i64,
            fraction in "(\\.[0-9]{1,9})?",
            minutes in -1439..1440_i32,
        ) {
            let offset = jiff::tz::Offset::from_seconds(minutes * 60).expect("an offset");
            let at = jiff::Timestamp::from_millisecond(millis).expect("a time");
            let local = offset.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S").to_string();
            let sign = if minutes < 0 { '-' } else { '+' };
            let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
            let text = format!("{local}{fraction}{sign}{hours:02}:{rest:02}");
            let expected: jiff::Timestamp = text.parse().expect("jiff reads it");
            let expected = expected.as_nanosecond().div_euclid(1_000_000);
            let read = text.parse::<Timestamp>().map(Timestamp::as_millis);
            prop_assert_eq!(read.map(i128::from), Ok(expected));
        }

        #[test]
        fn no_text_panics_and_only_texts_of_the_grammar_are_accepted(
            text in prop_oneof![any::<String>(), SIMILAR],
        ) {
            let grammar = Regex::new(GRAMMAR).expect("a pattern");
            prop_assert!(text.parse::<Timestamp>().is_err() || grammar.is_match(&text));
        }
    }
}
