//! Other configs for a topic, checked against the image: Kafka 4.3.1's steps, in its order, with its words
//! (`ConfigurationControlManager`, `ControllerConfigurationValidator`).

use super::command::{AlterTopic, CommandError, ConfigChange, ConfigOperation, Outcome, Record};
use super::image::Image;
use super::names;
use super::topic_config::{self, Configs, TopicConfig};

/// What the topic's configs become; `None` where nothing changes, or where it is only to be checked.
pub fn check(image: &Image, alter: AlterTopic) -> Result<(Outcome, Option<Record>), CommandError> {
    let AlterTopic {
        name,
        change,
        validate_only,
    } = alter;
    // Whether the topic exists is looked at last: bad values are told first.
    let topic = image.topic(&name);
    let none = Configs::new();
    let before = topic.map_or(&none, |topic| &topic.configs);
    let after = match change {
        ConfigChange::Replace(configs) => configs,
        ConfigChange::Change(operations) => changed(before, operations)?,
    };
    if name.is_empty() {
        return Err(CommandError::InvalidRequest(
            "Default topic resources are not allowed.".to_owned(),
        ));
    }
    names::check(&name).map_err(CommandError::InvalidTopic)?;
    TopicConfig::of(&after).map_err(CommandError::InvalidConfig)?;
    let topic = topic
        .ok_or_else(|| CommandError::UnknownTopic(format!("The topic '{name}' does not exist.")))?;
    let record = (!validate_only && after != topic.configs).then_some(Record::TopicConfigs {
        id: topic.id,
        configs: after,
    });
    Ok((Outcome::Done, record))
}

fn changed(
    before: &Configs,
    operations: Vec<(String, ConfigOperation)>,
) -> Result<Configs, CommandError> {
    let mut configs = before.clone();
    for (name, operation) in operations {
        match operation {
            ConfigOperation::Set(value) => drop(configs.insert(name, value)),
            ConfigOperation::Delete => drop(configs.remove(&name)),
            ConfigOperation::Append(items) => {
                let mut list = list(&configs, &name, "APPEND")?;
                for item in split(&items) {
                    if !list.iter().any(|known| known == item) {
                        list.push(item.to_owned());
                    }
                }
                configs.insert(name, list.join(","));
            }
            ConfigOperation::Subtract(items) => {
                let mut list = list(&configs, &name, "SUBTRACT")?;
                for item in split(&items) {
                    if let Some(at) = list.iter().position(|known| known == item) {
                        list.remove(at);
                    }
                }
                configs.insert(name, list.join(","));
            }
        }
    }
    Ok(configs)
}

/// The items of a list that a topic has now, by itself or by default.
fn list(configs: &Configs, name: &str, operation: &str) -> Result<Vec<String>, CommandError> {
    let definition = topic_config::definition(name).filter(|d| d.kind.is_list());
    let Some(definition) = definition else {
        return Err(CommandError::InvalidConfig(format!(
            "Can't {operation} to key {name} because its type is not LIST."
        )));
    };
    let value = configs.get(name).map(String::as_str);
    let value = value.or(definition.default).unwrap_or_default();
    let items = split(value).filter(|item| !item.is_empty());
    Ok(items.map(str::to_owned).collect())
}

