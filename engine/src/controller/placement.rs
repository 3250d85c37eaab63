//! Which shard of this node owns a partition: a function of topic id, partition and shard count. Local, never in Raft.

use crate::types::{ShardId, TopicId};

/// The owner of `partition` among `shards` shards. The partitions of one topic are dealt in turn from a start that
/// depends on the topic's id, so that every topic is spread evenly and single-partition topics are spread too.
///
/// Journals are laid out by this function: changing it makes every start look like one with another shard count.
pub fn owner(topic: TopicId, partition: i32, shards: u16) -> ShardId {
    assert!(shards > 0, "a node has at least one shard");
    assert!(partition >= 0, "partition {partition} of {topic}");
    // FNV-1a over the id, folded: its upper bits are the well-mixed ones.
    let hash = topic.0.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &b| {
        (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let start = (hash >> 32) ^ (hash & 0xffff_ffff);
    let place = (start + partition as u64) % u64::from(shards);
    ShardId(place as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn partitions_of_one_topic_are_spread_evenly() {
        let mut rng = Rng::new(1);
        for shards in 1..9_u16 {
            let topic = TopicId(rng.bytes16());
            let mut counts = vec![0; usize::from(shards)];
            for partition in 0..i32::from(shards) * 5 {
                counts[usize::from(owner(topic, partition, shards).0)] += 1;
            }
            assert!(counts.iter().all(|&c| c == 5), "{counts:?}");
        }
    }

    #[test]
    fn topics_of_one_partition_are_spread_too() {
        let mut rng = Rng::new(2);
        let mut counts = [0; 4];
        for _ in 0..4000 {
            counts[usize::from(owner(TopicId(rng.bytes16()), 0, 4).0)] += 1;
        }
        assert!(
            counts.iter().all(|&c| (850..1150).contains(&c)),
            "{counts:?}"
        );
    }

    /// The on-disk layout depends on these values.
    #[test]
    fn the_function_never_changes() {
        let topic = TopicId([7; 16]);
        let owners: Vec<u16> = (0..4).map(|p| owner(topic, p, 4).0).collect();
        let first = owners[0];
        assert_eq!(
            owners,
            (0..4).map(|p| (first + p) % 4).collect::<Vec<u16>>()
        );
        assert_eq!(owner(TopicId([7; 16]), 0, 1000).0, GOLDEN_7);
        assert_eq!(owner(TopicId::ZERO, 3, 1000).0, GOLDEN_0);
    }
    const GOLDEN_7: u16 = 21;
    const GOLDEN_0: u16 = 351;
}
