//! The five fields of a cron expression, and the syntax of each.
//!
//! croner accepts more than the syntax has: a name in any field, text after a `W`, nothing between
//! two commas. So the words of each field are checked first; croner checks the range of values.

/// The syntax of one field.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    syntax: &'static str,
    names: &'static [&'static str],
    /// The number of its values, the largest step.
    values: u16,
    /// Whether a word is valid that is neither a number nor a name.
    accepts_special: fn(&Field, &str) -> bool,
}

/// An invalid field of an expression.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "invalid {name} `{text}`: use {syntax}, with lists (1,2), ranges (1-5) \
     and steps (*/5, 0-30/10)"
)]
pub struct InvalidField {
    name: &'static str,
    syntax: &'static str,
    text: String,
}

/// A step that exceeds the values of its field. Cron does not count on into the next hour or day,
/// so `*/90` would be due at minute 0 of each hour.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid {name} `{text}`: a step must be at most {values}, the number of its values")]
pub struct InvalidStep {
    name: &'static str,
    text: String,
    values: u16,
}

/// The fields, in the order of an expression.
pub(super) const FIELDS: [Field; 5] = [
    Field { name: "minute", syntax: "0-59", names: &[], values: 60, accepts_special: |_, _| false },
    Field { name: "hour", syntax: "0-23", names: &[], values: 24, accepts_special: |_, _| false },
    Field {
        name: "day of month",
        syntax: "1-31, L, LW or 15W",
        names: &[],
        values: 31,
        accepts_special: Field::is_day,
    },
    Field {
        name: "month",
        syntax: "1-12 or JAN-DEC",
        names: &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
        values: 12,
        accepts_special: |_, _| false,
    },
    Field {
        name: "day of week",
        syntax: "0-7 or SUN-SAT, 5L or 5#2",
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
        values: 7,
        accepts_special: |field, word| {
            word.strip_suffix('L').is_some_and(|day| field.is_value(day))
        },
    },
];

impl Field {
    /// Returns whether all words of a text are valid in this field, in range or not.
    pub fn accepts(&self, text: &str) -> bool {
        let text = text.to_ascii_uppercase();
        let items: Vec<_> = text.split(',').collect();
        // croner would read the two as LW alone.
        let both = items.contains(&"L") && items.contains(&"LW");
        let valid =
            |word: &str| word == "*" || self.is_value(word) || (self.accepts_special)(self, word);
        !both && items.iter().all(|item| item.split(['-', '/', '#']).all(valid))
    }

    /// Checks the steps of a text that this field accepts.
    pub fn check_steps(&self, text: &str) -> Result<(), InvalidStep> {
        let mut steps = text.split(',').filter_map(|item| item.split_once('/'));
        let is_valid = |step: &str| step.parse().is_ok_and(|step: u16| step <= self.values);
        if steps.all(|(_, step)| is_valid(step)) {
            return Ok(());
        }
        Err(InvalidStep { name: self.name, text: text.to_owned(), values: self.values })
    }

    /// Returns the error for a text that is invalid in this field.
    pub fn invalid(&self, text: &str) -> InvalidField {
        InvalidField { name: self.name, syntax: self.syntax, text: text.to_owned() }
    }

    fn is_value(&self, word: &str) -> bool {
        let number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        number || self.names.contains(&word)
    }

    fn is_day(&self, word: &str) -> bool {
        matches!(word, "L" | "LW") || word.strip_suffix('W').is_some_and(|day| self.is_value(day))
    }
}

#[cfg(test)]
mod tests {
    use crate::schedule::when::Expression;

    #[test]
    fn the_error_names_the_invalid_field() {
        for (expression, field) in [
            ("60 * * * *", "minute `60`"),
            ("-1 * * * *", "minute `-1`"),
            ("MON * * * *", "minute `MON`"),
            ("1,,2 * * * *", "minute `1,,2`"),
            (", * * * *", "minute `,`"),
            ("*/0 * * * *", "minute `*/0`"),
            ("/5 * * * *", "minute `/5`"),
            ("5/10 * * * *", "minute `5/10`"),
            ("30-10 * * * *", "minute `30-10`"),
            ("1.5 * * * *", "minute `1.5`"),
            ("99999999999 * * * *", "minute `99999999999`"),
            ("\u{661} * * * *", "minute `\u{661}`"),
            ("0 24 * * *", "hour `24`"),
            ("0 L * * *", "hour `L`"),
            ("0 0 0 * *", "day of month `0`"),
            ("0 0 32 * *", "day of month `32`"),
            ("0 0 15W7 * *", "day of month `15W7`"),
            ("0 0 W * *", "day of month `W`"),
            ("0 0 L,LW * *", "day of month `L,LW`"),
            ("0 0 L-3 * *", "day of month `L-3`"),
            ("0 0 ? * MON", "day of month `?`"),
            ("0 0 * 0 *", "month `0`"),
            ("0 0 * 13 *", "month `13`"),
            ("0 0 * MON *", "month `MON`"),
            ("0 0 * JANUARY *", "month `JANUARY`"),
            ("0 0 * * 8", "day of week `8`"),
            ("0 0 * * L", "day of week `L`"),
            ("0 0 * * 5#6", "day of week `5#6`"),
            ("0 0 * * 5#0", "day of week `5#0`"),
            ("0 0 * * +MON", "day of week `+MON`"),
            ("0 0 * * JAN", "day of week `JAN`"),
            ("0 0 * * 1MON", "day of week `1MON`"),
            ("0 0 * * fr\u{131}", "day of week `fr\u{131}`"),
        ] {
            let error = expression.parse::<Expression>().expect_err(expression).to_string();
            assert!(error.starts_with(&format!("invalid {field}: use ")), "{expression}: {error}");
        }
    }

    #[test]
    fn a_step_is_at_most_the_number_of_values() {
        for (expression, field) in [
            ("*/61 * * * *", "minute `*/61`: a step must be at most 60"),
            ("*/90 * * * *", "minute `*/90`: a step must be at most 60"),
            ("1,10-40/99 * * * *", "minute `1,10-40/99`: a step must be at most 60"),
            ("0 */25 * * *", "hour `*/25`: a step must be at most 24"),
            ("0 0 */32 * *", "day of month `*/32`: a step must be at most 31"),
            ("0 0 1 */13 *", "month `*/13`: a step must be at most 12"),
            ("0 0 * * */8", "day of week `*/8`: a step must be at most 7"),
        ] {
            let expression: Expression = expression.parse().expect("stored ones are read");
            let error = expression.check().expect_err("a large step").to_string();
            let expected = format!("invalid {field}, the number of its values");
            assert_eq!(error, expected);
        }
        for expression in ["*/60 */24 */31 */12 */7", "10-20/60 * * * *", "@daily", "1,2 * L * 5#2"]
        {
            assert_eq!(expression.parse::<Expression>().expect(expression).check(), Ok(()));
        }
    }

    #[test]
    fn the_error_states_the_syntax_of_the_field() {
        assert_eq!(
            "0 25 * * *".parse::<Expression>().expect_err("an error").to_string(),
            "invalid hour `25`: use 0-23, with lists (1,2), ranges (1-5) and steps (*/5, 0-30/10)"
        );
    }
}
