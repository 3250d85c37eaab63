//! A conversation with one broker, noted step by step, so that two brokers' can be compared.

use std::fmt::Debug;

/// What one broker answered, without what is its own choice.
#[derive(Debug, Default)]
pub struct Transcript {
    /// What is the broker's own choice, and the word that stands for it.
    own: Vec<(String, String)>,
    answers: Vec<(String, String)>,
}

impl Transcript {
    /// From now on `word` is noted in place of `chosen`.
    pub fn own(&mut self, chosen: &str, word: &str) {
        assert!(!chosen.is_empty(), "{word} is nothing");
        self.own.push((chosen.to_owned(), word.to_owned()));
    }

    /// Notes an answer.
    pub fn note(&mut self, step: impl Into<String>, answer: impl Debug) {
        let mut text = format!("{answer:?}");
        for (chosen, word) in &self.own {
            text = text.replace(chosen, word);
        }
        self.answers.push((step.into(), text));
    }

    /// Panics with every step in which `ours` differs. A step whose name begins with a name in `differences` may.
    pub fn compare(&self, ours: &Transcript, what: &str, differences: &[(&str, &str)]) {
        let steps = |of: &Transcript| -> Vec<String> {
            of.answers.iter().map(|(step, _)| step.clone()).collect()
        };
        assert_eq!(steps(self), steps(ours), "{what}: the same conversation");
        let pairs = self.answers.iter().zip(&ours.answers);
        let wrong: Vec<String> = pairs
            .filter(|((_, kafka), (_, ours))| kafka != ours)
            .filter(|((step, _), _)| !differences.iter().any(|(name, _)| step.starts_with(name)))
            .map(|((step, kafka), (_, ours))| format!("{step}\n  kafka {kafka}\n  ours  {ours}"))
            .collect();
        assert!(
            wrong.is_empty(),
            "{what}, {} of {} answers differ:\n{}",
            wrong.len(),
            self.answers.len(),
            wrong.join("\n")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(answer: &str) -> Transcript {
        let mut transcript = Transcript::default();
        transcript.own("member-7", "MEMBER");
        transcript.note("join", ("member-7", answer));
        transcript
    }

    #[test]
    fn choices_are_no_differences_and_listed_ones_are_allowed() {
        said("x").compare(&said("x"), "test", &[]);
        said("x").compare(&said("y"), "test", &[("jo", "because")]);
        assert_eq!(said("x").answers[0].1, "(\"MEMBER\", \"x\")");
    }

    #[test]
    #[should_panic(expected = "1 of 1 answers differ")]
    fn a_difference_is_told() {
        said("x").compare(&said("y"), "test", &[("leave", "because")]);
    }
}
