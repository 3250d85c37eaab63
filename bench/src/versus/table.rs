//! The report of a recording: medians, ratios with their intervals, goals, and pictures.

use std::fmt::Write as _;

use super::workloads::{Case, Goal};
use super::{Recording, Who, stats};
use crate::load::html;

/// The report: the table, and the percentile curves of each case's first sound run on each side.
pub fn page(cases: &[Case], recording: &Recording) -> String {
    let mut body = format!("<pre>{}</pre>", html::escape(&table(cases, recording)));
    for case in cases {
        let mut series = Vec::new();
        for who in [Who::Peer, Who::Corelane, Who::Floor] {
            let mut runs = recording.samples.iter();
            let run = runs.find(|sample| {
                sample.case == case.name && sample.who == who && sample.rejected.is_none()
            });
            for (kind, name) in [("latency", "produce"), ("end_to_end", "end to end")] {
                let curve = run
                    .map(|run| run.outcome[kind]["curve"].clone())
                    .unwrap_or_default();
                let points: Vec<(f64, f64)> = serde_json::from_value(curve).unwrap_or_default();
                if !points.is_empty() {
                    series.push(html::Series {
                        name: format!("{who:?}, {name}"),
                        points,
                    });
                }
            }
        }
        if !series.is_empty() {
            body += &html::chart(
                &html::Chart {
                    title: &case.name,
                    ..html::PERCENTILES
                },
                &series,
            );
        }
    }
    html::wrap("corelane-bench versus", &body)
}

/// Ratios against the goals. Rejected runs are left out, and counted.
pub fn table(cases: &[Case], recording: &Recording) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = write_table(&mut out, cases, recording);
    out
}

fn write_table(out: &mut String, cases: &[Case], recording: &Recording) -> std::fmt::Result {
    writeln!(
        out,
        "{:<26}{:<20}{:>12}{:>12}{:>12}{:>22}{:>9}  met",
        "case", "metric", "peer", "corelane", "floor", "ratio [95 %]", "goal"
    )?;
    for case in cases {
        let values = |who: Who, metric: &str| -> Vec<f64> {
            let of_case = recording
                .samples
                .iter()
                .filter(|sample| sample.case == case.name && sample.who == who);
            of_case
                .filter(|sample| sample.rejected.is_none())
                .filter_map(|sample| sample.metrics.get(metric).copied())
                .collect()
        };
        let mut rows: Vec<(&str, Option<Goal>)> = case
            .goals
            .iter()
            .map(|(metric, goal)| (*metric, Some(*goal)))
            .collect();
        for metric in [
            "mb_per_s",
            "requests_per_s",
            "p99_us",
            "cpu_s_per_gib",
            "memory_peak_bytes",
        ] {
            if !rows.iter().any(|(known, _)| *known == metric) {
                rows.push((metric, None));
            }
        }
        for (metric, goal) in rows {
            let (theirs, ours) = (values(Who::Peer, metric), values(Who::Corelane, metric));
            let light = values(Who::Floor, metric);
            if theirs.is_empty() && ours.is_empty() {
                continue;
            }
            let show = |values: &[f64]| {
                if values.is_empty() {
                    "–".to_owned()
                } else {
                    short(stats::median(values))
                }
            };
            let ratio = stats::ratio(&ours, &theirs);
            let shown = ratio.map_or("–".to_owned(), |r| {
                format!("{:.2} [{:.2}, {:.2}]", r.middle, r.low, r.high)
            });
            let verdict = goal.map_or(("", ""), |goal| verdict(goal, ratio, &ours, &light));
            let asked = goal.map_or(String::new(), |goal| match goal {
                Goal::AtLeast(least) => format!("≥ {least}"),
                Goal::AtMost(most) => format!("≤ {most}"),
                Goal::Within(most) => format!("at most {}", short(most)),
            });
            let (peer, corelane, floor) = (show(&theirs), show(&ours), show(&light));
            writeln!(
                out,
                "{:<26}{metric:<20}{peer:>12}{corelane:>12}{floor:>12}{shown:>22}{asked:>9}  {}{}",
                case.name, verdict.0, verdict.1
            )?;
        }
        let rejected = recording
            .samples
            .iter()
            .filter(|s| s.case == case.name && s.rejected.is_some())
            .count();
        if rejected > 0 {
            writeln!(out, "{:<26}runs left out: {rejected} rejected", case.name)?;
        }
    }
    Ok(())
}

/// A goal is met when the weak end of the interval clears it, or the floor's own distance does: say which. One that is not a
/// ratio is met when every run of ours is within it.
fn verdict(
    goal: Goal,
    ratio: Option<stats::Interval>,
    ours: &[f64],
    light: &[f64],
) -> (&'static str, &'static str) {
    let far = |least: bool| match least {
        true => stats::median(ours) >= 0.7 * stats::median(light),
        false => stats::median(ours) <= 1.3 * stats::median(light),
    };
    let (clears, least) = match (goal, ratio) {
        (Goal::Within(_), _) if ours.is_empty() => return ("", ""),
        (Goal::Within(most), _) => (ours.iter().all(|value| *value <= most), false),
        (Goal::AtLeast(_) | Goal::AtMost(_), None) => return ("", ""),
        (Goal::AtLeast(least), Some(ratio)) => (ratio.low >= least, true),
        (Goal::AtMost(most), Some(ratio)) => (ratio.high <= most, false),
    };
    let near_floor = !light.is_empty() && far(least);
    match (clears, near_floor) {
        (true, _) => ("yes", ""),
        (false, true) => ("yes", " (floor)"),
        (false, false) => ("no", ""),
    }
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{:.2}G", value / 1e9),
        value if value >= 1e6 => format!("{:.2}M", value / 1e6),
        value if value >= 1e4 => format!("{:.1}k", value / 1e3),
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
}
