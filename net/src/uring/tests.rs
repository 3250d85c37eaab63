//! The kernel half under test machines, over real sockets, files and rings.

mod machines;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use corelane_engine::fatal::Fatal;
use corelane_engine::types::ShardId;

use self::machines::{Asked, Breaker, Closer, Echo, Odd, Recaller};
use super::counters::Counters;
use super::drive::{Drive, DriveConfig, ListenOn, StopHandle};
use super::observer::{Observer, Phase};
use crate::event::Machine;
use crate::metrics::{Question, Sample};

/// One broker at a time: some tests count this process's descriptors.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|e| e.into_inner())
}

struct Running {
    address: SocketAddr,
    stop: StopHandle,
    thread: thread::JoinHandle<Vec<Counters>>,
    directory: PathBuf,
}

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("corelane-drive-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// So many listeners on ports that the kernel chooses.
fn anywhere(listeners: usize) -> Vec<ListenOn> {
    let address = "127.0.0.1:0".parse().unwrap();
    vec![ListenOn::only(address); listeners]
}

fn config(name: &str, shards: u16) -> DriveConfig {
    let mut config = DriveConfig::new(anywhere(1), directory(name));
    config.shards = Some(shards);
    config.signals = false;
    config.pin = false;
    config
}

fn start<M: Machine + 'static>(
    name: &str,
    shards: u16,
    make: impl Fn(ShardId) -> M + Send + Sync + 'static,
) -> Running {
    let mut config = config(name, shards);
    let stop = StopHandle::new().unwrap();
    config.stop = Some(stop.clone());
    let directory = config.data_dir.clone();
    let (told, address) = mpsc::channel();
    let thread = thread::spawn(move || {
        let drive = Drive::prepare(config).unwrap();
        told.send(drive.addresses()[0]).unwrap();
        drive.run(make).unwrap()
    });
    Running {
        address: address.recv().unwrap(),
        stop,
        thread,
        directory,
    }
}

impl Running {
    /// The port opens when the machine says so.
    fn connect(&self) -> TcpStream {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => {
                    stream.set_nodelay(true).unwrap();
                    let patience = Some(Duration::from_secs(20));
                    stream.set_read_timeout(patience).unwrap();
                    return stream;
                }
                Err(e) => assert!(Instant::now() < end, "cannot connect: {e}"),
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn finish(self) -> Vec<Counters> {
        self.stop.stop();
        let counters = self.thread.join().unwrap();
        let _ = std::fs::remove_dir_all(&self.directory);
        counters
    }
}

fn pattern(seed: usize, len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| (seed * 31 + i * 7 + i / 251) as u8)
        .collect()
}

fn round_trip(stream: &mut TcpStream, sent: &[u8]) {
    let mut writer = stream.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || writer.write_all(sent).unwrap());
        let mut back = vec![0; sent.len()];
        stream.read_exact(&mut back).unwrap();
        assert!(back == sent, "echo of {} bytes differs", sent.len());
    });
}

fn echo_on(shards: u16) {
    let _alone = alone();
    let running = start(&format!("echo{shards}"), shards, move |me| {
        Echo::new(me, shards)
    });
    thread::scope(|scope| {
        for client in 0..8 {
            let running = &running;
            scope.spawn(move || {
                let mut stream = running.connect();
                for (turn, len) in [1, 100, 16_384, 70_000, 300_001].into_iter().enumerate() {
                    round_trip(&mut stream, &pattern(client * 10 + turn, len));
                }
            });
        }
    });
    let counters = running.finish();
    assert_eq!(counters.len(), usize::from(shards));
    let sum = |f: fn(&Counters) -> u64| counters.iter().map(f).sum::<u64>();
    assert_eq!(sum(|c| c.sockets.opened), 8);
    assert_eq!(sum(|c| c.sockets.closed), 8);
    let bytes = 8 * (1 + 100 + 16_384 + 70_000 + 300_001);
    assert_eq!(sum(|c| c.sockets.bytes_received), bytes);
    assert_eq!(sum(|c| c.sockets.bytes_sent), bytes);
    assert_eq!(sum(|c| c.disk.bytes_written), bytes);
    assert!(sum(|c| c.disk.flushes) >= 40);
    for c in &counters {
        assert_eq!(
            c.sockets.opened,
            u64::from(8 / shards),
            "spread evenly: {c}"
        );
        assert_eq!(c.mesh.sent > 0, shards > 1);
        assert!(c.ring.enters <= c.passes + c.ring.early_enters + 200, "{c}");
    }
}

#[test]
fn echo_on_one_shard() {
    echo_on(1);
}

