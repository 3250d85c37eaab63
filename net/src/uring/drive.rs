//! Starts the shards, waits for signals, and ends with them.
//!
//! ```text
//!  prepare: lock directory ─► look at host ─► bind
//!  run:     threads: pin, ring ─► every ring enabled: doors ─► machine, loop … stopped ─► wind down ─► all ended ─► Ok
//!           caller:  SIGTERM, SIGINT or StopHandle ─► Event::Stop to every shard;  second signal ─► exit at once
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use corelane_engine::fatal::Fatal;
use corelane_engine::types::ShardId;
use corelane_engine::uring::host::{self, HostReport};
use corelane_engine::uring::lock::DirectoryLock;
use corelane_engine::uring::mesh::{Door, Mesh, mesh};
use corelane_engine::uring::wake::ring_eventfd;

use super::counters::Counters;
pub use super::listener::ListenOn;
use super::listener::Listener;
use super::observer::{Observer, Phase};
use super::shard::{Parcel, Registered, Shard};
pub use super::signals::{StopHandle, block_signals};
use super::signals::{Watch, Woken};
use crate::event::{Machine, StartReport};
use crate::listeners::LISTENERS_MAX;

/// Most shards of one process.
pub const SHARDS_MAX: u16 = 256;

/// Descriptors that are never a connection's: of the process, and of each shard (ring, eventfd, journal, checkpoints,
/// segments being written and read).
const FILES_OF_PROCESS: u64 = 32;
const FILES_OF_SHARD: u64 = 512;

/// How the shards run. [`DriveConfig::new`] gives what a broker wants.
#[derive(Clone, Debug)]
pub struct DriveConfig {
    /// One at least; see [`Drive::addresses`] for those of port 0.
    pub listeners: Vec<ListenOn>,
    /// Made where it is missing.
    pub data_dir: PathBuf,
    /// `None`: [`HostReport::shards_default`]. More than CPUs is allowed, then nothing is pinned.
    pub shards: Option<u16>,
    /// Ties each shard to a CPU of its own.
    pub pin: bool,
    /// SIGTERM and SIGINT stop the shards. They are blocked in the calling thread, which must not have started others
    /// that take them.
    pub signals: bool,
    /// Stops the shards as SIGTERM does.
    pub stop: Option<StopHandle>,
    /// Lets a thread beside the shards look at them. One that takes no signals: [`block_signals`].
    pub observer: Option<Observer>,
    /// Called on shard 0's thread when the node is open for clients.
    pub on_opened: fn(&StartReport),
    /// Called on the shard's thread when the process cannot go on.
    pub on_fatal: fn(&Fatal) -> !,
}

impl DriveConfig {
    pub fn new(listeners: Vec<ListenOn>, data_dir: impl Into<PathBuf>) -> DriveConfig {
        DriveConfig {
            listeners,
            data_dir: data_dir.into(),
            shards: None,
            pin: true,
            signals: true,
            stop: None,
            observer: None,
            on_opened: |_| {},
            on_fatal: die,
        }
    }
}

/// Says the reason on standard error and ends the process with its exit code.
pub fn die(fatal: &Fatal) -> ! {
    eprintln!("corelane: {fatal}");
    std::process::exit(i32::from(fatal.exit_code()));
}

/// [`Drive::prepare`] and [`Drive::run`] in one; the counters go to the debug log.
///
/// # Errors
///
/// As [`Drive::prepare`] and [`Drive::run`].
pub fn run<M: Machine>(
    config: DriveConfig,
    make: impl Fn(ShardId) -> M + Send + Sync,
) -> Result<(), Fatal> {
    for (shard, counters) in Drive::prepare(config)?.run(make)?.iter().enumerate() {
        tracing::debug!(shard, "{counters}");
    }
    Ok(())
}

/// A directory locked, addresses bound and a host looked at, but no thread yet.
pub struct Drive {
    config: DriveConfig,
    host: HostReport,
    listeners: Arc<[Listener]>,
    shards: u16,
    connections_max: u32,
    _lock: DirectoryLock,
}

impl Drive {
    /// # Errors
    ///
    /// [`Fatal::Directory`]: in use by another process, or not writable. [`Fatal::Host`]: no io_uring, kernel too old,
    /// address taken.
    pub fn prepare(config: DriveConfig) -> Result<Drive, Fatal> {
        let lock = DirectoryLock::take(&config.data_dir)?;
        let host = HostReport::read(&config.data_dir)?;
        assert!(!config.listeners.is_empty() && config.listeners.len() <= LISTENERS_MAX);
        let listeners: Result<Arc<[Listener]>, Fatal> =
            config.listeners.iter().map(Listener::bind).collect();
        let shards = config.shards.unwrap_or_else(|| host.shards_default());
        if shards == 0 || shards > SHARDS_MAX {
            return Err(Fatal::Host(format!(
                "{shards} shards: between 1 and {SHARDS_MAX} are possible"
            )));
        }
        // Each further listener may have one accept under way beyond the last connection.
        let further = config.listeners.len() as u32 - 1;
        let connections_max = connections_max(files_max(), shards).saturating_sub(further);
        Ok(Drive {
            config,
            host,
            listeners: listeners?,
            shards,
            connections_max,
            _lock: lock,
        })
    }

