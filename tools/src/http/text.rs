//! The text format of Prometheus, version 0.0.4: families of samples, each behind its HELP and TYPE.

use std::fmt::Write;

use corelane_net::metrics::Histogram;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// The families written so far.
#[derive(Default)]
pub(super) struct Text(String);

/// One family, whose samples follow each other.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl Text {
    pub(super) fn family<'a>(&'a mut self, name: &'a str, kind: Kind, help: &str) -> Family<'a> {
        let text = &mut self.0;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        put(text, format_args!("# HELP {name} {help}\n"));
        put(text, format_args!("# TYPE {name} {}\n", kind.name()));
        Family { text, name }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line("", labels, None, value);
    }

    pub(super) fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        for (bound_us, count) in histogram.cumulative() {
            let bound = (bound_us as f64 / 1e6).to_string();
            self.line("_bucket", labels, Some(("le", &bound)), count as f64);
        }
        let count = histogram.count() as f64;
        self.line("_bucket", labels, Some(("le", "+Inf")), count);
        self.line("_sum", labels, None, histogram.sum_ns() as f64 / 1e9);
        self.line("_count", labels, None, count);
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        last: Option<(&str, &str)>,
        value: f64,
    ) {
        let text = &mut *self.text;
        text.push_str(self.name);
        text.push_str(suffix);
        for (at, (name, value)) in labels.iter().copied().chain(last).enumerate() {
            text.push(if at == 0 { '{' } else { ',' });
            put(text, format_args!("{name}=\""));
            for c in value.chars() {
                match c {
                    '\\' => text.push_str("\\\\"),
                    '"' => text.push_str("\\\""),
                    '\n' => text.push_str("\\n"),
                    c => text.push(c),
                }
            }
            text.push('"');
        }
        if !labels.is_empty() || last.is_some() {
            text.push('}');
        }
        put(text, format_args!(" {value}\n"));
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn samples_labels_and_numbers() {
        let mut text = Text::default();
        let mut family = text.family("x_total", Kind::Counter, "One\nor \\ two.");
        family.sample(&[], 0.0);
        family.sample(&[("topic", "a\"b\\c\nd"), ("shard", "1")], 1e15);
        let mut family = text.family("y_seconds", Kind::Gauge, "Y.");
        family.sample(&[("shard", "0")], 0.000_064);
        let expected = "# HELP x_total One\\nor \\\\ two.\n# TYPE x_total counter\nx_total 0\n\
            x_total{topic=\"a\\\"b\\\\c\\nd\",shard=\"1\"} 1000000000000000\n\
            # HELP y_seconds Y.\n# TYPE y_seconds gauge\ny_seconds{shard=\"0\"} 0.000064\n";
        assert_eq!(text.finish(), expected);
    }

    #[test]
    fn a_histogram_is_cumulative_and_closed() {
        let mut histogram = Histogram::default();
        for us in [1, 64, 65, 3_000, 90_000_000] {
            histogram.record(Duration::from_micros(us));
        }
        let mut text = Text::default();
        text.family("z_seconds", Kind::Histogram, "Z.")
            .histogram(&[("api", "Fetch")], &histogram);
        let text = text.finish();
        for line in [
            "z_seconds_bucket{api=\"Fetch\",le=\"0.000064\"} 2",
            "z_seconds_bucket{api=\"Fetch\",le=\"0.000128\"} 3",
            "z_seconds_bucket{api=\"Fetch\",le=\"0.002048\"} 3",
            "z_seconds_bucket{api=\"Fetch\",le=\"0.004096\"} 4",
            "z_seconds_bucket{api=\"Fetch\",le=\"67.108864\"} 4",
            "z_seconds_bucket{api=\"Fetch\",le=\"+Inf\"} 5",
            "z_seconds_sum{api=\"Fetch\"} 90.00313",
            "z_seconds_count{api=\"Fetch\"} 5",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
        }
    }
}