#[test]
fn echo_on_two_shards() {
    echo_on(2);
}

#[test]
fn echo_on_four_shards() {
    echo_on(4);
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_thousand_connections_leave_no_descriptor() {
    let _alone = alone();
    let running = start("thousand", 2, |me| Echo::new(me, 2));
    round_trip(&mut running.connect(), b"warm");
    let before = descriptors();
    let mut streams: Vec<TcpStream> = (0..1000).map(|_| running.connect()).collect();
    // More bytes at once than the pool has buffers; nobody reads before all have written.
    let sent = pattern(5, 16_384);
    for stream in &mut streams {
        stream.write_all(&sent).unwrap();
    }
    for (n, stream) in streams.iter_mut().enumerate() {
        let mut back = vec![0; sent.len()];
        stream
            .read_exact(&mut back)
            .unwrap_or_else(|e| panic!("connection {n}: {e}"));
        assert!(back == sent);
    }
    for (n, stream) in streams.iter().enumerate() {
        if n % 3 == 0 {
            stream.shutdown(Shutdown::Write).unwrap();
        }
    }
    drop(streams);
    let end = Instant::now() + Duration::from_secs(10);
    while descriptors() > before && Instant::now() < end {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(
        descriptors() <= before,
        "{} descriptors, {before} before",
        descriptors()
    );
    let counters = running.finish();
    for c in &counters {
        assert_eq!(c.sockets.opened, c.sockets.closed, "{c}");
        assert!(c.sockets.opened >= 500, "{c}");
    }
}

#[test]
fn a_stop_leaves_no_descriptor() {
    let _alone = alone();
    let before = descriptors();
    let running = start("leak", 2, |me| Echo::new(me, 2));
    let mut streams: Vec<_> = (0..20).map(|_| running.connect()).collect();
    streams.iter_mut().for_each(|s| round_trip(s, b"x"));
    running.finish();
    drop(streams);
    assert_eq!(descriptors(), before);
}

#[test]
fn closing_with_operations_under_way() {
    let _alone = alone();
    let running = start("closer", 1, |_| Closer::default());
    let streams: Vec<TcpStream> = (0..10).map(|_| running.connect()).collect();
    thread::sleep(Duration::from_millis(200));
    for mut stream in streams {
        let mut got = 0;
        let mut buffer = vec![0; 1 << 20];
        // The end comes as an end or as a reset, but it comes.
        while let Ok(n @ 1..) = stream.read(&mut buffer) {
            got += n;
        }
        assert!(got < 24 << 20, "the send was cut");
    }
    // One more, stopped while under way.
    let late = running.connect();
    thread::sleep(Duration::from_millis(10));
    let counters = running.finish();
    drop(late);
    assert_eq!(counters[0].sockets.opened, counters[0].sockets.closed);
    assert!(counters[0].sockets.opened >= 10);
}

#[test]
fn what_is_recalled_and_sent_again_is_what_was_to_be_sent() {
    let _alone = alone();
    let all = pattern(3, 40 << 20);
    let memory = bytes::Bytes::from(all.clone());
    // Many small parts, more than one entry takes, then a large one.
    let small = (0..3_000).map(|i| memory.slice(i * 1_000..(i + 1) * 1_000));
    let parts: Vec<_> = small.chain([memory.slice(3_000_000..)]).collect();
    let (told, recalls) = mpsc::channel();
    let running = start("recaller", 1, move |_| Recaller {
        parts: parts.clone(),
        told: told.clone(),
        accepting: false,
        sending: None,
        recall_at: None,
        stopping: false,
    });
    let mut stream = running.connect();
    // Nothing is read: the socket fills, and from then on a recall brings back the same.
    let mut before = usize::MAX;
    loop {
        let left = recalls.recv().unwrap();
        assert!(0 < left && left <= before, "{left} after {before}");
        if left == before {
            break;
        }
        before = left;
    }
    let mut back = vec![0; all.len()];
    stream.read_exact(&mut back).unwrap();
    assert!(back == all);
    assert!(
        recalls
            .iter()
            .take_while(|&left| left > 0)
            .all(|left| left <= before)
    );
    let counters = running.finish();
    assert!(counters[0].sockets.recalled > 2);
}

#[test]
#[expect(unsafe_code, reason = "SO_LINGER")]
fn a_reset_is_told_once() {
    use std::os::fd::AsRawFd;
    let _alone = alone();
    let running = start("breaker", 1, |_| Breaker::default());
    let mut streams: Vec<TcpStream> = (0..5).map(|_| running.connect()).collect();
    for stream in &mut streams {
        // Its send is under way.
        stream.read_exact(&mut [0; 1]).unwrap();
        let linger = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        // SAFETY: reads one `linger`.
        let answer = unsafe {
            libc::setsockopt(
                stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_LINGER,
                (&raw const linger).cast(),
                size_of_val(&linger) as u32,
            )
        };
        assert_eq!(answer, 0);
    }
    drop(streams);
    thread::sleep(Duration::from_millis(300));
    let counters = running.finish();
    let sockets = counters[0].sockets;
    assert_eq!((sockets.opened, sockets.closed), (5, 5), "{}", counters[0]);
}

#[test]
fn an_idle_shard_sleeps() {
    let _alone = alone();
    let running = start("idle", 2, |me| Echo::new(me, 2));
    let mut stream = running.connect();
    round_trip(&mut stream, b"hello");
    thread::sleep(Duration::from_millis(400));
    let counters = running.finish();
    let passes: u64 = counters.iter().map(|c| c.passes).sum();
    assert!(passes < 60, "{counters:?}");
}

#[test]
fn a_taken_port_and_a_used_directory_are_named() {
    let _alone = alone();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let mut first = config("taken", 1);
    let directory = first.data_dir.clone();
    first.listeners = vec![ListenOn::only(taken)];
    let refused = Drive::prepare(first.clone()).err().unwrap();
    assert!(matches!(&refused, Fatal::Host(text) if text.contains(&taken.to_string())));
    first.listeners = anywhere(1);
    let _held = Drive::prepare(first.clone()).unwrap();
    let refused = Drive::prepare(first).err().unwrap();
    assert!(matches!(&refused, Fatal::Directory(text) if text.contains("in use by process")));
    let _ = std::fs::remove_dir_all(directory);
}

/// Does nothing unless started by [`child`], which names the machine and the directory.
#[test]
fn as_a_child() {
    let Ok(order) = std::env::var("CORELANE_TEST_CHILD") else {
        return;
    };
    let (mode, path) = order.split_once(':').unwrap();
    let mut config = DriveConfig::new(anywhere(2), path);
    config.shards = Some(2);
    config.pin = false;
    let drive = Drive::prepare(config).unwrap();
    let addresses = drive.addresses().into_iter().map(|a| a.to_string());
    let addresses: Vec<String> = addresses.collect();
    std::fs::write(format!("{path}/.address"), addresses.join(" ")).unwrap();
    std::fs::rename(format!("{path}/.address"), format!("{path}/address")).unwrap();
    match mode {
        "echo" => drop(drive.run(|me| Echo::new(me, 2)).unwrap()),
        mode => drop(
            drive
                .run(|_| Odd {
                    fatal: mode == "fatal",
                })
                .unwrap(),
        ),
    }
}

/// Starts this test binary as a process of its own. Its threads are born with the signals blocked, as `run` in the main
/// thread of a broker would have it.
#[expect(unsafe_code, reason = "signals of a child")]
fn child(mode: &str, path: &std::path::Path, descriptors: Option<u64>) -> std::process::Child {
    use std::os::unix::process::CommandExt;
    std::fs::create_dir_all(path).unwrap();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "uring::tests::as_a_child", "--nocapture"])
        .env("CORELANE_TEST_CHILD", format!("{mode}:{}", path.display()))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped());
    // SAFETY: between fork and exec only async-signal-safe calls are made.
    unsafe {
        command.pre_exec(move || {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGTERM);
            libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            if let Some(most) = descriptors {
                let limit = libc::rlimit {
                    rlim_cur: most,
                    rlim_max: most,
                };
                libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
            }
            Ok(())
        })
    };
    command.spawn().unwrap()
}

