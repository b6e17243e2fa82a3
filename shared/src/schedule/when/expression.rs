//! What a cron expression says of the wall clock: which dates and times of day it names. No time zone comes in here.
//!
//! Five fields, as in Vixie cron: minute, hour, day of month, month, day of week (0 and 7 are Sunday), with names,
//! lists, ranges and steps (`*/5`, `10-40/10`); or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, `@annually`.
//! Beyond it: `L` (the last day of the month), `LW` (its last weekday), `15W` (the weekday nearest to the 15th, in the
//! same month, if that has one), `5L` (the last Friday) and `5#2` (the second Friday). Capitals do not matter.
//!
//! Where day of month and day of week are both restricted, a day that either names will do. A field is unrestricted
//! only if it is `*`; Vixie cron takes any that begins with `*` for it, so `*/2` beside a weekday means something else
//! there.

use std::{fmt, str::FromStr};

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
    time::Weekday,
};
use jiff::{ToSpan, civil};
use serde::{Deserialize, Serialize};

use super::field::{FIELDS, Unread};
use crate::validated::{InvalidText, Text};

/// Characters that an expression may have.
pub const LONGEST: usize = 200;

const NICKNAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];

/// Dates and times of day, as a cron expression names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression {
    text: String,
    cron: Box<Cron>,
}

/// A text that is no cron expression, or one that never comes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidExpression {
    /// Blank, too long, or with control characters.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// Seconds, years, or a field that was forgotten.
    #[error("must have five fields (minute, hour, day of month, month, day of week), not {0}")]
    Fields(usize),
    /// Another word after `@`.
    #[error("must be five fields or one of {}, not {given}", NICKNAMES.join(", "))]
    Nickname {
        /// What was given.
        given: String,
    },
    /// A field that cannot be read.
    #[error(transparent)]
    Field(#[from] Unread),
    /// `0 0 31 2 *`
    #[error("never comes: there is no such day in those months")]
    Never,
}

impl Expression {
    /// The first wall time that it names at this one or after it, a whole second; none after the year 5000.
    pub(super) fn first_from(&self, wall: civil::DateTime) -> Option<civil::DateTime> {
        self.cron.find_next_occurrence(&wall, true).ok()
    }

    /// The last wall time that it names at this one or before it.
    pub(super) fn last_to(&self, wall: civil::DateTime) -> Option<civil::DateTime> {
        self.cron.find_previous_occurrence(&wall, true).ok()
    }

    /// It names every hour of its days: it goes by the hours that pass, not by the time of day.
    pub(super) fn is_hourly(&self) -> bool {
        self.cron.pattern.hours.values().len() == 24
    }

    /// In words: `At 02:30, on Monday`.
    pub(super) fn describe(&self) -> String {
        let pattern = &self.cron.pattern;
        let mut fields: Vec<_> = pattern.as_str().split_whitespace().map(str::to_owned).collect();
        // croner says "every 5 minutes" of any field that has such a step somewhere.
        for (place, count, field) in
            [(0, 60, &pattern.minutes), (1, 24, &pattern.hours), (3, 12, &pattern.months)]
        {
            let step =
                fields.get(place).and_then(|text| text.strip_prefix("*/")?.parse::<u16>().ok());
            if fields[place].contains('/') && step.is_none_or(|step| count % step != 0) {
                fields[place] =
                    field.values().iter().map(u16::to_string).collect::<Vec<_>>().join(",");
            }
        }
        let words = parse(&fields.join(" ")).unwrap_or_else(|| self.cron.clone()).describe();
        let words = words.trim_end_matches('.');
        words
            .strip_prefix("At every")
            .map_or_else(|| words.to_owned(), |rest| format!("Every{rest}"))
    }
}

/// What croner makes of five fields or a nickname.
fn parse(text: &str) -> Option<Box<Cron>> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).ok().map(Box::new)
}

