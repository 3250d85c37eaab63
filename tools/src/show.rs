//! What commands print: tables for people, one JSON value for programs.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A table under construction: columns are as wide as their widest cell, numbers stand on the right.
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Table {
        Table {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.head.len());
        self.rows.push(cells);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        out.write_all(self.text().as_bytes())?;
        out.flush()
    }

    fn text(&self) -> String {
        let wide = |text: &str| text.chars().count();
        let columns = self.head.len();
        let width = |at: usize| {
            let cells = self.rows.iter().map(|row| wide(&row[at]));
            cells.max().unwrap_or(0).max(wide(self.head[at]))
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let numeric = |at: usize| {
            let number = |cell: &str| cell == "-" || cell.parse::<f64>().is_ok();
            !self.rows.is_empty() && self.rows.iter().all(|row| number(&row[at]))
        };
        let right: Vec<bool> = (0..columns).map(numeric).collect();
        let mut text = String::new();
        let head: Vec<String> = self.head.iter().map(|name| (*name).to_owned()).collect();
        for row in std::iter::once(&head).chain(&self.rows) {
            let mut line = String::new();
            for (at, cell) in row.iter().enumerate() {
                let gap = " ".repeat(widths[at] - wide(cell));
                match right[at] {
                    true => line.extend([&gap, cell.as_str()]),
                    false => line.extend([cell.as_str(), &gap]),
                }
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Prints one value, on one line where nobody looks.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    let text = match io::stdout().is_terminal() {
        true => serde_json::to_string_pretty(value)?,
        false => value.to_string(),
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
}

/// A line on standard error that tells how far a long work is; only where a person looks.
pub(crate) struct Progress {
    shown: bool,
    next: Instant,
    started: Instant,
}

const PROGRESS_EVERY: Duration = Duration::from_millis(500);

impl Progress {
    pub(crate) fn new() -> Progress {
        let started = Instant::now();
        Progress {
            shown: false,
            next: started + PROGRESS_EVERY,
            started,
        }
    }

    /// Says it, at most twice a second.
    pub(crate) fn say(&mut self, line: impl FnOnce(Duration) -> String) {
        let now = Instant::now();
        if now >= self.next && io::stderr().is_terminal() {
            self.next = now + PROGRESS_EVERY;
            self.shown = true;
            eprint!("\r\x1b[K{}", line(now - self.started));
        }
    }

    /// Wipes the line.
    pub(crate) fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\x1b[K");
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// `1.4 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024.0 {
            return match unit {
                "B" => format!("{count} B"),
                _ => format!("{value:.1} {unit}"),
            };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TiB")
}

/// `2026-03-01T12:00:00.000Z`, of milliseconds since 1970. Civil from days: Howard Hinnant's algorithm.
pub(crate) fn time(milliseconds: i64) -> String {
    let (days, rest) = (
        milliseconds.div_euclid(86_400_000),
        milliseconds.rem_euclid(86_400_000),
    );
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 {
        month_shifted + 3
    } else {
        month_shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Milliseconds since 1970 of `2026-03-01`, `2026-03-01T12:00`, `…:30`, `….250`, with or without `Z`: UTC.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let mut parts = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || !(0..=9999).contains(&year)
    {
        return None;
    }
    let mut parts = clock.split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    if parts.next().is_some()
        || !(0..24).contains(&hours)
        || !(0..60).contains(&minutes)
        || !(0.0..60.0).contains(&seconds)
    {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(((days * 24 + hours) * 60 + minutes) * 60_000 + (seconds * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_line_up() {
        let mut table = Table::new(&["topic", "partitions"]);
        table.row(vec!["größe".into(), "12".into()]);
        table.row(vec!["a".into(), "3".into()]);
        assert_eq!(
            table.text(),
            "topic  partitions\ngröße          12\na               3\n"
        );
    }

    #[test]
    fn times_go_there_and_back() {
        for (text, at) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("2026-11-25T01:02:03.004Z", 1_795_568_523_004),
            ("1969-12-31T23:59:59.000Z", -1000),
        ] {
            assert_eq!(time(at), text);
            assert_eq!(parse_time(text), Some(at));
        }
        assert_eq!(parse_time("2026-11-25"), Some(1_795_564_800_000));
        for wrong in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-11-25T24:00",
            "2026-11",
            "2026-11-25T01",
        ] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
        assert_eq!(
            (bytes(12), bytes(1536), bytes(5 << 30)),
            ("12 B".into(), "1.5 KiB".into(), "5.0 GiB".into())
        );
    }
}
