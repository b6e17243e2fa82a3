//! The report as one self-contained HTML page, without scripts, links or other files.

use std::{fmt::Write, time::Duration};

use super::{Report, Series};

/// Size and margins of a plot, in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT_MARGIN: f64 = 60.0;
const BOTTOM_MARGIN: f64 = 24.0;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--dot:light-dark(#2f6fb3,#7ab7ff);\
--good:light-dark(#1a7f37,#5bd07f);--bad:light-dark(#b3261e,#ff8a80)}\
body{font:15px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse}\
td,th{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid var(--line)}\
td.n{text-align:right;font-variant-numeric:tabular-nums}\
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}\
svg{width:100%;height:auto;overflow:visible}text{font:11px system-ui,sans-serif;fill:currentColor}\
line{stroke:var(--line)}circle{fill:var(--dot);fill-opacity:.6}";

/// Renders the page.
pub fn html(report: &Report, took: Duration) -> String {
    let Report { scenario, stack, at, notes, bursts, invariants, series } = report;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{scenario}</title><style>{STYLE}</style>\n<h1>{scenario}</h1>\n\
         <p>{} at {at:.0}, {:.1} s</p>\n",
        escaped(stack),
        took.as_secs_f64()
    );
    if !invariants.is_empty() {
        page += "<h2>Invariants</h2>\n<table>\n";
        for invariant in invariants {
            let (class, result) =
                if invariant.holds { ("good", "holds") } else { ("bad", "does not hold") };
            let text = escaped(&invariant.text);
            write(&mut page, format_args!("<tr><td class=\"{class}\">{result}<td>{text}\n"));
        }
        page += "</table>\n";
    }
    for burst in bursts {
        write(&mut page, format_args!("<h2>{}</h2>\n<table>\n", escaped(&burst.name)));
        for (outcome, count) in &burst.counts {
            write(&mut page, format_args!("<tr><td class=\"n\">{count}<td>{}\n", escaped(outcome)));
        }
        write(&mut page, format_args!("</table>\n<p>{}</p>\n", escaped(&burst.throughput)));
    }
    for series in series.iter().filter(|series| !series.points.is_empty()) {
        write(&mut page, format_args!("<h2>{}</h2>\n{}\n", escaped(&series.name), plot(series)));
    }
    if !notes.is_empty() {
        page += "<h2>Notes</h2>\n<ul>\n";
        for note in notes {
            write(&mut page, format_args!("<li>{}\n", escaped(note)));
        }
        page += "</ul>\n";
    }
    page
}

/// Draws the points over time as SVG. Both axes begin at 0.
fn plot(Series { points, name }: &Series) -> String {
    let max = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MIN_POSITIVE, f64::max);
    let seconds = max(&mut points.iter().map(|point| point.0));
    let value = max(&mut points.iter().map(|point| point.1));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
        LEFT_MARGIN + WIDTH,
        HEIGHT + BOTTOM_MARGIN,
        escaped(name)
    );
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (x, y) = (LEFT_MARGIN + WIDTH * part, HEIGHT * (1.0 - part));
        write(
            &mut svg,
            format_args!(
                "<line x1=\"{LEFT_MARGIN}\" x2=\"{}\" y1=\"{y:.0}\" y2=\"{y:.0}\"/>\
                 <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\
                 <text x=\"{x:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{} s</text>",
                LEFT_MARGIN + WIDTH,
                LEFT_MARGIN - 6.0,
                y + 4.0,
                short(value * part),
                HEIGHT + 18.0,
                short(seconds * part)
            ),
        );
    }
    for (at, measured) in points {
        let (x, y) = (LEFT_MARGIN + WIDTH * at / seconds, HEIGHT * (1.0 - measured / value));
        write(&mut svg, format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>"));
    }
    svg + "</svg>"
}

/// Formats the label of an axis, with two decimals below 10.
fn short(value: f64) -> String {
    if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a String accepts all writes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_a_point_for_each_value_inside_its_frame() {
        let points = vec![(0.0, 1.0), (2.0, 4.0), (4.0, 2.0)];
        let svg = plot(&Series { name: "latency, ms".to_owned(), points });
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains(r#"cx="60.0" cy="150.0""#), "{svg}");
        assert!(svg.contains(r#"cx="420.0" cy="0.0""#), "{svg}");
        assert!(svg.contains(">4.00</text>") && svg.contains(">4.00 s</text>"), "{svg}");
    }

    #[test]
    fn a_single_point_of_zero_is_drawn() {
        let svg = plot(&Series { name: "x".to_owned(), points: vec![(0.0, 0.0)] });
        assert!(!svg.contains("NaN") && svg.matches("<circle").count() == 1, "{svg}");
    }
}