/// As Java's `split(",")`: empty items at the end do not count, but a string without any is one item.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let trimmed = text.trim_end_matches(',');
    let none = trimmed.is_empty() && !text.is_empty();
    trimmed.split(',').filter(move |_| !none)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TopicId;

    const POLICY: &str = "cleanup.policy";

    fn image(given: &[(&str, &str)]) -> Image {
        let topic = Record::Topic {
            id: TopicId([1; 16]),
            name: "t".to_owned(),
            configs: configs(given),
            partitions: Vec::new(),
        };
        Image::of(0, &[topic]).unwrap()
    }

    fn configs(given: &[(&str, &str)]) -> Configs {
        let owned = given
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        owned.collect()
    }

    fn alter(
        given: &[(&str, &str)],
        topic: &str,
        operations: &[(&str, ConfigOperation)],
    ) -> Result<Option<Configs>, String> {
        let own =
            |(name, operation): &(&str, ConfigOperation)| ((*name).to_owned(), operation.clone());
        let alter = AlterTopic {
            name: topic.to_owned(),
            change: ConfigChange::Change(operations.iter().map(own).collect()),
            validate_only: false,
        };
        match check(&image(given), alter) {
            Ok((_, None)) => Ok(None),
            Ok((_, Some(Record::TopicConfigs { configs, .. }))) => Ok(Some(configs)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn operations_change_what_they_name() {
        let set = |v: &str| ConfigOperation::Set(v.to_owned());
        let append = |v: &str| ConfigOperation::Append(v.to_owned());
        let subtract = |v: &str| ConfigOperation::Subtract(v.to_owned());
        let given = &[("segment.ms", "5"), ("retention.ms", "6")][..];
        type Given<'a> = &'a [(&'a str, &'a str)];
        let cases: [(Given<'_>, &str, ConfigOperation, Given<'_>); 8] = [
            (
                given,
                "segment.ms",
                set("7"),
                &[("segment.ms", "7"), ("retention.ms", "6")],
            ),
            (
                given,
                "segment.ms",
                ConfigOperation::Delete,
                &[("retention.ms", "6")],
            ),
            (
                &[],
                POLICY,
                append("compact"),
                &[(POLICY, "delete,compact")],
            ),
            (&[], POLICY, append("delete"), &[(POLICY, "delete")]),
            (
                &[(POLICY, "compact,delete")],
                POLICY,
                subtract("compact"),
                &[(POLICY, "delete")],
            ),
            (
                &[(POLICY, "compact")],
                POLICY,
                subtract("compact,compact"),
                &[(POLICY, "")],
            ),
            (&[], POLICY, subtract("x"), &[(POLICY, "delete")]),
            (
                &[(POLICY, "")],
                POLICY,
                append("compact,,"),
                &[(POLICY, "compact")],
            ),
        ];
        for (given, name, operation, expected) in cases {
            let words = format!("{given:?} {name} {operation:?}");
            let after = alter(given, "t", &[(name, operation)]);
            assert_eq!(after, Ok(Some(configs(expected))), "{words}");
        }
        // What changes nothing makes no record.
        assert_eq!(alter(given, "t", &[("segment.ms", set("5"))]), Ok(None));
        assert_eq!(
            alter(given, "t", &[("flush.ms", ConfigOperation::Delete)]),
            Ok(None)
        );
    }

    #[test]
    fn what_kafka_refuses_is_refused_in_its_order() {
        let set = |v: &str| ConfigOperation::Set(v.to_owned());
        let cases = [
            (
                "t",
                "segment.ms",
                set("x"),
                "Invalid value x for configuration segment.ms: Not a number of type LONG",
            ),
            (
                "gone",
                "segment.ms",
                set("x"),
                "Invalid value x for configuration segment.ms: Not a number of type LONG",
            ),
            (
                "gone",
                "segment.ms",
                set("5"),
                "The topic 'gone' does not exist.",
            ),
            (
                "t",
                "no.such",
                set("5"),
                "Unknown topic config name: no.such",
            ),
            (
                "",
                "segment.ms",
                set("5"),
                "Default topic resources are not allowed.",
            ),
            (
                "a/b",
                "segment.ms",
                set("5"),
                "Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
            ),
            (
                "t",
                "segment.ms",
                ConfigOperation::Append("5".to_owned()),
                "Can't APPEND to key segment.ms because its type is not LIST.",
            ),
            (
                "t",
                "no.such",
                ConfigOperation::Subtract("5".to_owned()),
                "Can't SUBTRACT to key no.such because its type is not LIST.",
            ),
            (
                "t",
                POLICY,
                ConfigOperation::Append("never".to_owned()),
                "Invalid value never for configuration cleanup.policy: String must be one of: compact, delete",
            ),
        ];
        for (topic, name, operation, message) in cases {
            assert_eq!(
                alter(&[], topic, &[(name, operation)]),
                Err(message.to_owned())
            );
        }
    }
}
