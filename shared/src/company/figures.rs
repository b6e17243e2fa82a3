//! Formulas of the company figures. Pure: no AWS, no clock. Amounts are integer cents, quotients
//! exact fractions.
//!
//! | figure | formula |
//! |---|---|
//! | gross, fees, net | sums over the days, reversals included as negative amounts |
//! | margin | net ÷ gross |
//! | average ticket | gross of the sales ÷ number of sales, without reversals |
//! | best day | of the days with a sale the one with the largest gross, the earliest of equals |
//! | trend | gross of the earlier and of the later half; change: (later − earlier) ÷ earlier |
//! | revenue per employee | net ÷ employees |
//! | sales per employee | number of sales ÷ employees |
//!
//! A quotient that would divide by zero is `null`, and so is the best day if no day has a sale.

use serde::Serialize;

use super::{
    fraction::Fraction,
    sums::{Base, DaySums},
};
use crate::{ledger::TooLarge, time::Day};

/// Figures of `GET /api/financials`.
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

/// Figures of `GET /api/sales`.
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

/// Figures of `GET /api/employee`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmployeeFigures {
    employees: u32,
    revenue_per_employee_cents: Option<Fraction>,
    sales_per_employee: Option<Fraction>,
}

impl Base {
    /// Computes gross, fees, net and margin.
    pub fn financials(&self) -> Result<FinancialFigures, TooLarge> {
        let DaySums { gross_cents, fee_cents, net_cents, .. } = self.total()?;
        let day = |(&date, day): (&Day, &DaySums)| FinancialDay {
            date,
            gross_cents: day.gross_cents,
            fee_cents: day.fee_cents,
            net_cents: day.net_cents,
        };
        let margin = Fraction::new(net_cents, gross_cents);
        Ok(FinancialFigures {
            gross_cents,
            fee_cents,
            net_cents,
            margin,
            days: self.days.iter().map(day).collect(),
        })
    }

