//! More partitions for a topic, checked against the image: Kafka 4.3.1's checks, in its order, with its words
//! (`ReplicationControlManager.createPartitions`).

use super::command::{CommandError, MorePartitions, Outcome, Record};
use super::create::{PARTITIONS_MAX, check_assigned, fresh, spread, too_many};
use super::image::Image;
use crate::rng::Rng;
use crate::types::NodeId;

/// The partitions to be; `None` where it is only to be checked.
pub fn check(
    image: &Image,
    more: MorePartitions,
    rng: &mut Rng,
) -> Result<(Outcome, Option<Record>), CommandError> {
    let topic = image.topic(&more.name).ok_or_else(|| {
        CommandError::UnknownTopic("This server does not host this topic-partition.".to_owned())
    })?;
    let first = topic.partition_count();
    if more.count == first {
        return Err(CommandError::InvalidPartitions(format!(
            "Topic already has {first} partition(s)."
        )));
    }
    if more.count < first {
        return Err(CommandError::InvalidPartitions(format!(
            "The topic {} currently has {first} partition(s); {} would not be an increase.",
            more.name, more.count
        )));
    }
    let additional = more.count - first;
    let factor = image.partition(topic, 0).map_or(1, |p| p.replicas.len());
    let replicas = match more.assigned {
        Some(assigned) => manual(image, additional, factor, assigned)?,
        None => spread(image, additional, factor as i16, rng)?,
    };
    let record = (!more.validate_only).then(|| Record::Partitions {
        id: topic.id,
        first,
        partitions: replicas.into_iter().map(fresh).collect(),
    });
    Ok((Outcome::Done, record))
}

fn manual(
    image: &Image,
    additional: i32,
    factor: usize,
    assigned: Vec<Vec<NodeId>>,
) -> Result<Vec<Vec<NodeId>>, CommandError> {
    if assigned.len() != additional as usize {
        return Err(CommandError::InvalidReplicaAssignment(format!(
            "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
            assigned.len()
        )));
    }
    if assigned.len() > PARTITIONS_MAX {
        return Err(too_many());
    }
    let mut factor = Some(factor);
    for replicas in &assigned {
        check_assigned(image, replicas, &mut factor)?;
    }
    Ok(assigned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::command::{Broker, Endpoint, LISTENER_DEFAULT};
    use crate::controller::topic_config::Configs;
    use crate::types::TopicId;

    fn image() -> Image {
        let broker = |node| {
            Record::Broker(Broker {
                node: NodeId(node),
                endpoints: vec![Endpoint {
                    listener: LISTENER_DEFAULT.to_owned(),
                    host: "h".to_owned(),
                    port: 1,
                }],
                rack: None,
                incarnation: [0; 16],
            })
        };
        let topic = Record::Topic {
            id: TopicId([1; 16]),
            name: "t".to_owned(),
            configs: Configs::new(),
            partitions: vec![fresh(vec![NodeId(1), NodeId(2)]); 2],
        };
        Image::of(0, &[broker(1), broker(2), broker(3), topic]).unwrap()
    }

    fn grow(name: &str, count: i32, assigned: Option<&[&[i32]]>) -> Result<usize, String> {
        let nodes = |list: &&[i32]| list.iter().copied().map(NodeId).collect();
        let more = MorePartitions {
            name: name.to_owned(),
            count,
            assigned: assigned.map(|lists| lists.iter().map(nodes).collect()),
            validate_only: false,
        };
        let mut image = image();
        match check(&image, more, &mut Rng::new(1)) {
            Ok((Outcome::Done, Some(record))) => {
                image.apply(&record).unwrap();
                let topic = image.topic("t").unwrap();
                assert_eq!(topic.partition_count(), count);
                assert!(image.partitions(topic).all(|p| p.replicas.len() == 2));
                Ok(image.partition_count())
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_topic_only_grows_and_keeps_its_replication_factor() {
        assert_eq!(grow("t", 5, None), Ok(5));
        assert_eq!(grow("t", 4, Some(&[&[3, 1], &[2, 3]])), Ok(4));
        type Case<'a> = (&'a str, i32, Option<&'a [&'a [i32]]>, &'a str);
        let refused: [Case<'_>; 10] = [
            (
                "u",
                5,
                None,
                "This server does not host this topic-partition.",
            ),
            ("t", 2, None, "Topic already has 2 partition(s)."),
            (
                "t",
                -1,
                None,
                "The topic t currently has 2 partition(s); -1 would not be an increase.",
            ),
            (
                "t",
                4,
                Some(&[&[1, 2]]),
                "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.",
            ),
            (
                "t",
                3,
                Some(&[]),
                "Attempted to add 1 additional partition(s), but only 0 assignment(s) were specified.",
            ),
            (
                "t",
                3,
                Some(&[&[]]),
                "The manual partition assignment includes an empty replica list.",
            ),
            (
                "t",
                3,
                Some(&[&[1, 9]]),
                "The manual partition assignment includes broker 9, but no such broker is registered.",
            ),
            (
                "t",
                3,
                Some(&[&[1, 1]]),
                "The manual partition assignment includes the broker 1 more than once.",
            ),
            (
                "t",
                3,
                Some(&[&[1]]),
                "The manual partition assignment includes a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 replica(s).",
            ),
            (
                "t",
                i32::MAX,
                None,
                "Excessively large number of partitions per request.",
            ),
        ];
        for (name, count, assigned, message) in refused {
            assert_eq!(grow(name, count, assigned), Err(message.to_owned()));
        }
    }
}