/// One of its days comes at some time.
///
/// It sees of a year only whether it is a leap year and the weekday on which it begins, and the 28 years from 2000 on
/// have every such form. croner by itself would look for 31 February up to the year 5000.
fn comes(cron: &Cron) -> bool {
    let months = civil::date(2000, 1, 1).series(1.month()).take(28 * 12);
    let named = |day: civil::Date| -> bool {
        let weekday = Weekday::from_days_from_sunday(
            day.weekday().to_sunday_zero_offset().unsigned_abs().into(),
        );
        let (year, month) = (day.year().into(), day.month().unsigned_abs().into());
        cron.pattern
            .day_match(year, month, day.day().unsigned_abs().into(), weekday)
            .unwrap_or(false)
    };
    months
        .filter(|month| {
            cron.pattern.month_match(month.month().unsigned_abs().into()).unwrap_or(false)
        })
        .any(|month| {
            month.series(1.day()).take_while(|day| day.month() == month.month()).any(named)
        })
}

impl FromStr for Expression {
    type Err = InvalidExpression;

    fn from_str(text: &str) -> Result<Self, InvalidExpression> {
        let text = String::from(Text::<LONGEST>::try_from(text.trim().to_owned())?);
        if text.starts_with('@') {
            let known = NICKNAMES.iter().any(|nickname| nickname.eq_ignore_ascii_case(&text));
            let cron = parse(&text).filter(|_| known);
            return cron
                .map(|cron| Self { text: text.clone(), cron })
                .ok_or(InvalidExpression::Nickname { given: text });
        }
        let fields: Vec<_> = text.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(InvalidExpression::Fields(fields.len()));
        }
        if let Some((field, text)) =
            FIELDS.iter().zip(&fields).find(|(field, text)| !field.reads(text))
        {
            return Err(field.unread(text).into());
        }
        match parse(&text) {
            Some(cron) if comes(&cron) => Ok(Self { text, cron }),
            Some(_) => Err(InvalidExpression::Never),
            None => Err(out_of_range(&fields)),
        }
    }
}

