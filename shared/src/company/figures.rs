//! What a company's days come to. Pure: no AWS, no clock. Amounts are integer cents, quotients exact fractions.
//!
//! | figure | formula |
//! |---|---|
//! | gross, fees, net | sums over the days, reversals included as negative amounts |
//! | margin | net ÷ gross |
//! | average ticket | gross of the sales ÷ number of sales, reversals left out |
//! | best day | the day with the largest gross, the earliest of several; none if no day has a sale |
//! | trend | gross of the later half of the days − gross of the earlier half, and that ÷ the earlier half |
//! | revenue per employee | net ÷ employees |
//! | sales per employee | number of sales ÷ employees |
//!
//! What would divide by zero is `null`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ledger::{Kind, Payment, TooLarge},
    time::Day,
};

/// What one day comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySums {
    /// Orders that were paid.
    pub sales: i64,
    /// Orders that were cancelled.
    pub reversals: i64,
    /// What buyers paid, less what they got back.
    pub gross_cents: i64,
    /// What the company pays of it.
    pub fee_cents: i64,
    /// What it gets.
    pub net_cents: i64,
    /// What buyers paid, whatever they got back.
    pub sales_gross_cents: i64,
}

impl DaySums {
    /// With one more payment.
    pub fn and(self, paid: Payment<'_>) -> Result<Self, TooLarge> {
        let sale = paid.kind == Kind::Sale;
        self.plus(&Self {
            sales: sale.into(),
            reversals: (!sale).into(),
            gross_cents: paid.gross_cents,
            fee_cents: paid.fee_cents,
            net_cents: paid.net_cents,
            sales_gross_cents: if sale { paid.gross_cents } else { 0 },
        })
    }

    /// Both together.
    pub fn plus(&self, other: &Self) -> Result<Self, TooLarge> {
        let add = |a: i64, b: i64| a.checked_add(b).ok_or(TooLarge);
        Ok(Self {
            sales: add(self.sales, other.sales)?,
            reversals: add(self.reversals, other.reversals)?,
            gross_cents: add(self.gross_cents, other.gross_cents)?,
            fee_cents: add(self.fee_cents, other.fee_cents)?,
            net_cents: add(self.net_cents, other.net_cents)?,
            sales_gross_cents: add(self.sales_gross_cents, other.sales_gross_cents)?,
        })
    }
}

/// What all figures of a company are made of: its days, each of which is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The days, oldest first.
    pub days: BTreeMap<Day, DaySums>,
}

/// A quotient in lowest terms, its denominator positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fraction {
    numerator: i64,
    denominator: i64,
}