#[expect(unsafe_code, reason = "signals of a child")]
fn terminate(child: &std::process::Child) {
    // SAFETY: a signal to our own child, which has not been waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
}

/// Of its first listener.
fn address_of(path: &std::path::Path) -> SocketAddr {
    addresses_of(path)[0]
}

fn addresses_of(path: &std::path::Path) -> Vec<SocketAddr> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(text) = std::fs::read_to_string(path.join("address")) {
            return text.split(' ').map(|one| one.parse().unwrap()).collect();
        }
        assert!(Instant::now() < end, "the child gives no address");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn sigterm_stops_a_process() {
    let path = directory("sigterm");
    let mut process = child("echo", &path, None);
    let address = address_of(&path);
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    round_trip(&mut stream, b"before the end");
    terminate(&process);
    assert!(process.wait().unwrap().success());
    assert_eq!(stream.read(&mut [0; 9]).unwrap_or(0), 0);
    let _ = std::fs::remove_dir_all(path);
}

#[test]
fn without_descriptors_the_rest_is_served() {
    let path = directory("emfile");
    let mut process = child("echo", &path, Some(60));
    let addresses = addresses_of(&path);
    thread::sleep(Duration::from_millis(300));
    // The kernel completes these handshakes; the process can take only some of them.
    let mut streams: Vec<TcpStream> = (0..100)
        .map(|n| TcpStream::connect(addresses[n % 2]).unwrap())
        .collect();
    // Who is never accepted must fail the test, not hold it up.
    for first in &streams[..2] {
        first
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
    }
    round_trip(&mut streams[0], b"served");
    let mut last = streams.pop().unwrap();
    last.write_all(b"waits").unwrap();
    let patience = Some(Duration::from_millis(200));
    last.set_read_timeout(patience).unwrap();
    assert!(
        last.read(&mut [0; 9]).is_err(),
        "nothing can serve this one yet"
    );
    round_trip(&mut streams[1], b"served still");
    drop(streams);
    last.set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut back = [0; 5];
    last.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"waits");
    terminate(&process);
    assert!(process.wait().unwrap().success());
    let _ = std::fs::remove_dir_all(path);
}

