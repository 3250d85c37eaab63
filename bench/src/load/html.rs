//! The picture of a run: one self-contained page with the percentile curve, and rate and p99 over time.

use std::fmt::Write as _;

use super::report::{self, Outcome};

/// One curve.
pub struct Series {
    /// In the legend.
    pub name: String,
    /// Points in ascending x.
    pub points: Vec<(f64, f64)>,
}

/// How an axis maps its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from 0.
    Linear,
    /// By powers of ten.
    Log,
    /// Percentiles, by powers of ten of what is left: 90, 99, 99.9.
    Percentile,
}

/// A chart's words and scales.
pub struct Chart<'a> {
    /// Above it.
    pub title: &'a str,
    /// Below it.
    pub x_label: &'a str,
    /// Beside it.
    pub y_label: &'a str,
    /// Horizontal.
    pub x: Scale,
    /// Vertical.
    pub y: Scale,
}

const COLOURS: [&str; 8] = [
    "#0b6e99", "#d1495b", "#2e933c", "#edae49", "#6a4c93", "#8d6b4f", "#3c3c3c", "#00a6a6",
];
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 46.0;

/// The page for one or more runs.
pub fn page(outcomes: &[Outcome]) -> String {
    let name = |outcome: &Outcome| {
        if outcome.plan.closed {
            "closed loop".to_owned()
        } else {
            format!("{:.0} MB/s", outcome.mb_per_s)
        }
    };
    let mut body = String::new();
    let mut latencies = Vec::new();
    for outcome in outcomes {
        for (kind, latency) in [
            ("produce", &outcome.latency),
            ("end to end", &outcome.end_to_end),
        ] {
            if latency.count > 0 {
                let name = format!("{}, {kind}", name(outcome));
                latencies.push(Series {
                    name,
                    points: latency.curve.clone(),
                });
            }
        }
    }
    body += &chart(&PERCENTILES, &latencies);
    let rates = |pick: fn(&report::Point) -> f64, kind: &str| -> Vec<Series> {
        outcomes
            .iter()
            .map(|outcome| Series {
                name: format!("{}{kind}", name(outcome)),
                points: outcome
                    .series
                    .iter()
                    .map(|point| (point.at_s, pick(point)))
                    .collect(),
            })
            .filter(|series| series.points.iter().any(|(_, y)| *y > 0.0))
            .collect()
    };
    let mut over_time = rates(|point| point.mb_per_s, ", produced");
    over_time.extend(rates(|point| point.read_mb_per_s, ", read"));
    let chart_of = |title, y_label, y| Chart {
        title,
        x_label: "seconds, warm-up included",
        y_label,
        x: Scale::Linear,
        y,
    };
    body += &chart(
        &chart_of("Rate over time", "MB/s", Scale::Linear),
        &over_time,
    );
    body += &chart(
        &chart_of("p99 over time", "latency", Scale::Log),
        &rates(|point| point.p99_us, ""),
    );
    for outcome in outcomes {
        let _ = write!(body, "<pre>{}</pre>", escape(&outcome.table()));
    }
    if let Some(first) = outcomes.first() {
        let text = serde_json::to_string_pretty(&(&first.machine, &first.plan)).unwrap_or_default();
        let _ = write!(
            body,
            "<details><summary>Machine and options</summary><pre>{}</pre></details>",
            escape(&text)
        );
    }
    wrap("corelane-bench load", &body)
}

/// The chart that every page opens with.
pub const PERCENTILES: Chart<'static> = Chart {
    title: "Latency by percentile, from the intended time",
    x_label: "percentile",
    y_label: "latency",
    x: Scale::Percentile,
    y: Scale::Log,
};

/// A whole page around its body.
pub fn wrap(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><style>\
         body{{font:15px/1.45 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222}}\
         pre{{background:#f5f5f5;padding:1em;overflow-x:auto;font-size:12px}}svg{{display:block;margin:1.2em 0}}\
         h1{{font-size:1.4em}}</style><h1>{title}</h1>{body}</html>\n"
    )
}

/// Text as HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    fn over(scale: Scale, values: impl Iterator<Item = f64>) -> Axis {
        let placed: Vec<f64> = values.filter_map(|value| place(scale, value)).collect();
        let low = placed.iter().copied().fold(f64::INFINITY, f64::min);
        let high = placed.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match scale {
            _ if placed.is_empty() => Axis {
                scale,
                low: 0.0,
                high: 1.0,
            },
            Scale::Linear => Axis {
                scale,
                low: 0.0,
                high: if high > 0.0 { high * 1.05 } else { 1.0 },
            },
            Scale::Log => Axis {
                scale,
                low: low.floor(),
                high: high.ceil().max(low.floor() + 1.0),
            },
            Scale::Percentile => Axis {
                scale,
                low: 0.0,
                high: high.max(1.0),
            },
        }
    }

    fn share(&self, value: f64) -> Option<f64> {
        Some((place(self.scale, value)? - self.low) / (self.high - self.low))
    }

    /// Where a line is drawn, and what is written there.
    fn ticks(&self, name: impl Fn(f64) -> String) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => {
                let rough = (self.high / 6.0).max(1e-9);
                let power = 10_f64.powf(rough.log10().floor());
                let step = [1.0, 2.0, 5.0, 10.0]
                    .map(|by| by * power)
                    .into_iter()
                    .find(|step| *step >= rough);
                let step = step.unwrap_or(rough);
                (0..=7)
                    .map(|n| f64::from(n) * step)
                    .take_while(|at| *at <= self.high)
                    .map(|at| (at, name(at)))
                    .collect()
            }
            Scale::Log => (self.low as i32..=self.high as i32)
                .map(|power| 10_f64.powi(power))
                .map(|at| (at, name(at)))
                .collect(),
            Scale::Percentile => [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999]
                .into_iter()
                .filter(|at| place(self.scale, *at).is_some_and(|at| at <= self.high + 0.01))
                .map(|at| (at, format!("{at}")))
                .collect(),
        }
    }
}