impl Fraction {
    /// `numerator ÷ denominator`; `None`: there is no such number, or it does not fit.
    #[must_use]
    pub fn of(numerator: i64, denominator: i64) -> Option<Self> {
        let divisor =
            i64::try_from(gcd(numerator.unsigned_abs(), denominator.unsigned_abs())).ok()?;
        let divisor = if denominator < 0 { -divisor } else { divisor };
        let (numerator, denominator) =
            (numerator.checked_div(divisor)?, denominator.checked_div(divisor)?);
        (denominator > 0).then_some(Self { numerator, denominator })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `GET /api/financials`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FinancialFigures {
    gross_cents: i64,
    fee_cents: i64,
    net_cents: i64,
    margin: Option<Fraction>,
    days: Vec<FinancialDay>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct FinancialDay {
    date: Day,
    gross_cents: i64,
    fee_cents: i64,
    net_cents: i64,
}

/// `GET /api/sales`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SalesFigures {
    sales: i64,
    reversals: i64,
    gross_cents: i64,
    average_ticket_cents: Option<Fraction>,
    best_day: Option<BestDay>,
    trend: Trend,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct BestDay {
    date: Day,
    gross_cents: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Trend {
    earlier_gross_cents: i64,
    later_gross_cents: i64,
    change: Option<Fraction>,
}

/// `GET /api/employee`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmployeeFigures {
    employees: u32,
    revenue_per_employee_cents: Option<Fraction>,
    sales_per_employee: Option<Fraction>,
}

impl Base {
    /// All days together.
    fn total(&self) -> Result<DaySums, TooLarge> {
        self.days.values().try_fold(DaySums::default(), |total, day| total.plus(day))
    }

    /// What came in, and what is left of it.
    pub fn financials(&self) -> Result<FinancialFigures, TooLarge> {
        let DaySums { gross_cents, fee_cents, net_cents, .. } = self.total()?;
        let day = |(&date, day): (&Day, &DaySums)| FinancialDay {
            date,
            gross_cents: day.gross_cents,
            fee_cents: day.fee_cents,
            net_cents: day.net_cents,
        };
        let margin = Fraction::of(net_cents, gross_cents);
        Ok(FinancialFigures {
            gross_cents,
            fee_cents,
            net_cents,
            margin,
            days: self.days.iter().map(day).collect(),
        })
    }

    /// What was sold, and when.
    pub fn sales(&self) -> Result<SalesFigures, TooLarge> {
        let DaySums { sales, reversals, gross_cents, sales_gross_cents, .. } = self.total()?;
        let average_ticket_cents = Fraction::of(sales_gross_cents, sales);
        let sold = self.days.iter().filter(|(_, day)| day.sales > 0);
        // Of equals the last is the largest, so the earliest is found from behind.
        let best = sold.rev().max_by_key(|(_, day)| day.gross_cents);
        let best_day = best.map(|(&date, day)| BestDay { date, gross_cents: day.gross_cents });
        Ok(SalesFigures {
            sales,
            reversals,
            gross_cents,
            average_ticket_cents,
            best_day,
            trend: self.trend()?,
        })
    }

    fn trend(&self) -> Result<Trend, TooLarge> {
        let half = self.days.len() / 2;
        let add = |sum: i64, day: &DaySums| sum.checked_add(day.gross_cents);
        let earlier_gross_cents = self.days.values().take(half).try_fold(0, add).ok_or(TooLarge)?;
        let later_gross_cents =
            self.days.values().rev().take(half).try_fold(0, add).ok_or(TooLarge)?;
        let change = later_gross_cents.checked_sub(earlier_gross_cents).ok_or(TooLarge)?;
        Ok(Trend {
            earlier_gross_cents,
            later_gross_cents,
            change: Fraction::of(change, earlier_gross_cents),
        })
    }

    /// What each of so many employees stands for.
    pub fn employees(&self, employees: u32) -> Result<EmployeeFigures, TooLarge> {
        let DaySums { sales, net_cents, .. } = self.total()?;
        Ok(EmployeeFigures {
            employees,
            revenue_per_employee_cents: Fraction::of(net_cents, employees.into()),
            sales_per_employee: Fraction::of(sales, employees.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json, to_value};

    use super::*;

    fn paid(kind: Kind, gross_cents: i64, fee_cents: i64) -> Payment<'static> {
        Payment {
            merchant_id: "m",
            kind,
            gross_cents,
            fee_cents,
            net_cents: gross_cents - fee_cents,
        }
    }

    fn sums(payments: &[Payment<'_>]) -> DaySums {
        payments.iter().try_fold(DaySums::default(), |day, paid| day.and(*paid)).expect("small")
    }

    fn base(days: &[(&str, DaySums)]) -> Base {
        Base { days: days.iter().map(|(day, sums)| (day.parse().expect("a day"), *sums)).collect() }
    }

    /// Two sales and a reversal, then a day of nothing, then a sale.
    fn three_days() -> Base {
        let first = [
            paid(Kind::Sale, 1_000, 29),
            paid(Kind::Sale, 500, 15),
            paid(Kind::Reversal, -500, -15),
        ];
        base(&[
            ("2026-11-18", sums(&first)),
            ("2026-11-19", DaySums::default()),
            ("2026-11-20", sums(&[paid(Kind::Sale, 3_000, 87)])),
        ])
    }

    #[test]
    fn financials_add_up_and_name_their_days() {
        let day = |date, gross, fee| json!({"date": date, "gross_cents": gross, "fee_cents": fee, "net_cents": gross - fee});
        assert_eq!(
            to_value(three_days().financials().expect("small")).expect("JSON"),
            json!({
                "gross_cents": 4_000, "fee_cents": 116, "net_cents": 3_884,
                "margin": {"numerator": 971, "denominator": 1_000},
                "days": [day("2026-11-18", 1_000, 29), day("2026-11-19", 0, 0), day("2026-11-20", 3_000, 87)],
            })
        );
    }

    #[test]
    fn sales_leave_reversals_out_of_the_ticket_and_keep_them_in_the_gross() {
        assert_eq!(
            to_value(three_days().sales().expect("small")).expect("JSON"),
            json!({
                "sales": 3, "reversals": 1, "gross_cents": 4_000,
                "average_ticket_cents": {"numerator": 1_500, "denominator": 1},
                "best_day": {"date": "2026-11-20", "gross_cents": 3_000},
                "trend": {"earlier_gross_cents": 1_000, "later_gross_cents": 3_000, "change": {"numerator": 2, "denominator": 1}},
            })
        );
    }

    #[test]
    fn employees_share_what_is_left() {
        assert_eq!(
            to_value(three_days().employees(8).expect("small")).expect("JSON"),
            json!({
                "employees": 8,
                "revenue_per_employee_cents": {"numerator": 971, "denominator": 2},
                "sales_per_employee": {"numerator": 3, "denominator": 8},
            })
        );
    }

    #[test]
    fn what_would_divide_by_zero_is_null() {
        let nothing =
            base(&[("2026-11-19", DaySums::default()), ("2026-11-20", DaySums::default())]);
        let sales = to_value(nothing.sales().expect("small")).expect("JSON");
        assert_eq!(
            (&sales["average_ticket_cents"], &sales["best_day"], &sales["trend"]["change"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!(
            to_value(nothing.financials().expect("small")).expect("JSON")["margin"],
            Value::Null
        );
        let nobody = to_value(three_days().employees(0).expect("small")).expect("JSON");
        assert_eq!(
            (&nobody["employees"], &nobody["sales_per_employee"]),
            (&json!(0), &Value::Null)
        );
    }

    #[test]
    fn of_equal_days_the_earliest_is_the_best_also_where_all_are_losses() {
        let loss = sums(&[paid(Kind::Sale, 100, 0), paid(Kind::Reversal, -900, 0)]);
        let days =
            base(&[("2026-11-18", loss), ("2026-11-19", loss), ("2026-11-20", DaySums::default())]);
        let sales = to_value(days.sales().expect("small")).expect("JSON");
        assert_eq!(sales["best_day"], json!({"date": "2026-11-18", "gross_cents": -800}));
    }

    #[test]
    fn sums_that_do_not_fit_are_none() {
        let most = sums(&[paid(Kind::Sale, i64::MAX, 0)]);
        assert_eq!(most.and(paid(Kind::Sale, 1, 0)), Err(TooLarge));
        let days = base(&[("2026-11-19", most), ("2026-11-20", most)]);
        assert_eq!(
            (days.financials().err(), days.sales().err(), days.employees(1).err()),
            (Some(TooLarge), Some(TooLarge), Some(TooLarge))
        );
    }

    proptest! {
        #[test]
        fn a_fraction_is_the_quotient_in_lowest_terms(numerator: i32, denominator: i32) {
            let (numerator, denominator) = (i64::from(numerator), i64::from(denominator));
            match Fraction::of(numerator, denominator) {
                None => prop_assert_eq!(denominator, 0),
                Some(fraction) => {
                    prop_assert!(fraction.denominator > 0);
                    prop_assert_eq!(fraction.numerator * denominator, numerator * fraction.denominator);
                    prop_assert_eq!(gcd(fraction.numerator.unsigned_abs(), fraction.denominator.unsigned_abs()), 1);
                }
            }
        }

        #[test]
        fn a_fraction_never_panics(numerator: i64, denominator: i64) {
            let fraction = Fraction::of(numerator, denominator);
            prop_assert!(fraction.is_none_or(|fraction| fraction.denominator > 0));
        }
    }
}
