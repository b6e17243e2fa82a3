//! Cron expressions: which dates and times of day match, independent of any time zone.
//!
//! Five fields, as in Vixie cron: minute, hour, day of month, month, day of week (0 and 7 are
//! Sunday), with names, lists, ranges and steps (`*/5`, `10-40/10`); or `@hourly`, `@daily`,
//! `@weekly`, `@monthly`, `@yearly`, `@annually`. Additions: `L` (the last day of the month), `LW`
//! (its last weekday), `15W` (the weekday nearest to the 15th in the same month; none in a month
//! without that day), `5L` (the last Friday) and `5#2` (the second Friday). Case does not matter.
//!
//! If day of month and day of week are both restricted, a day that matches either one matches. Only
//! `*` leaves a field unrestricted. In Vixie cron any field that begins with `*` is unrestricted,
//! so `*/2` beside a weekday has another meaning there.

use std::{fmt, str::FromStr};

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
    time::Weekday,
};
use jiff::{ToSpan, civil};
use serde::{Deserialize, Serialize};

use super::field::{FIELDS, InvalidField, InvalidStep};
use crate::validated::{InvalidText, Text};

/// The maximum length of an expression, in characters.
const MAX_LENGTH: usize = 200;

/// The place of the field of days of the month.
const DAY_OF_MONTH: usize = 2;

const NICKNAMES: [&str; 6] = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@annually"];

/// A cron expression: a set of dates and times of day. At least one date matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression {
    text: String,
    cron: Box<Cron>,
}

/// An invalid cron expression, or one that never matches.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidExpression {
    /// Blank, too long, or with control characters.
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// The number of fields is not five.
    #[error("must have five fields (minute, hour, day of month, month, day of week), not {0}")]
    Fields(usize),
    /// A nickname that is not supported.
    #[error("must be five fields or one of {}, not {given}", NICKNAMES.join(", "))]
    Nickname {
        /// The nickname.
        given: String,
    },
    /// An invalid field.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// No date matches, as for `0 0 31 2 *`.
    #[error("never matches: the given months have no such day")]
    Never,
}

impl Expression {
    /// Rejects a step that is larger than its field, which earlier releases accepted: what they
    /// stored is still read.
    pub(super) fn check(&self) -> Result<(), InvalidStep> {
        let fields = self.text.split_whitespace();
        FIELDS.iter().zip(fields).try_for_each(|(field, text)| field.check_steps(text))
    }

    /// Returns the first matching local time at or after `local`, a whole second; none after the
    /// year 5000.
    pub(super) fn first_from(&self, local: civil::DateTime) -> Option<civil::DateTime> {
        self.cron.find_next_occurrence(&local, true).ok()
    }

    /// Returns the last matching local time at or before `local`, a whole second.
    pub(super) fn last_to(&self, local: civil::DateTime) -> Option<civil::DateTime> {
        self.cron.find_previous_occurrence(&local, true).ok()
    }

    /// Returns whether every hour of a day matches: such a schedule follows elapsed time, not the
    /// time of day.
    pub(super) fn covers_every_hour(&self) -> bool {
        self.cron.pattern.hours.values().len() == 24
    }

    /// Returns the expression in words: `At 02:30, on Monday`.
    pub(super) fn describe(&self) -> String {
        let pattern = &self.cron.pattern;
        let mut fields: Vec<_> = pattern.as_str().split_whitespace().map(str::to_owned).collect();
        // croner describes any field with a step of 5 somewhere as "every 5 minutes". So the values
        // are listed unless the step is `*/n` and divides the hour, day or year evenly.
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
        let mut words = words.trim_end_matches('.').to_owned();
        // croner describes the last weekday as if it were the last day.
        if fields.get(DAY_OF_MONTH).is_some_and(|days| days.split(',').any(|day| day == "LW")) {
            words = words.replace("the last day of the month", "the last weekday of the month");
        }
        words.strip_prefix("At every").map(|rest| format!("Every{rest}")).unwrap_or(words)
    }
}

/// Parses five fields or a nickname.
fn parse(text: &str) -> Option<Box<Cron>> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).ok().map(Box::new)
}

/// Returns whether any date matches.
///
/// Of a year, only its length and the weekday on which it begins matter, and the 28 years from 2000
/// have every combination. croner itself would search for 31 February up to the year 5000.
fn matches_some_date(cron: &Cron) -> bool {
    let months = civil::date(2000, 1, 1).series(1.month()).take(28 * 12);
    let matches = |day: civil::Date| -> bool {
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
            month.series(1.day()).take_while(|day| day.month() == month.month()).any(matches)
        })
}