#[test]
fn a_second_signal_ends_at_once() {
    let path = directory("twice");
    let mut process = child("deaf", &path, None);
    address_of(&path);
    thread::sleep(Duration::from_millis(100));
    terminate(&process);
    thread::sleep(Duration::from_millis(100));
    assert!(
        process.try_wait().unwrap().is_none(),
        "the machine ignores the first"
    );
    terminate(&process);
    assert_eq!(process.wait().unwrap().code(), Some(128 + libc::SIGTERM));
    let _ = std::fs::remove_dir_all(path);
}

#[test]
fn a_fatal_reason_is_told_and_is_the_exit_code() {
    let path = directory("fatal");
    let process = child("fatal", &path, None);
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(12));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("damaged: on purpose"), "{text}");
    let _ = std::fs::remove_dir_all(path);
}

/// However many ask at the same time, a pass answers one question; a sleeping shard wakes for it, and nothing is lost.
#[test]
fn a_pass_answers_one_question() {
    let _alone = alone();
    let before = descriptors();
    let observer = Observer::new();
    assert_eq!(observer.phase(), Phase::Starting);
    let mut config = config("asked", 2);
    config.observer = Some(observer.clone());
    let stop = StopHandle::new().unwrap();
    config.stop = Some(stop.clone());
    let data_dir = config.data_dir.clone();
    let thread = thread::spawn(move || {
        let drive = Drive::prepare(config).unwrap();
        drive.run(Asked::new).unwrap()
    });
    let end = Instant::now() + Duration::from_secs(10);
    while observer.phase() != Phase::Open && Instant::now() < end {
        thread::yield_now();
    }
    assert_eq!(observer.phase(), Phase::Open);
    const ASKERS: usize = 8;
    const ASKS: usize = 200;
    thread::scope(|scope| {
        for asker in 0..ASKERS {
            let observer = &observer;
            scope.spawn(move || {
                for ask in 0..ASKS {
                    let shard = ShardId(((asker + ask) % 2) as u16);
                    let question = Question::Appended(ask);
                    let answer = wait(observer.ask(shard, question)).expect("answered");
                    let Sample::Appended(piece) = answer.sample else {
                        panic!("{answer:?}");
                    };
                    assert_eq!(piece.next, Some(ask), "the answer to this question");
                    assert!(answer.kernel.is_none());
                }
            });
        }
    });
    let numbers = wait(observer.ask(ShardId(1), Question::Numbers)).expect("answered");
    let kernel = numbers.kernel.expect("with numbers");
    assert!(kernel.running >= kernel.slept && kernel.counters.passes > 0);
    assert!(wait(observer.ask(ShardId(2), Question::Alive)).is_none());
    stop.stop();
    let counters = thread.join().unwrap();
    assert_eq!(observer.phase(), Phase::Stopping);
    assert!(
        wait(observer.ask(ShardId(0), Question::Alive)).is_none(),
        "it has ended"
    );
    let answers: u64 = counters.iter().map(|c| c.answers).sum();
    assert_eq!(answers as usize, ASKERS * ASKS + 1);
    drop((observer, stop));
    assert_eq!(descriptors(), before);
    let _ = std::fs::remove_dir_all(data_dir);
}

/// Blocks this thread until the future is ready.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        let mut context = std::task::Context::from_waker(&waker);
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        thread::park();
    }
}
