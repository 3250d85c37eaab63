//! Medians, their ratio, and a bootstrap interval for it.

/// A ratio with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Interval {
    /// From all samples.
    pub middle: f64,
    /// 2.5 % of the resamples lie below.
    pub low: f64,
    /// 2.5 % lie above.
    pub high: f64,
}

const RESAMPLES: usize = 4000;

/// The median; 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

/// median(`ours`) ÷ median(`theirs`), both resampled. The same samples give the same interval.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> Option<Interval> {
    if ours.is_empty() || theirs.is_empty() || median(theirs) <= 0.0 {
        return None;
    }
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut resample = |values: &[f64]| {
        let mut drawn = Vec::with_capacity(values.len());
        for _ in values {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            drawn.push(values[(seed % values.len() as u64) as usize]);
        }
        median(&drawn)
    };
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| resample(ours) / resample(theirs).max(1e-12))
        .collect();
    ratios.sort_by(f64::total_cmp);
    Some(Interval {
        middle: median(ours) / median(theirs),
        low: ratios[RESAMPLES * 25 / 1000],
        high: ratios[RESAMPLES * 975 / 1000],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_holds_the_ratio_and_shrinks_with_the_noise() {
        let theirs = [100.0, 104.0, 96.0, 101.0, 99.0, 102.0, 98.0, 100.0];
        let ours: Vec<f64> = theirs.iter().map(|value| value * 2.0).collect();
        let calm = ratio(&ours, &theirs).unwrap();
        assert!(
            (calm.middle - 2.0).abs() < 1e-9 && calm.low <= 2.0 && calm.high >= 2.0,
            "{calm:?}"
        );
        assert!(calm.high - calm.low < 0.2);
        let noisy = ratio(&[100.0, 300.0, 150.0, 260.0], &theirs).unwrap();
        assert!(noisy.high - noisy.low > 0.5, "{noisy:?}");
        assert_eq!(ratio(&[], &theirs), None);
        assert_eq!(median(&[3.0, 1.0, 2.0, 10.0]), 2.5);
    }
}