/// Names the field that croner refuses, which does not say so itself.
fn out_of_range(fields: &[&str]) -> InvalidExpression {
    let alone = |place: usize| {
        let fields =
            (0..FIELDS.len()).map(|other| if other == place { fields[place] } else { "*" });
        fields.collect::<Vec<_>>().join(" ")
    };
    let refused =
        (0..FIELDS.len()).find(|place| parse(&alone(*place)).is_none()).unwrap_or_default();
    FIELDS[refused].unread(fields[refused]).into()
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Expression {
    type Error = InvalidExpression;

    fn try_from(text: String) -> Result<Self, InvalidExpression> {
        text.parse()
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Expression {
        text.parse().expect(text)
    }

    fn refused(text: &str) -> String {
        text.parse::<Expression>().expect_err(text).to_string()
    }

    /// The first wall times that it names from the beginning of 2026 on.
    fn walls(text: &str, count: usize) -> Vec<String> {
        let expression = expression(text);
        let first = expression.first_from(civil::date(2026, 1, 1).at(0, 0, 0, 0));
        let next = |wall: &civil::DateTime| expression.first_from(*wall + 1.second());
        std::iter::successors(first, next)
            .take(count)
            .map(|wall| wall.strftime("%m-%d %H:%M").to_string())
            .collect()
    }

    #[test]
    fn an_expression_names_dates_and_times_of_day() {
        for (text, first) in [
            ("30 2 * * *", ["01-01 02:30", "01-02 02:30", "01-03 02:30"]),
            ("10-40/15 8,9 * * *", ["01-01 08:10", "01-01 08:25", "01-01 08:40"]),
            ("0 0 * * mon-fri", ["01-01 00:00", "01-02 00:00", "01-05 00:00"]),
            ("0 0 * * FRI-SUN", ["01-02 00:00", "01-03 00:00", "01-04 00:00"]),
            ("0 0 * * 7", ["01-04 00:00", "01-11 00:00", "01-18 00:00"]),
            ("0 12 * feb,Mar SUN", ["02-01 12:00", "02-08 12:00", "02-15 12:00"]),
            ("0 0 L * *", ["01-31 00:00", "02-28 00:00", "03-31 00:00"]),
            ("0 0 LW * *", ["01-30 00:00", "02-27 00:00", "03-31 00:00"]),
            ("0 0 15W * *", ["01-15 00:00", "02-16 00:00", "03-16 00:00"]),
            ("0 0 * * 5L", ["01-30 00:00", "02-27 00:00", "03-27 00:00"]),
            ("0 0 * * FRI#2", ["01-09 00:00", "02-13 00:00", "03-13 00:00"]),
            ("@Weekly", ["01-04 00:00", "01-11 00:00", "01-18 00:00"]),
        ] {
            assert_eq!(walls(text, 3), first, "{text}");
        }
    }

    #[test]
    fn a_day_of_the_month_or_of_the_week_will_do() {
        assert_eq!(
            walls("0 0 13 * FRI", 4),
            ["01-02 00:00", "01-09 00:00", "01-13 00:00", "01-16 00:00"]
        );
        assert_eq!(
            walls("0 0 */10 1 MON", 4),
            ["01-01 00:00", "01-05 00:00", "01-11 00:00", "01-12 00:00"]
        );
    }

    #[test]
    fn what_is_refused_is_said_in_words() {
        for blank in ["", " ", " \t "] {
            assert_eq!(refused(blank), "must not be empty");
        }
        assert_eq!(refused(&"1,".repeat(101)), "must be at most 200 characters, not 202");
        assert_eq!(refused("0 0 *\t* *"), "must not contain control characters");
        let fields = "must have five fields (minute, hour, day of month, month, day of week), not";
        for (text, count) in [("*", 1), ("0 0 * *", 4), ("0 0 0 * * *", 6), ("0 0 0 * * * 2026", 7)]
        {
            assert_eq!(refused(text), format!("{fields} {count}"));
        }
        let forms = "must be five fields or one of @hourly, @daily, @weekly, @monthly, @yearly, @annually, not";
        for nickname in ["@reboot", "@", "@daily 0", "@midnight"] {
            assert_eq!(refused(nickname), format!("{forms} {nickname}"));
        }
    }

    #[test]
    fn what_never_comes_is_refused() {
        for text in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30W 2 *"] {
            assert_eq!(text.parse::<Expression>(), Err(InvalidExpression::Never), "{text}");
        }
        for text in ["0 0 29 2 *", "0 0 * 2 1#5", "0 0 31 2,3 *", "0 0 31 2 MON", "0 0 L 2 *"] {
            assert!(text.parse::<Expression>().is_ok(), "{text}");
        }
    }

    #[test]
    fn it_is_kept_as_it_was_given() {
        assert_eq!(expression("  0  9 * * Mon-fri ").to_string(), "0  9 * * Mon-fri");
        assert_eq!(expression("@DAILY").to_string(), "@DAILY");
    }

    #[test]
    fn only_an_expression_of_all_hours_is_hourly() {
        for text in ["*/15 * * * *", "30 0-23 * * MON", "0 */1 * * *", "@hourly"] {
            assert!(expression(text).is_hourly(), "{text}");
        }
        for text in ["0 */2 * * *", "* 0-22 * * *", "@daily"] {
            assert!(!expression(text).is_hourly(), "{text}");
        }
    }

    #[test]
    fn the_words_say_what_the_fields_do() {
        for (text, words) in [
            ("30 2 * * *", "At 02:30"),
            ("30 2 * * MON", "At 02:30, on Monday"),
            ("*/15 * * * *", "Every 15 minutes"),
            ("*/45 * * * *", "At minute 0 and 45 past every hour"),
            ("0-30/10 * * * *", "At minute 0, 10, 20, and 30 past every hour"),
            ("0 0 1 */5 *", "At 00:00, on day 1, in January, June, and November"),
            ("@hourly", "At minute 0 past every hour"),
        ] {
            assert_eq!(expression(text).describe(), words, "{text}");
        }
    }
}