    /// The addresses bound, in the order of the listeners. Connections are refused until a machine says
    /// [`crate::event::SocketOp::Accept`].
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(Listener::address).collect()
    }

    pub fn host(&self) -> &HostReport {
        &self.host
    }

    pub fn shards(&self) -> u16 {
        self.shards
    }

    /// Starts a thread per shard, makes a machine on each, and returns when all have stopped, with their counters.
    ///
    /// # Errors
    ///
    /// [`Fatal::Host`] when a shard's ring or thread cannot be made. What a running shard ends with goes to
    /// [`DriveConfig::on_fatal`].
    pub fn run<M: Machine>(
        self,
        make: impl Fn(ShardId) -> M + Send + Sync,
    ) -> Result<Vec<Counters>, Fatal> {
        let count = usize::from(self.shards);
        let mut watch = Watch::new(self.config.signals, self.config.stop.clone())
            .map_err(|e| Fatal::Host(format!("no descriptors for signals: {e}")))?;
        let stop = Arc::new(AtomicBool::new(false));
        let all_ended = Arc::new(Barrier::new(count));
        let registered = Arc::new(Registered::default());
        let (report, reports) = mpsc::channel();
        thread::scope(|scope| {
            let mut threads = Vec::new();
            let mut starts = Vec::new();
            for (number, end) in mesh(count).into_iter().enumerate() {
                let (start, started) = mpsc::channel::<Vec<Door>>();
                starts.push(start);
                let me = ShardId(number as u16);
                let (make, drive, report) = (&make, &self, report.clone());
                let (stop, all_ended, ended) =
                    (Arc::clone(&stop), Arc::clone(&all_ended), watch.ended());
                let registered = Arc::clone(&registered);
                let body = move || {
                    let _guard = AbortOnPanic;
                    let mut shard = match drive.shard(me, end, stop, registered) {
                        Ok(shard) => shard,
                        Err(fatal) => {
                            let _ = report.send((number, Err(fatal)));
                            return Counters::default();
                        }
                    };
                    let _ = report.send((number, Ok(shard.door())));
                    // Closed without a word: another shard could not start.
                    let Ok(doors) = started.recv() else {
                        return Counters::default();
                    };
                    let mut machine = make(me);
                    let ended_well = shard.run(&mut machine, doors, drive.config.on_opened);
                    let counters = match ended_well.and_then(|()| shard.wind_down()) {
                        Ok(counters) => counters,
                        Err(fatal) => (drive.config.on_fatal)(&fatal),
                    };
                    // Others may still ring this shard: its ring lives until all have ended.
                    if all_ended.wait().is_leader() {
                        use std::os::fd::AsRawFd;
                        ring_eventfd(ended.as_raw_fd());
                    }
                    counters
                };
                let thread = thread::Builder::new()
                    .name(format!("shard-{number}"))
                    .spawn_scoped(scope, body)
                    .map_err(|e| Fatal::Host(format!("no thread for shard {number}: {e}")))?;
                threads.push(thread);
            }
            let mut doors = vec![None; count];
            for _ in 0..count {
                let (number, door) = reports.recv().expect("every shard reports");
                doors[number] = Some(door?);
            }
            let doors: Vec<Door> = doors.into_iter().flatten().collect();
            for start in &starts {
                start.send(doors.clone()).expect("the shard waits");
            }
            let mut stopping = false;
            loop {
                match watch.wait() {
                    Woken::ShardsEnded => break,
                    Woken::Signal(signal) if stopping => std::process::exit(128 + signal),
                    Woken::Signal(_) | Woken::StopAsked => {
                        stopping = true;
                        if let Some(observer) = &self.config.observer {
                            observer.reached(Phase::Stopping);
                        }
                        stop.store(true, Ordering::Release);
                        for door in &doors {
                            ring_eventfd(door.eventfd);
                        }
                    }
                }
            }
            let join = |t: thread::ScopedJoinHandle<'_, Counters>| t.join().expect("no panic");
            Ok(threads.into_iter().map(join).collect())
        })
    }

    /// Runs on the shard's own thread.
    fn shard(
        &self,
        me: ShardId,
        end: Mesh<Parcel>,
        stop: Arc<AtomicBool>,
        registered: Arc<Registered>,
    ) -> Result<Shard, Fatal> {
        let cpus = &self.host.cpus;
        if self.config.pin && usize::from(self.shards) <= cpus.len() {
            let cpu = cpus[usize::from(me.0)];
            if !host::pin(cpu) {
                tracing::warn!(cpu, shard = me.0, "the kernel refused to pin a shard");
            }
        }
        let listeners = Arc::clone(&self.listeners);
        let (data_dir, connections_max) = (&self.config.data_dir, self.connections_max);
        let mut shard = Shard::new(
            me,
            data_dir,
            end,
            listeners,
            connections_max,
            stop,
            registered,
        )?;
        if let Some(observer) = &self.config.observer {
            shard.watch(observer)?;
        }
        Ok(shard)
    }
}

/// How many connections leave the files the descriptors they need: an open that fails in the middle of a write-back
/// costs more than a client that is turned away. Where there are few at all, half are connections'.
fn connections_max(files_max: u64, shards: u16) -> u32 {
    let reserve = FILES_OF_PROCESS + FILES_OF_SHARD * u64::from(shards);
    let most = files_max.saturating_sub(reserve).max(files_max / 2);
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// How many files this process may open: the hard limit, to which the soft one is raised.
#[expect(unsafe_code, reason = "getrlimit, setrlimit")]
fn files_max() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills `limit`.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return u64::MAX;
    }
    let raised = libc::rlimit {
        rlim_cur: limit.rlim_max,
        ..limit
    };
    // SAFETY: reads `raised`.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raised) } {
        0 => raised.rlim_cur,
        _ => limit.rlim_cur,
    }
}

/// A shard that panics takes the process with it: the others would wait for it for ever.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_files() {
        assert_eq!(connections_max(4096, 2), 4096 - 32 - 2 * 512);
        assert_eq!(connections_max(1 << 20, 64), (1 << 20) - 32 - 64 * 512);
        assert_eq!(connections_max(256, 8), 128, "some, at any rate");
        assert!(files_max() >= 256);
    }
}
