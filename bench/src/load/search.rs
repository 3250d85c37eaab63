//! Several runs of one plan: a sweep over rates, and the search for the highest rate that keeps its p99.

use std::time::Duration;

use super::plan::{Plan, Rate};
use super::report::Outcome;
use super::{LoadError, run};
use crate::sys;

/// Bisection ends when the bounds are this close.
const CLOSE: f64 = 1.05;
/// A run holds its rate when it acknowledged this share of what was asked.
const HELD: f64 = 0.98;

/// One run per rate, until Ctrl-C.
pub fn sweep(plan: &Plan, mut each: impl FnMut(&Outcome)) -> Result<Vec<Outcome>, LoadError> {
    let mut outcomes = Vec::new();
    for rate in &plan.sweep {
        if sys::interrupted() {
            break;
        }
        let outcome = run(&Plan {
            rate: *rate,
            sweep: Vec::new(),
            ..plan.clone()
        })?;
        each(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// True when a run kept its rate with its p99 below the limit.
pub fn holds(outcome: &Outcome, limit: Duration) -> bool {
    outcome.latency.p99_us < limit.as_secs_f64() * 1e6
        && outcome.requests_per_s >= HELD * outcome.asked_requests_per_s
        && outcome.unacked == 0
        && outcome.errors.is_empty()
}

/// Doubles the rate from `--rate` until the p99 breaks the limit, then halves the gap. All runs, the best one's place.
/// Lateness is judged on the best run only: past its limit a broker may well slow its tool down.
pub fn saturate(
    plan: &Plan,
    mut each: impl FnMut(&Outcome),
) -> Result<(Vec<Outcome>, Option<usize>), LoadError> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    let (mut low, mut high, mut best) = (0.0, f64::INFINITY, None);
    let mut factor = 1.0;
    while high / low > CLOSE && outcomes.len() < 24 && !sys::interrupted() {
        let rate: Rate = plan.rate.times(factor);
        let outcome = run(&Plan {
            rate,
            saturate: false,
            ..plan.clone()
        })?;
        each(&outcome);
        if holds(&outcome, plan.p99_limit) {
            (low, best) = (factor, Some(outcomes.len()));
        } else {
            high = factor;
        }
        outcomes.push(outcome);
        factor = if high.is_infinite() {
            low * 2.0
        } else {
            (low + high) / 2.0
        };
        if factor < 1e-3 {
            break;
        }
    }
    Ok((outcomes, best))
}
