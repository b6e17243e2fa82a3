//! Prometheus's text format, version 0.0.4.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format> specifies how
//! names, labels and help texts are written. Every metric here is a gauge: a value that the next
//! reading may find higher or lower.

use std::fmt::Write;

/// A metric: its name and its help text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub help: &'static str,
}

/// A metric with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    metric: Metric,
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
struct Sample {
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Metric {
    /// Returns this metric without values.
    pub fn family(self) -> Family {
        Family { metric: self, samples: Vec::new() }
    }

    /// Returns this metric with one value without labels.
    pub fn single(self, value: f64) -> Family {
        self.family().with::<&str>(&[], value)
    }
}

impl Family {
    /// Adds a value.
    pub fn with<L: AsRef<str>>(mut self, labels: &[(&'static str, L)], value: f64) -> Self {
        let labels =
            labels.iter().map(|(name, value)| (*name, value.as_ref().to_owned())).collect();
        self.samples.push(Sample { labels, value });
        self
    }

    /// Returns the metric.
    pub fn metric(&self) -> Metric {
        self.metric
    }
}

/// Encodes the metrics. A metric without values is omitted.
pub fn encode(families: &[Family]) -> String {
    let mut text = String::new();
    for Family { metric: Metric { name, help }, samples } in
        families.iter().filter(|family| !family.samples.is_empty())
    {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} gauge", escape(help));
        for Sample { labels, value } in samples {
            let labels: Vec<String> = labels
                .iter()
                .map(|(label, value)| format!("{label}=\"{}\"", escape(value).replace('"', "\\\"")))
                .collect();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOCK: Metric = Metric { name: "once_stock_units", help: "Units in stock" };

    #[test]
    fn a_metric_is_written_with_its_help_its_type_and_its_values() {
        let families = [
            STOCK.family().with(&[("product", "7")], 3.0).with(&[("product", "8")], 0.5),
            STOCK.single(1e9),
        ];
        let expected = "\
# HELP once_stock_units Units in stock
# TYPE once_stock_units gauge
once_stock_units{product=\"7\"} 3
once_stock_units{product=\"8\"} 0.5
# HELP once_stock_units Units in stock
# TYPE once_stock_units gauge
once_stock_units 1000000000
";
        assert_eq!(encode(&families), expected);
    }

    #[test]
    fn quotes_backslashes_and_line_feeds_are_escaped() {
        let odd = Metric { name: "odd", help: "a \"quote\", a \\ and\na line" };
        let family =
            odd.family().with(&[("first", "a \"quote\""), ("second", "a \\ and\na line")], 1.0);
        let expected = "\
# HELP odd a \"quote\", a \\\\ and\\na line
# TYPE odd gauge
odd{first=\"a \\\"quote\\\"\",second=\"a \\\\ and\\na line\"} 1
";
        assert_eq!(encode(&[family]), expected);
    }

    #[test]
    fn a_metric_without_values_is_omitted() {
        assert_eq!(encode(&[STOCK.family()]), "");
    }
}
