//! The start's linear work on the disk: identity, metadata, layout; then one shard's storage.

use corelane_engine::controller::identity::{self, Identity, Opened};
use corelane_engine::controller::metadata_log::{LogEnd, MetadataLimits};
use corelane_engine::controller::recovery;
use corelane_engine::fatal::Fatal;
use corelane_engine::flow::Flow;
use corelane_engine::log::buffers::Arena;
use corelane_engine::log::layout::{self, Layout};
use corelane_engine::log::partition::Partition;
use corelane_engine::log::recover::{self, Recovered, ShardFiles};
use corelane_engine::rng::Rng;

use super::NodeConfig;
use super::reconcile;

/// How the names of files begin that a start killed before the format leaves: the lock, and the look at the disk.
const LEFTOVERS: &[&str] = &["lock", "probe-"];

/// What shard 0 found.
pub(super) struct Metadata {
    pub(super) identity: Identity,
    pub(super) recovered: recovery::Recovered,
    pub(super) layout: Layout,
    pub(super) clean: bool,
    pub(super) bytes_read: u64,
}

/// Opens or formats the directory; the layout is made to fit the shard count.
pub(super) async fn metadata(
    flow: Flow,
    config: NodeConfig,
    mut rng: Rng,
) -> Result<Metadata, Fatal> {
    let limits = MetadataLimits::NORMAL;
    let (identity, recovered, clean) =
        match identity::open(&flow, config.node, &mut rng, LEFTOVERS).await? {
            Opened::Existing(identity) => {
                let clean = identity::read_clean(&flow).await?;
                let least = clean.unwrap_or_default();
                let recovered = recovery::recover(&flow, config.node, limits, least).await?;
                if clean.is_some() {
                    identity::forget_clean(&flow).await?;
                }
                (identity, recovered, clean.is_some())
            }
            Opened::Fresh(identity) => {
                let recovered = recovery::format(&flow, config.node, limits).await?;
                identity.write(&flow).await?;
                (identity, recovered, true)
            }
        };
    let all = || reconcile::all(&recovered.image, &config);
    let owner = reconcile::owner;
    let layout = layout::open(
        &flow,
        identity.directory,
        config.shards,
        &config.limits,
        all,
        owner,
    )
    .await?;
    let bytes_read = recovered.bytes_read;
    Ok(Metadata {
        identity,
        recovered,
        layout,
        clean,
        bytes_read,
    })
}

/// Recovers one shard.
pub(super) async fn storage(
    flow: Flow,
    config: NodeConfig,
    files: ShardFiles,
    owned: Vec<Partition>,
) -> Result<(Recovered, Arena), Fatal> {
    let [first, step, max] = config.arena;
    let mut arena = Arena::new(first, step, max);
    let recovered = recover::open_shard(&flow, &files, &config.limits, &mut arena, owned).await?;
    Ok((recovered, arena))
}

/// The last act of a clean stop.
pub(super) async fn mark_clean(flow: &Flow, end: LogEnd) -> Result<(), Fatal> {
    identity::mark_clean(flow, end).await
}