fn place(scale: Scale, value: f64) -> Option<f64> {
    match scale {
        Scale::Linear => Some(value),
        Scale::Log => (value > 0.0).then(|| value.log10()),
        // The last point, 100, has no place; the slowest is in the table.
        Scale::Percentile => (value < 99.99995).then(|| -(1.0 - value / 100.0).log10()),
    }
}

/// One chart as SVG; latencies are in microseconds.
pub fn chart(chart: &Chart<'_>, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|series| series.points.iter());
    let x = Axis::over(chart.x, points().map(|point| point.0));
    let y = Axis::over(chart.y, points().map(|point| point.1));
    let at_x = |value: f64| {
        x.share(value)
            .map(|share| LEFT + share * (WIDTH - LEFT - RIGHT))
    };
    let at_y = |value: f64| {
        y.share(value)
            .map(|share| HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM))
    };
    let legend = series.len().div_ceil(3) as f64 * 18.0;
    let mut out = String::new();
    // A String takes everything.
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {}\" width=\"{WIDTH}\" xmlns=\"http://www.w3.org/2000/svg\" \
         font-family=\"system-ui,sans-serif\" font-size=\"12\"><text x=\"{LEFT}\" y=\"20\" font-size=\"15\" \
         font-weight=\"600\">{}</text>",
        HEIGHT + legend,
        escape(chart.title)
    );
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let latency = chart.y_label == "latency";
    for (value, text) in y.ticks(|value| {
        if latency {
            report::duration(value)
        } else {
            format!("{value}")
        }
    }) {
        if let Some(at) = at_y(value) {
            let _ = write!(
                out,
                "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                LEFT - 8.0,
                at + 4.0
            );
        }
    }
    for (value, text) in x.ticks(|value| format!("{value}")) {
        if let Some(at) = at_x(value) {
            let _ = write!(
                out,
                "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"#eee\"/>\
                 <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
                bottom + 18.0
            );
        }
    }
    let _ = write!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">{}</text>\
         <text x=\"16\" y=\"{}\" transform=\"rotate(-90 16 {})\" text-anchor=\"middle\" fill=\"#666\">{}</text>",
        (LEFT + right) / 2.0,
        bottom + 36.0,
        escape(chart.x_label),
        HEIGHT / 2.0,
        HEIGHT / 2.0,
        escape(chart.y_label)
    );
    for (at, series) in series.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        let mut line = String::new();
        for (px, py) in &series.points {
            if let (Some(px), Some(py)) = (at_x(*px), at_y(*py)) {
                let _ = write!(line, "{px:.1},{py:.1} ");
            }
        }
        let (lx, ly) = (
            LEFT + (at % 3) as f64 * 260.0,
            HEIGHT + 12.0 + (at / 3) as f64 * 18.0,
        );
        let _ = write!(
            out,
            "<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>\
             <rect x=\"{lx}\" y=\"{}\" width=\"14\" height=\"4\" fill=\"{colour}\"/><text x=\"{}\" y=\"{ly}\">{}</text>",
            ly - 6.0,
            lx + 20.0,
            escape(&series.name)
        );
    }
    out + "</svg>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_keep_their_points_inside_and_escape_names() {
        let series = [Series {
            name: "a<b".to_owned(),
            points: vec![(0.0, 100.0), (99.0, 5e4), (100.0, 9e9)],
        }];
        let svg = chart(&PERCENTILES, &series);
        assert!(svg.contains("a&lt;b") && svg.starts_with("<svg") && svg.ends_with("</svg>"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let line = svg
            .split("points=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap();
        assert_eq!(
            line.split_whitespace().count(),
            2,
            "the hundredth percentile has no place"
        );
        assert!(!chart(&PERCENTILES, &[]).contains("NaN"));
    }
}
