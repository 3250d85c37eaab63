//! What was counted beside what was recorded: what is worse, what is better, and which functions grew.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::callgrind::Counted;

/// Instructions: they are the same from run to run; this much a change may cost that nobody looks at.
const INSTRUCTIONS: Tolerance = Tolerance {
    percent: 3.0,
    count: 0.0,
};
/// A copy of 16 KiB takes a thousand, which is little beside a look at each of its records.
const COPYING: Tolerance = Tolerance {
    percent: 3.0,
    count: 300.0,
};
/// One more of a request is one too many.
const ALLOCATIONS: Tolerance = Tolerance {
    percent: 0.0,
    count: 0.5,
};
/// Those of a request that lies in wait for the disk differ a little.
const SYSCALLS: Tolerance = Tolerance {
    percent: 0.0,
    count: 0.5,
};
/// Functions that are named beside a kind that is worse.
const NAMED: usize = 10;

/// Everything that was counted; what could not be is empty.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Figures {
    pub pure: BTreeMap<String, Counted>,
    pub syscalls: BTreeMap<String, f64>,
}

/// Both together: a share of what was recorded, and so much.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Tolerance {
    percent: f64,
    count: f64,
}

impl Tolerance {
    fn verdict(self, recorded: f64, now: f64) -> Verdict {
        let by = recorded * self.percent / 100.0 + self.count;
        match now - recorded {
            more if more > by => Verdict::Worse,
            more if more < -by => Verdict::Better,
            _ => Verdict::Same,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Same,
    Worse,
    Better,
}

/// What a comparison came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// The table, and for each kind that is worse the functions that grew.
    pub text: String,
    pub worse: bool,
    pub better: bool,
}

impl Figures {
    pub fn to_json(&self) -> Value {
        let pure = self.pure.iter().map(|(kind, counted)| {
            let Counted {
                instructions,
                copying,
                allocations,
                functions,
            } = counted;
            let counted = json!({
                "instructions": instructions,
                "of these copying": copying,
                "allocations": rounded(*allocations),
                "functions": functions,
            });
            (kind.clone(), counted)
        });
        let syscalls = self.syscalls.iter();
        let syscalls = syscalls.map(|(kind, count)| (kind.clone(), json!(rounded(*count))));
        json!({
            "of the pure half": Value::Object(pure.collect()),
            "syscalls of the broker": Value::Object(syscalls.collect()),
        })
    }

    /// Panics where the record is not one of ours.
    pub fn of_json(record: &Value) -> Figures {
        let object = |name: &str| record[name].as_object().expect("an object of kinds");
        let number = |value: &Value| value.as_f64().expect("a number");
        let whole = |value: &Value| value.as_u64().expect("a whole number");
        let pure = object("of the pure half").iter().map(|(kind, counted)| {
            let functions = counted["functions"].as_object().expect("an object");
            let functions = functions.iter().map(|(name, n)| (name.clone(), whole(n)));
            let counted = Counted {
                instructions: whole(&counted["instructions"]),
                copying: whole(&counted["of these copying"]),
                allocations: number(&counted["allocations"]),
                functions: functions.collect(),
            };
            (kind.clone(), counted)
        });
        let syscalls = object("syscalls of the broker").iter();
        Figures {
            pure: pure.collect(),
            syscalls: syscalls
                .map(|(kind, n)| (kind.clone(), number(n)))
                .collect(),
        }
    }