impl FromStr for Expression {
    type Err = InvalidExpression;

    fn from_str(text: &str) -> Result<Self, InvalidExpression> {
        let text = String::from(Text::<MAX_LENGTH>::try_from(text.trim().to_owned())?);
        if text.starts_with('@') {
            let supported = NICKNAMES.iter().any(|nickname| nickname.eq_ignore_ascii_case(&text));
            let cron = parse(&text).filter(|_| supported);
            return cron
                .map(|cron| Self { text: text.clone(), cron })
                .ok_or(InvalidExpression::Nickname { given: text });
        }
        let fields: Vec<_> = text.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(InvalidExpression::Fields(fields.len()));
        }
        if let Some((field, text)) =
            FIELDS.iter().zip(&fields).find(|(field, text)| !field.accepts(text))
        {
            return Err(field.invalid(text).into());
        }
        match parse(&text) {
            Some(cron) if matches_some_date(&cron) => Ok(Self { text, cron }),
            Some(_) => Err(InvalidExpression::Never),
            None => Err(out_of_range(&fields)),
        }
    }
}

/// Returns the error for the first field that croner rejects, which its own error does not name.
fn out_of_range(fields: &[&str]) -> InvalidExpression {
    let with_only = |place: usize| {
        let fields =
            (0..FIELDS.len()).map(|other| if other == place { fields[place] } else { "*" });
        fields.collect::<Vec<_>>().join(" ")
    };
    let invalid =
        (0..FIELDS.len()).find(|place| parse(&with_only(*place)).is_none()).unwrap_or_default();
    FIELDS[invalid].invalid(fields[invalid]).into()
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
    use proptest::prelude::*;

    use super::*;

    fn expression(text: &str) -> Expression {
        text.parse().expect(text)
    }

    fn error(text: &str) -> String {
        text.parse::<Expression>().expect_err(text).to_string()
    }

    /// The first matching local times from the beginning of 2026.
    fn local_times(text: &str, count: usize) -> Vec<String> {
        let expression = expression(text);
        let first = expression.first_from(civil::date(2026, 1, 1).at(0, 0, 0, 0));
        let next = |local: &civil::DateTime| expression.first_from(*local + 1.second());
        std::iter::successors(first, next)
            .take(count)
            .map(|local| local.strftime("%m-%d %H:%M").to_string())
            .collect()
    }

    #[test]
    fn an_expression_matches_dates_and_times_of_day() {
        for (text, first) in [
            ("30 2 * * *", ["01-01 02:30", "01-02 02:30", "01-03 02:30"]),
            ("10-40/15 8,9 * * *", ["01-01 08:10", "01-01 08:25", "01-01 08:40"]),
            ("0 0 * * mon-fri", ["01-01 00:00", "01-02 00:00", "01-05 00:00"]),
            ("0 0 * * FRI-SUN", ["01-02 00:00", "01-03 00:00", "01-04 00:00"]),
            ("0 0 * * 7", ["01-04 00:00", "01-11 00:00", "01-18 00:00"]),
            ("0 12 * feb,Mar SUN", ["02-01 12:00", "02-08 12:00", "02-15 12:00"]),
            ("0 0 L * *", ["01-31 00:00", "02-28 00:00", "03-31 00:00"]),
            ("0 0 LW * *", ["01-30 00:00", "02-27 00:00", "03-31 00:00"]),
            ("0 0 15,LW * *", ["01-15 00:00", "01-30 00:00", "02-15 00:00"]),
            ("0 0 15W * *", ["01-15 00:00", "02-16 00:00", "03-16 00:00"]),
            ("0 0 * * 5L", ["01-30 00:00", "02-27 00:00", "03-27 00:00"]),
            ("0 0 * * FRI#2", ["01-09 00:00", "02-13 00:00", "03-13 00:00"]),
            ("@Weekly", ["01-04 00:00", "01-11 00:00", "01-18 00:00"]),
        ] {
            assert_eq!(local_times(text, 3), first, "{text}");
        }
    }

    #[test]
    fn a_day_that_matches_either_restricted_day_field_matches() {
        assert_eq!(
            local_times("0 0 13 * FRI", 4),
            ["01-02 00:00", "01-09 00:00", "01-13 00:00", "01-16 00:00"]
        );
        assert_eq!(
            local_times("0 0 */10 1 MON", 4),
            ["01-01 00:00", "01-05 00:00", "01-11 00:00", "01-12 00:00"]
        );
    }

    #[test]
    fn the_error_states_what_is_wrong() {
        for blank in ["", " ", " \t "] {
            assert_eq!(error(blank), "must have a visible character");
        }
        assert_eq!(error(&"1,".repeat(101)), "must be at most 200 characters, not 202");
        assert_eq!(error("0 0 *\t* *"), "must not contain control characters");
        let fields = "must have five fields (minute, hour, day of month, month, day of week), not";
        for (text, count) in [("*", 1), ("0 0 * *", 4), ("0 0 0 * * *", 6), ("0 0 0 * * * 2026", 7)]
        {
            assert_eq!(error(text), format!("{fields} {count}"));
        }
        let forms = "must be five fields or one of @hourly, @daily, @weekly, @monthly, @yearly, \
             @annually, not";
        for nickname in ["@reboot", "@", "@daily 0", "@midnight"] {
            assert_eq!(error(nickname), format!("{forms} {nickname}"));
        }
    }

    #[test]
    fn an_expression_that_never_matches_is_rejected() {
        for text in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30W 2 *"] {
            assert_eq!(text.parse::<Expression>(), Err(InvalidExpression::Never), "{text}");
        }
        for text in ["0 0 29 2 *", "0 0 * 2 1#5", "0 0 31 2,3 *", "0 0 31 2 MON", "0 0 L 2 *"] {
            assert!(text.parse::<Expression>().is_ok(), "{text}");
        }
    }

    #[test]
    fn an_expression_keeps_its_text_without_outer_spaces() {
        assert_eq!(expression("  0  9 * * Mon-fri ").to_string(), "0  9 * * Mon-fri");
        assert_eq!(expression("@DAILY").to_string(), "@DAILY");
    }

    #[test]
    fn an_expression_that_covers_every_hour_is_recognized() {
        for text in ["*/15 * * * *", "30 0-23 * * MON", "0 */1 * * *", "@hourly"] {
            assert!(expression(text).covers_every_hour(), "{text}");
        }
        for text in ["0 */2 * * *", "* 0-22 * * *", "@daily"] {
            assert!(!expression(text).covers_every_hour(), "{text}");
        }
    }

    #[test]
    fn the_description_states_the_fields() {
        for (text, words) in [
            ("30 2 * * *", "At 02:30"),
            ("30 2 * * MON", "At 02:30, on Monday"),
            ("*/15 * * * *", "Every 15 minutes"),
            ("*/45 * * * *", "At minute 0 and 45 past every hour"),
            ("0-30/10 * * * *", "At minute 0, 10, 20, and 30 past every hour"),
            ("0 0 1 */5 *", "At 00:00, on day 1, in January, June, and November"),
            ("@hourly", "At minute 0 past every hour"),
            ("0 0 L * *", "At 00:00, on the last day of the month"),
            ("0 0 LW * *", "At 00:00, on the last weekday of the month"),
            ("0 0 lw * *", "At 00:00, on the last weekday of the month"),
            ("0 0 15,LW * *", "At 00:00, on day 15 and the last weekday of the month"),
            (
                "0 0 LW,1W * 5L",
                "At 00:00, on the last weekday of the month and the weekday nearest day 1 or \
                 the last Friday of the month",
            ),
            ("0 0 * * 5L", "At 00:00, on the last Friday of the month"),
        ] {
            assert_eq!(expression(text).describe(), words, "{text}");
        }
    }

    /// A text that is an expression, or nearly one.
    fn similar() -> impl Strategy<Value = String> {
        let word = "\\*|[0-9]{1,3}|[A-Za-z]{1,3}|L|LW|[0-9]{1,2}[LW]|[0-9]#[0-9]|\\?|";
        let item = (word, "(-[0-9]{1,2}|-[a-zA-Z]{3})?", "(/[0-9]{1,3})?")
            .prop_map(|(word, to, step)| word + &to + &step);
        let field = prop::collection::vec(item, 1..4).prop_map(|items| items.join(","));
        prop::collection::vec(prop_oneof![4 => Just("*".to_owned()), 3 => field], 4..7)
            .prop_map(|fields| fields.join(" "))
    }

    proptest! {
        #[test]
        fn no_text_panics_and_an_expression_is_its_text(
            text in prop_oneof![1 => any::<String>(), 9 => similar()],
        ) {
            if let Ok(expression) = text.parse::<Expression>() {
                let _ = expression.check();
                prop_assert!(!expression.describe().is_empty());
                prop_assert_eq!(expression.to_string().parse(), Ok(expression.clone()));
                let noon = civil::date(2026, 11, 20).at(12, 0, 0, 0);
                let (first, last) = (expression.first_from(noon), expression.last_to(noon));
                prop_assert!(first.is_none_or(|first| first >= noon));
                prop_assert!(last.is_none_or(|last| last <= noon));
            }
        }
    }
}
