//! The rules for topic names, with the words Kafka 4.3.1 uses (`org.apache.kafka.common.internals.Topic`).

/// The longest topic name, in UTF-16 units as Kafka counts them; legal names are ASCII.
pub const NAME_LENGTH_MAX: usize = 249;

/// Topics that the broker itself writes (`Topic.isInternal`).
pub const INTERNAL: [&str; 3] = [
    "__consumer_offsets",
    "__transaction_state",
    "__share_group_state",
];

/// Whether clients are told that this topic is internal.
pub fn is_internal(name: &str) -> bool {
    INTERNAL.contains(&name)
}

/// Refuses a name that Kafka refuses, with Kafka's message.
pub fn check(name: &str) -> Result<(), String> {
    let why = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.encode_utf16().count() > NAME_LENGTH_MAX {
        format!("the length of '{name}' is longer than the max allowed length {NAME_LENGTH_MAX}")
    } else if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        )
    } else {
        return Ok(());
    };
    Err(format!("Topic name is invalid: {why}"))
}

/// Metric names replace '.' by '_', so that two names that differ in nothing else may not both exist. Names with
/// equal keys collide; `None`: this name cannot collide with another.
pub fn collision_key(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_refused_with_kafkas_words() {
        let long = "a".repeat(250);
        let cases = [
            ("", "the empty string is not allowed".to_owned()),
            (".", "'.' is not allowed".to_owned()),
            ("..", "'..' is not allowed".to_owned()),
            (
                &long,
                format!("the length of '{long}' is longer than the max allowed length 249"),
            ),
            (
                "a b",
                "'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
                    .to_owned(),
            ),
            (
                "a/b",
                "'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
                    .to_owned(),
            ),
        ];
        for (name, why) in cases {
            assert_eq!(check(name), Err(format!("Topic name is invalid: {why}")));
        }
        for name in ["a.b_c-D9", "...", &"a".repeat(249)] {
            assert_eq!(check(name), Ok(()));
        }
    }

    #[test]
    fn dots_collide_with_underscores() {
        assert_eq!(collision_key("a.b"), collision_key("a_b"));
        assert_eq!(collision_key("ab"), None);
        assert!(is_internal("__consumer_offsets"));
        assert!(!is_internal("__cluster_metadata"));
    }
}
