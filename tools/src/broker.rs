//! `corelane broker`: one start screen, then the shards run until a signal.

use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Instant;

use corelane_engine::controller::command::Endpoint;
use corelane_engine::fatal::Fatal;
use corelane_engine::group::config::GroupConfig;
use corelane_engine::limits::Limits;
use corelane_engine::rng::Rng;
use corelane_engine::types::{NodeId, ShardId};
use corelane_net::context::authorize_all;
use corelane_net::event::StartReport;
use corelane_net::listeners::{Listener, host_port};
use corelane_net::node::{Node, NodeConfig};
use corelane_net::uring::drive::{Drive, DriveConfig, ListenOn};
use corelane_net::uring::observer::Observer;
use corelane_net::worker::NetLimits;

use crate::config::{BrokerArgs, BrokerConfig};
use crate::http::Window;
use crate::listeners::ListenerConfig;

/// What the last line of the start screen says, set before the shards start.
static READY: OnceLock<(String, Instant)> = OnceLock::new();

/// Memory for one shard's hot tail at the least; a smaller `--memory` is refused.
const SHARD_MEMORY_MIN: u64 = 160 << 20;

pub(crate) fn run(args: BrokerArgs) -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CORELANE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let config = match args.resolve() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("corelane: {error}");
            return ExitCode::from(2);
        }
    };
    match serve(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            eprintln!("corelane: {fatal}");
            ExitCode::from(fatal.exit_code())
        }
    }
}

fn serve(config: &BrokerConfig) -> Result<(), Fatal> {
    let started = Instant::now();
    let listen_on = config.listeners.iter().map(|listener| ListenOn {
        name: listener.name.clone(),
        address: listener.bind,
    });
    let mut drive = DriveConfig::new(listen_on.collect(), &config.data_dir);
    drive.shards = config.shards;
    drive.on_opened = opened;
    let observer = config.http.map(|_| Observer::new());
    drive.observer = observer.clone();
    let drive = Drive::prepare(drive)?;
    let window = config.http.map(Window::bind).transpose()?;
    let (addresses, shards, host) = (drive.addresses(), drive.shards(), drive.host());

    let memory = config.memory.unwrap_or(host.memory_bytes / 4);
    let tail = tail_bytes(memory, shards)?;
    let bound = config.listeners.iter().zip(addresses);
    let listeners: Vec<Listener> = bound
        .map(|(config, bound)| listener(config, bound))
        .collect();

    println!("corelane {}", env!("CARGO_PKG_VERSION"));
    for (n, Listener { bound, endpoint }) in listeners.iter().enumerate() {
        let label = if n == 0 { "listening" } else { "" };
        let told = host_port(&endpoint.host, endpoint.port);
        println!(
            "  {label:<11} {} {bound}, advertised as {told}",
            endpoint.listener
        );
    }
    match &window {
        Some(window) => println!(
            "  http        http://{}/metrics, /healthz, /readyz",
            window.address()
        ),
        None => println!("  http        off; --http 127.0.0.1:9644 serves metrics and health"),
    }
    match &config.rack {
        Some(rack) => println!("  node        {}, rack {rack}", config.node_id),
        None => println!("  node        {}", config.node_id),
    }
    println!("  shards      {shards}");
    println!("  directory   {}", config.data_dir.display());
    println!(
        "  memory      {} MiB for data in flight and the hot tail",
        (tail.2 * usize::from(shards)) >> 20
    );
    for (n, line) in host.to_string().lines().enumerate() {
        println!("  {:<11} {line}", if n == 0 { "host" } else { "" });
    }
    let wanted = (tail.2 * usize::from(shards)) as u64;
    for (n, line) in host.locked_memory(wanted).lines().enumerate() {
        println!("  {:<11} {line}", if n == 0 { "memlock" } else { "" });
    }
    let bound = listeners.iter().map(|l| l.bound.to_string());
    let bound: Vec<String> = bound.collect();
    let _ = READY.set((bound.join(", "), started));

    let directory = config.data_dir.canonicalize();
    let directory = directory.unwrap_or_else(|_| config.data_dir.clone());
    let directory = directory.display().to_string();
    let seed = random()?;
    let limits = Limits {
        tail_bytes_max: tail.0,
        retention_check_ms: config.retention_check_ms,
        scrub_bytes_per_second: config.scrub_rate,
        disk_low_bytes: config.disk_low_bytes,
        ..Limits::NORMAL
    };
    let rack = config.rack.clone();
    let (node, arena) = (NodeId(config.node_id), [8 << 20, tail.1, tail.2]);
    let make = move |me: ShardId| {
        Node::new(NodeConfig {
            me,
            shards,
            node,
            listeners: listeners.clone(),
            rack: rack.clone(),
            directory: directory.clone(),
            limits: limits.clone(),
            net: NetLimits::NORMAL,
            arena,
            // Drawn, not added to: a seed further by the generator's own step gives the same numbers, one later.
            seed: Rng::new(seed.wrapping_add(u64::from(me.0))).next_u64(),
            groups: GroupConfig::default(),
            authorize: authorize_all,
        })
    };
    let _open = match (window, observer) {
        (Some(window), Some(observer)) => Some(window.open(observer, shards)?),
        _ => None,
    };
    for (shard, counters) in drive.run(make)?.iter().enumerate() {
        tracing::debug!(shard, "{counters}");
    }
    println!("stopped");
    Ok(())
}

/// What the node is told of a listener, now that its port is known.
fn listener(config: &ListenerConfig, bound: SocketAddr) -> Listener {
    let told = config.advertise.clone();
    let (host, port) = told.unwrap_or_else(|| (bound.ip().to_string(), bound.port()));
    Listener {
        bound,
        endpoint: Endpoint {
            listener: config.name.clone(),
            host,
            port,
        },
    }
}

/// Tail, arena step and arena ceiling of each shard.
pub(crate) fn tail_bytes(memory: u64, shards: u16) -> Result<(usize, usize, usize), Fatal> {
    let each = memory / u64::from(shards);
    if each < SHARD_MEMORY_MIN {
        return Err(Fatal::Host(format!(
            "{} MiB of memory are too little for {shards} shards: {} MiB are needed; see --memory and --shards",
            memory >> 20,
            (SHARD_MEMORY_MIN * u64::from(shards)) >> 20
        )));
    }
    let tail = Limits::NORMAL.tail_bytes_max;
    let step = 32 << 20;
    // Twice a step beyond the tail: chunks that readers still hold, and the one being filled.
    Ok((tail, step, tail + 2 * step + (8 << 20)))
}

fn opened(report: &StartReport) {
    let (addresses, started) = READY.get().expect("set before the shards start");
    println!(
        "  recovery    {} partitions, {} journal groups, {:.1} MiB read, last stop {}",
        report.partitions,
        report.groups,
        report.bytes_read as f64 / f64::from(1 << 20),
        if report.clean {
            "clean"
        } else {
            "unclean: leader epochs raised"
        },
    );
    let mib = |bytes: u64| bytes >> 20;
    println!(
        "  registered  {} of the {} MiB allocated so far{}",
        mib(report.registered_bytes),
        mib(report.registered_bytes + report.unregistered_bytes),
        if report.unregistered_bytes > 0 {
            "; see memlock"
        } else {
            ""
        },
    );
    println!(
        "ready  {addresses} after {} ms",
        started.elapsed().as_millis()
    );
}

fn random() -> Result<u64, Fatal> {
    let mut bytes = [0; 8];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Fatal::Host(format!("no randomness: /dev/urandom: {error}")))?;
    Ok(u64::from_be_bytes(bytes))
}
