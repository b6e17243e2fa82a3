//! The five fields of a cron expression, and how each is written.
//!
//! croner reads more than people mean: a name in any field, what follows a `W`, nothing between two commas. So each
//! field is held to its own words first; values out of range are left to croner.

/// What may stand in one place of an expression.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    takes: &'static str,
    names: &'static [&'static str],
    /// Words beyond values and names.
    special: fn(&Field, &str) -> bool,
}

/// A field that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the {name} `{text}` is not understood: it takes {takes}, with lists (1,2), ranges (1-5) and steps (*/5, 0-30/10)"
)]
pub struct Unread {
    name: &'static str,
    takes: &'static str,
    text: String,
}

/// In the order of an expression.
pub(super) const FIELDS: [Field; 5] = [
    Field { name: "minute", takes: "0-59", names: &[], special: |_, _| false },
    Field { name: "hour", takes: "0-23", names: &[], special: |_, _| false },
    Field { name: "day of month", takes: "1-31, L, LW or 15W", names: &[], special: Field::is_day },
    Field {
        name: "month",
        takes: "1-12 or JAN-DEC",
        names: &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
        special: |_, _| false,
    },
    Field {
        name: "day of week",
        takes: "0-7 or SUN-SAT, 5L or 5#2",
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
        special: |field, word| word.strip_suffix('L').is_some_and(|day| field.is_value(day)),
    },
];

impl Field {
    /// It is made of words that belong there.
    pub fn reads(&self, text: &str) -> bool {
        let text = text.to_ascii_uppercase();
        let items: Vec<_> = text.split(',').collect();
        // croner would take the two for LW alone.
        let both = items.contains(&"L") && items.contains(&"LW");
        let known = |word: &str| word == "*" || self.is_value(word) || (self.special)(self, word);
        !both && items.iter().all(|item| item.split(['-', '/', '#']).all(known))
    }

    /// The refusal of a text.
    pub fn unread(&self, text: &str) -> Unread {
        Unread { name: self.name, takes: self.takes, text: text.to_owned() }
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
    fn the_field_that_cannot_be_read_is_named() {
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
            let refusal = expression.parse::<Expression>().expect_err(expression).to_string();
            assert!(
                refusal.starts_with(&format!("the {field} is not understood")),
                "{expression}: {refusal}"
            );
        }
    }

    #[test]
    fn a_refusal_says_what_a_field_takes() {
        assert_eq!(
            "0 25 * * *".parse::<Expression>().expect_err("a refusal").to_string(),
            "the hour `25` is not understood: it takes 0-23, with lists (1,2), ranges (1-5) and steps (*/5, 0-30/10)"
        );
    }
}
