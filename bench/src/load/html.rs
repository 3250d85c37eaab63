//! The picture of a run: one self-contained page with the percentile curve, and rate and p99 over time.

use super::report::Outcome;

/// The page for one or more runs.
pub fn page(_outcomes: &[Outcome]) -> String {
    String::new()
}