    /// These figures beside those recorded. A kind that was never recorded is worse than nothing.
    pub fn beside(&self, recorded: &Figures) -> Report {
        let mut report = Report::default();
        report.line(["per request", "recorded", "now", "", ""]);
        let nothing = Counted::default();
        let before = |kind: &str| recorded.pure.get(kind).unwrap_or(&nothing);
        for (kind, now) in &self.pure {
            let (was, is) = (before(kind).instructions as f64, now.instructions as f64);
            report.compare(&format!("{kind}: instructions"), was, is, INSTRUCTIONS);
        }
        for (kind, now) in &self.pure {
            let (was, is) = (before(kind).copying as f64, now.copying as f64);
            report.compare(&format!("{kind}: copying"), was, is, COPYING);
        }
        for (kind, now) in &self.pure {
            let (was, is) = (before(kind).allocations, now.allocations);
            report.compare(&format!("{kind}: allocations"), was, is, ALLOCATIONS);
        }
        for (kind, now) in &self.syscalls {
            let was = recorded.syscalls.get(kind).copied().unwrap_or(0.0);
            report.compare(&format!("{kind}: syscalls"), was, *now, SYSCALLS);
        }
        for (kind, now) in &self.pure {
            let was = before(kind);
            let more = [
                INSTRUCTIONS.verdict(was.instructions as f64, now.instructions as f64),
                COPYING.verdict(was.copying as f64, now.copying as f64),
                ALLOCATIONS.verdict(was.allocations, now.allocations),
            ];
            if more.contains(&Verdict::Worse) {
                report.name_what_grew(kind, &was.functions, &now.functions);
            }
        }
        report
    }
}

impl Report {
    fn line(&mut self, cells: [&str; 5]) {
        let [what, recorded, now, percent, verdict] = cells;
        let line = format!("{what:<30} {recorded:>12} {now:>12} {percent:>8}  {verdict}");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn compare(&mut self, what: &str, recorded: f64, now: f64, tolerance: Tolerance) {
        let [recorded, now] = [recorded, now].map(rounded);
        let verdict = tolerance.verdict(recorded, now);
        self.worse |= verdict == Verdict::Worse;
        self.better |= verdict == Verdict::Better;
        let percent = match recorded > 0.0 {
            true => format!("{:+.2} %", (now / recorded - 1.0) * 100.0),
            false => "new".to_owned(),
        };
        let word = match verdict {
            Verdict::Same => "",
            Verdict::Worse => "WORSE",
            Verdict::Better => "better",
        };
        let [recorded, now] = [recorded, now].map(|n| n.to_string());
        self.line([what, &recorded, &now, &percent, word]);
    }

    fn name_what_grew(
        &mut self,
        kind: &str,
        was: &BTreeMap<String, u64>,
        now: &BTreeMap<String, u64>,
    ) {
        let mut grew: Vec<(u64, u64, &str)> = (now.iter())
            .map(|(name, is)| (was.get(name).copied().unwrap_or(0), *is, name.as_str()))
            .filter(|(was, is, _)| is > was)
            .collect();
        grew.sort_by_key(|(was, is, _)| std::cmp::Reverse(is - was));
        let _ = writeln!(self.text, "\n{kind}, what grew most, in instructions:");
        for (was, is, name) in grew.into_iter().take(NAMED) {
            let _ = writeln!(self.text, "  {:+8}  {was:>8} -> {is:<8}  {name}", is - was);
        }
    }
}

/// Two digits are told.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(instructions: u64, allocations: f64, copied: u64, syscalls: f64) -> Figures {
        let counted = Counted {
            instructions,
            copying: copied,
            allocations,
            functions: [("parse".to_owned(), 500), ("memmove".to_owned(), copied)].into(),
        };
        Figures {
            pure: [("produce".to_owned(), counted)].into(),
            syscalls: [("produce".to_owned(), syscalls)].into(),
        }
    }

    #[track_caller]
    fn check(now: &Figures, worse: bool, better: bool) -> String {
        let recorded = Figures::of_json(&figures(1_000, 20.0, 100, 5.0).to_json());
        let report = now.beside(&recorded);
        assert_eq!((report.worse, report.better), (worse, better), "{report:?}");
        report.text
    }

    #[test]
    fn what_is_within_its_tolerance_is_as_it_was() {
        check(&figures(1_030, 20.4, 400, 5.4), false, false);
        check(&figures(970, 19.6, 0, 4.6), false, false);
    }

    #[test]
    fn a_copy_is_named_and_one_more_allocation_or_call_is_worse() {
        let text = check(&figures(1_100, 20.0, 200, 5.0), true, false);
        assert!(
            text.contains("memmove") && !text.contains("parse"),
            "{text}"
        );
        assert!(text.contains("+10.00 %"), "{text}");
        check(&figures(1_000, 20.0, 1_100, 5.0), true, false);
        check(&figures(1_000, 21.0, 100, 5.0), true, false);
        check(&figures(1_000, 20.0, 100, 6.0), true, false);
    }

    #[test]
    fn what_is_better_is_said_and_what_is_new_is_worse() {
        check(&figures(900, 20.0, 100, 5.0), false, true);
        let mut new = figures(1_000, 20.0, 100, 5.0);
        new.syscalls.insert("fetch".to_owned(), 3.0);
        assert!(check(&new, true, false).contains("new"));
    }
}