    /// Computes the number of sales, average ticket, best day and trend.
    pub fn sales(&self) -> Result<SalesFigures, TooLarge> {
        let DaySums { sales, reversals, gross_cents, sales_gross_cents, .. } = self.total()?;
        let average_ticket_cents = Fraction::new(sales_gross_cents, sales);
        let with_sales = self.days.iter().filter(|(_, day)| day.sales > 0);
        // `max_by_key` returns the last of equals: in reverse order, that is the earliest.
        let best = with_sales.rev().max_by_key(|(_, day)| day.gross_cents);
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
            change: Fraction::new(change, earlier_gross_cents),
        })
    }

    /// Computes revenue and sales per employee, for this number of employees.
    pub fn employees(&self, employees: u32) -> Result<EmployeeFigures, TooLarge> {
        let DaySums { sales, net_cents, .. } = self.total()?;
        Ok(EmployeeFigures {
            employees,
            revenue_per_employee_cents: Fraction::new(net_cents, employees.into()),
            sales_per_employee: Fraction::new(sales, employees.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, to_value};

    use super::*;
    use crate::ledger::{Kind, Payment};

    fn payment(kind: Kind, gross_cents: i64, fee_cents: i64) -> Payment<'static> {
        Payment {
            merchant_id: "m",
            kind,
            gross_cents,
            fee_cents,
            net_cents: gross_cents - fee_cents,
        }
    }

    fn sums(payments: &[Payment<'_>]) -> DaySums {
        payments
            .iter()
            .try_fold(DaySums::default(), |day, payment| day.with_payment(*payment))
            .expect("small sums")
    }

    fn base(days: &[(&str, DaySums)]) -> Base {
        Base { days: days.iter().map(|(day, sums)| (day.parse().expect("a day"), *sums)).collect() }
    }

    /// A day with two sales and a reversal, a day without entries, and a day with one sale.
    fn three_days() -> Base {
        let first = [
            payment(Kind::Sale, 1_000, 29),
            payment(Kind::Sale, 500, 15),
            payment(Kind::Reversal, -500, -15),
        ];
        base(&[
            ("2026-11-18", sums(&first)),
            ("2026-11-19", DaySums::default()),
            ("2026-11-20", sums(&[payment(Kind::Sale, 3_000, 87)])),
        ])
    }

    #[test]
    fn financials_have_totals_and_each_day() {
        let day = |date, gross, fee| {
            let net = gross - fee;
            json!({"date": date, "gross_cents": gross, "fee_cents": fee, "net_cents": net})
        };
        assert_eq!(
            to_value(three_days().financials().expect("small sums")).expect("JSON"),
            json!({
                "gross_cents": 4_000, "fee_cents": 116, "net_cents": 3_884,
                "margin": {"numerator": 971, "denominator": 1_000},
                "days": [
                    day("2026-11-18", 1_000, 29),
                    day("2026-11-19", 0, 0),
                    day("2026-11-20", 3_000, 87),
                ],
            })
        );
    }

    #[test]
    fn reversals_count_in_the_gross_and_not_in_the_average_ticket() {
        assert_eq!(
            to_value(three_days().sales().expect("small sums")).expect("JSON"),
            json!({
                "sales": 3, "reversals": 1, "gross_cents": 4_000,
                "average_ticket_cents": {"numerator": 1_500, "denominator": 1},
                "best_day": {"date": "2026-11-20", "gross_cents": 3_000},
                "trend": {
                    "earlier_gross_cents": 1_000,
                    "later_gross_cents": 3_000,
                    "change": {"numerator": 2, "denominator": 1},
                },
            })
        );
    }

    #[test]
    fn employee_figures_divide_net_and_sales_by_the_employees() {
        assert_eq!(
            to_value(three_days().employees(8).expect("small sums")).expect("JSON"),
            json!({
                "employees": 8,
                "revenue_per_employee_cents": {"numerator": 971, "denominator": 2},
                "sales_per_employee": {"numerator": 3, "denominator": 8},
            })
        );
    }

    #[test]
    fn a_quotient_that_would_divide_by_zero_is_null() {
        let empty = base(&[("2026-11-19", DaySums::default()), ("2026-11-20", DaySums::default())]);
        let sales = to_value(empty.sales().expect("small sums")).expect("JSON");
        assert_eq!(
            (&sales["average_ticket_cents"], &sales["best_day"], &sales["trend"]["change"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!(
            to_value(empty.financials().expect("small sums")).expect("JSON")["margin"],
            Value::Null
        );
        let no_employees = to_value(three_days().employees(0).expect("small sums")).expect("JSON");
        assert_eq!(
            (&no_employees["employees"], &no_employees["sales_per_employee"]),
            (&json!(0), &Value::Null)
        );
    }

    #[test]
    fn the_earliest_of_equal_days_is_the_best_even_if_all_are_losses() {
        let loss = sums(&[payment(Kind::Sale, 100, 0), payment(Kind::Reversal, -900, 0)]);
        let days =
            base(&[("2026-11-18", loss), ("2026-11-19", loss), ("2026-11-20", DaySums::default())]);
        let sales = to_value(days.sales().expect("small sums")).expect("JSON");
        assert_eq!(sales["best_day"], json!({"date": "2026-11-18", "gross_cents": -800}));
    }

    #[test]
    fn sums_that_overflow_are_an_error() {
        let largest = sums(&[payment(Kind::Sale, i64::MAX, 0)]);
        assert_eq!(largest.with_payment(payment(Kind::Sale, 1, 0)), Err(TooLarge));
        let days = base(&[("2026-11-19", largest), ("2026-11-20", largest)]);
        assert_eq!(
            (days.financials().err(), days.sales().err(), days.employees(1).err()),
            (Some(TooLarge), Some(TooLarge), Some(TooLarge))
        );
    }
}
