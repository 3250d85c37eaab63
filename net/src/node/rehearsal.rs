//! The start of a node, one shard after the other, for whoever wants to know what it finds: the same code, to be run on a
//! disk that keeps its writes to itself.

use corelane_engine::controller::identity::Identity;
use corelane_engine::controller::image::Image;
use corelane_engine::fatal::Fatal;
use corelane_engine::flow::Flow;
use corelane_engine::log::buffers::Arena;
use corelane_engine::log::layout::Layout;
use corelane_engine::log::recover::Recovered;
use corelane_engine::rng::Rng;
use corelane_engine::types::{ShardId, TopicPartition};

use super::{NodeConfig, boot, reconcile};

/// What shard 0 finds first.
pub struct Metadata {
    pub identity: Identity,
    pub image: Image,
    pub layout: Layout,
    /// Whether the last stop was clean.
    pub clean: bool,
    pub bytes_read: u64,
}

/// Opens or formats the directory, and makes its layout fit the shard count.
pub async fn metadata(flow: Flow, config: NodeConfig) -> Result<Metadata, Fatal> {
    let rng = Rng::new(config.seed);
    let found = boot::metadata(flow, config, rng).await?;
    Ok(Metadata {
        identity: found.identity,
        image: found.recovered.image,
        layout: found.layout,
        clean: found.clean,
        bytes_read: found.bytes_read,
    })
}

/// Recovers the shard that the configuration names.
pub async fn storage(
    flow: Flow,
    config: NodeConfig,
    image: &Image,
    layout: Layout,
) -> Result<(Recovered, Arena), Fatal> {
    let owned = reconcile::owned(image, &config);
    let files = layout.files(config.me);
    boot::storage(flow, config, files, owned).await
}

/// The shard of so many that has a partition.
pub fn owner(id: TopicPartition, shards: u16) -> ShardId {
    reconcile::owner(id, shards)
}
