//! Plots orders per second by lanes as SVG, legible on light and on dark pages.

use std::fmt::Write;

use super::Curve;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 116.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 54.0;

/// Colors of the curves, legible on white and on near-black.
const COLORS: [&str; 2] = ["#2f81f7", "#d9822b"];

/// Renders the plot.
pub fn svg(curves: &[Curve]) -> String {
    let lanes: Vec<u32> =
        curves.iter().flat_map(|curve| &curve.points).map(|(lanes, _)| *lanes).collect();
    let most = lanes.iter().max().copied().map_or(1.0, f64::from);
    let fastest =
        curves.iter().flat_map(|curve| &curve.points).map(|(_, speed)| *speed).fold(1.0, f64::max);
    let step = step(fastest);
    let top = (fastest / step).ceil() * step;
    // The axis of lanes is logarithmic, because lanes double from point to point.
    let x = |lanes: f64| LEFT + (WIDTH - LEFT - RIGHT) * lanes.log2() / most.log2().max(1.0);
    let y = |speed: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * speed / top;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#848d97\">\n\
         <title>Orders per second of one product over its lanes</title>\n"
    );
    let mut line = |text: String| writeln!(svg, "{text}").expect("a String accepts all writes");
    let mut speed = 0.0;
    while speed <= top {
        let y = y(speed);
        let end = WIDTH - RIGHT;
        line(format!(
            "<path d=\"M{LEFT} {y:.1}H{end}\" stroke=\"#848d97\" stroke-opacity=\".3\"/>"
        ));
        line(format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{speed}</text>",
            LEFT - 8.0,
            y + 4.0
        ));
        speed += step;
    }
    for (lanes, _) in curves.first().map_or(&[][..], |curve| &curve.points) {
        let (x, y) = (x(f64::from(*lanes)), HEIGHT - BOTTOM + 20.0);
        line(format!("<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{lanes}</text>"));
    }
    let (middle, bottom) = (f64::midpoint(LEFT, WIDTH - RIGHT), HEIGHT - 12.0);
    line(format!(
        "<text x=\"{middle}\" y=\"{bottom}\" text-anchor=\"middle\">lanes of the product</text>"
    ));
    let middle = f64::midpoint(TOP, HEIGHT - BOTTOM);
    line(format!(
        "<text transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">\
         orders per second</text>"
    ));
    for (curve, color) in curves.iter().zip(COLORS) {
        let points: Vec<_> =
            curve.points.iter().map(|(lanes, speed)| (x(f64::from(*lanes)), y(*speed))).collect();
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        line(format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2.5\"/>",
            path.join(" ")
        ));
        for (x, y) in &points {
            line(format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{color}\"/>"));
        }
        if let Some((x, y)) = points.last() {
            let (x, y) = (x + 10.0, y + 4.0);
            line(format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{color}\">{} buyers</text>",
                curve.buyers
            ));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Returns a round distance that gives four to eight lines up to `top`.
fn step(top: f64) -> f64 {
    let magnitude = 10_f64.powf((top / 4.0).log10().floor());
    let round = [5.0, 2.0, 1.0]
        .map(|factor| factor * magnitude)
        .into_iter()
        .find(|step| *step <= top / 4.0);
    round.unwrap_or(magnitude)
}
