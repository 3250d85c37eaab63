//! The command as a user meets it: it starts, says what is wrong in one line, stops on SIGTERM, and finds its records again.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use corelane_tests::harness::broker::{Broker, Options, binary, target_dir};
use corelane_tests::harness::process::run;
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::runtime::did_not_run;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::Wire;

const WITHIN: Duration = Duration::from_secs(20);

/// Runs `corelane broker FLAGS`, which must fail, and returns what it said on standard error.
fn refused(what: &str, flags: &[&str]) -> String {
    refused_under(what, &[], flags)
}

/// [`refused`] with a program and its arguments in front, which `exec`s the broker.
fn refused_under(what: &str, wrapper: &[&str], flags: &[&str]) -> String {
    let corelane = binary().display().to_string();
    let words = [wrapper, &[&corelane, "broker"], flags].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env("NO_COLOR", "1");
    let ended = run(command, b"", WITHIN);
    assert!(!ended.ok, "{what}: it started");
    assert!(
        !ended.stderr.contains("panicked") && !ended.stderr.contains("killed after"),
        "{what}: {}",
        ended.stderr
    );
    ended.stderr
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let scratch = std::env::temp_dir().join(topic_name("corelane-refused"));
    let directory = scratch.display().to_string();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let said = refused(
        "a taken port",
        &["--listen", &address, "--data-dir", &directory],
    );
    let named = format!("listener PLAINTEXT: address {address} is in use");
    assert!(said.contains(&named), "a taken port: {said}");
    assert_eq!(said.trim().lines().count(), 1, "a taken port: {said}");

    let said = refused(
        "a taken port of a second listener",
        &[
            "--listen",
            "127.0.0.1:0",
            "--listen",
            &format!("SECOND={address}"),
            "--data-dir",
            &directory,
        ],
    );
    let named = format!("listener SECOND: address {address} is in use");
    assert!(said.contains(&named), "of a second listener: {said}");
    assert_eq!(
        said.trim().lines().count(),
        1,
        "of a second listener: {said}"
    );

    let config = scratch.with_extension("toml");
    std::fs::write(&config, "no_such_key = 1\n").expect("the temporary directory is writable");
    let config = config.display().to_string();
    let said = refused(
        "an unknown key",
        &[
            "--config",
            &config,
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &directory,
        ],
    );
    assert!(said.contains("no_such_key"), "an unknown key: {said}");
    assert_eq!(said.trim().lines().count(), 1, "an unknown key: {said}");
    let said = refused("a bad flag", &["--no-such-flag"]);
    assert!(said.contains("--no-such-flag"), "a bad flag: {said}");
    refused("a bad memory size", &["--memory", "plenty"]);
    refused("no shards", &["--shards", "0", "--data-dir", &directory]);
    drop(std::fs::remove_file(config));
    drop(std::fs::remove_dir_all(scratch));
}

#[test]
fn a_directory_in_use_and_another_nodes_directory_are_refused() {
    let mut broker = Broker::start_own(Options::default());
    let directory = broker.data_dir().expect("our own").to_owned();
    let text = directory.display().to_string();
    let said = refused(
        "a directory in use",
        &["--listen", "127.0.0.1:0", "--data-dir", &text],
    );
    assert!(said.contains(&text), "a directory in use: {said}");
    assert!(broker.terminate().success());
    let said = refused(
        "another node's directory",
        &[
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &text,
            "--node-id",
            "7",
        ],
    );
    assert!(said.contains('7'), "another node's directory: {said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
}

/// A later version has been here: its files are named, and nothing is touched.
#[test]
fn a_directory_of_a_newer_format_is_refused() {
    let mut broker = Broker::start_own(Options::default());
    let directory = broker.data_dir().expect("our own").to_owned();
    assert!(broker.terminate().success());
    let flags = ["--listen", "127.0.0.1:0", "--data-dir"];
    let text = directory.display().to_string();
    let flags = [&flags[..], &[&text]].concat();
    // Magic, kind, format, length, then the CRC of these 12 bytes and the payload.
    change(&directory.join("corelane.identity"), |bytes| {
        bytes[7] += 1;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..]);
        bytes[12..16].copy_from_slice(&crc.to_be_bytes());
    });
    let said = refused("a newer identity", &flags);
    assert!(
        said.contains("newer") && said.contains("identity"),
        "{said}"
    );
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    change(&directory.join("corelane.identity"), |bytes| {
        bytes[7] -= 1;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..]);
        bytes[12..16].copy_from_slice(&crc.to_be_bytes());
    });
    change(&directory.join("layout"), |bytes| bytes[7] += 1);
    let said = refused("a newer layout", &flags);
    assert!(said.contains("newer") && said.contains("layout"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    change(&directory.join("layout"), |bytes| bytes[7] -= 1);
    broker.restart();
}

fn change(path: &Path, change: impl FnOnce(&mut [u8])) {
    let mut bytes = std::fs::read(path).expect("a file of the data directory");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("a file of the data directory");
}

/// Denies io_uring_setup with the error given, as a container's profile does, and runs the rest.
const SECCOMP: &str = r#"
import ctypes, os, struct, sys
def op(code, k, yes=0, no=0): return struct.pack("HBBI", code, yes, no, k)
# Load the call's number; 425 is answered with the error, all others pass.
text = op(0x20, 0) + op(0x15, 425, 0, 1) + op(0x06, 0x50000 | int(sys.argv[1])) + op(0x06, 0x7fff0000)
program = ctypes.create_string_buffer(text)
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Filter(len(text) // 8, ctypes.addressof(program))), 0, 0) == 0
os.execv(sys.argv[2], sys.argv[2:])
"#;

#[test]
fn a_host_that_cannot_is_named_with_what_helps() {
    let scratch = target_dir().join("tmp").join(topic_name("host"));
    let directory = scratch.display().to_string();
    let flags = ["--listen", "127.0.0.1:0", "--data-dir", &directory];
    let said = refused_under("an old kernel", &["setarch", "--uname-2.6"], &flags);
    assert!(said.contains("too old") && said.contains("6.1"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    if Command::new("python3").arg("-V").output().is_err() {
        return did_not_run("the start without io_uring", "python3");
    }
    for (errno, part) in [("1", "seccomp"), ("38", "CONFIG_IO_URING")] {
        let wrapper = ["python3", "-c", SECCOMP, errno];
        let said = refused_under("no io_uring", &wrapper, &flags);
        assert!(said.contains(part), "error {errno}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }
    drop(std::fs::remove_dir_all(scratch));
}

/// File systems in memory: tmpfs serves, and says that it keeps nothing; ramfs has neither direct IO nor fallocate.
#[test]
fn a_directory_in_memory_is_named() {
    let mounted = |kind: &str| {
        let script = format!("mount -t {kind} none \"$0\" && exec \"$@\"");
        let words = ["unshare", "--map-root-user", "--mount", "sh", "-c", &script];
        words.map(str::to_owned).to_vec()
    };
    let scratch = target_dir().join("tmp").join(topic_name("memory"));
    std::fs::create_dir_all(&scratch).expect("the target directory is writable");
    let directory = scratch.display().to_string();
    let under = |kind: &str| [mounted(kind), vec![directory.clone()]].concat();
    let mut try_mount = Command::new("unshare");
    try_mount.args(&under("tmpfs")[1..]).arg("true");
    if !run(try_mount, b"", WITHIN).ok {
        return did_not_run("the start in memory", "right to mount a tmpfs of its own");
    }
    let wrapper = under("ramfs");
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let flags = ["--listen", "127.0.0.1:0", "--data-dir", &directory];
    let said = refused_under("ramfs", &wrapper, &flags);
    assert!(said.contains("ramfs") && said.contains("ext4"), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");

    let broker = Broker::start_own(Options {
        wrapper: under("tmpfs"),
        data_dir: Some(scratch.clone()),
        ..Options::default()
    });
    let said = broker.said().join("\n");
    assert!(said.contains("tmpfs lives in memory"), "{said}");
    let topic = topic_name("in-memory");
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&topic, 1, &[]);
    let answer = wire.produce(&topic, 0, Batch::of(&[b"x"]).bytes());
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    drop(broker);
    drop(std::fs::remove_dir_all(scratch));
}

#[test]
fn records_outlive_sigterm_kill_and_every_shard_count() {
    let mut broker = Broker::start_own(Options::shards(2));
    let topic = topic_name("kept");
    Wire::connect(broker.address()).create_topic(&topic, 8, &[]);
    for round in 0..6_i64 {
        let mut wire = Wire::connect(broker.address());
        for partition in 0..8 {
            let answer = wire.produce(&topic, partition, Batch::of(&[b"kept"]).bytes());
            let answer = &answer.responses[0].partition_responses[0];
            assert_eq!((answer.error_code, answer.base_offset), (0, round));
        }
        if round % 2 == 0 {
            let start = Instant::now();
            assert!(broker.terminate().success());
            let took = start.elapsed();
            assert!(took < Duration::from_secs(5), "SIGTERM took {took:?}");
        } else {
            broker.kill_9();
        }
        broker.options_mut().shards = [1, 4, 3, 2, 1, 2][round as usize];
        broker.restart();
    }
}

/// A topic that is acknowledged can be used at once, through any connection and so through any shard.
#[test]
fn a_topic_just_created_takes_records_everywhere() {
    let broker = Broker::start_own(Options::shards(4));
    let mut first = Wire::connect(broker.address());
    let mut others: Vec<Wire> = (0..8).map(|_| Wire::connect(broker.address())).collect();
    for _ in 0..50 {
        let topic = topic_name("fresh");
        let request = corelane_tests::harness::wire::create_topics(&topic, 8, &[]);
        assert_eq!(first.call(5, &request).topics[0].error_code, 0);
        for (partition, wire) in (0..).zip(&mut others) {
            let answer = wire.produce(&topic, partition, Batch::of(&[b"x"]).bytes());
            assert_eq!(
                answer.responses[0].partition_responses[0].error_code, 0,
                "{topic}-{partition}"
            );
        }
    }
}

/// 8 MiB of lockable memory, as an ordinary user has: it serves, and says what is off.
#[test]
fn little_lockable_memory_is_named_and_not_fatal() {
    let mut limited = vec!["prlimit", "--memlock=8388608:8388608"];
    if std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0) {
        // Root's capability overrides the limit.
        limited.splice(
            0..0,
            [
                "setpriv",
                "--bounding-set=-ipc_lock",
                "--inh-caps=-ipc_lock",
            ],
        );
    }
    let broker = Broker::start_own(Options {
        shards: 2,
        wrapper: limited.into_iter().map(str::to_owned).collect(),
        ..Options::default()
    });
    let said = broker.said().join("\n");
    assert!(
        said.contains("limit 8 MiB") && said.contains("LimitMEMLOCK=infinity"),
        "the start screen says: {said}"
    );
    // 8 MiB for each of two shards, at the start.
    let registered = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("registered"))
        .unwrap_or_else(|| panic!("the start screen says: {said}"));
    assert!(
        registered.contains("of the 16 MiB") && registered.contains("see memlock"),
        "{registered}"
    );
    let topic = topic_name("limited");
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&topic, 4, &[]);
    for partition in 0..4 {
        let answer = wire.produce(&topic, partition, Batch::of(&[&[b'x'; 500_000]]).bytes());
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
}

#[test]
fn an_idle_broker_sleeps() {
    let broker = Broker::start_own(Options::shards(4));
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&topic_name("idle"), 4, &[]);
    // Waits on a socket that stays silent: no sleep needed.
    wire.reaction(Duration::from_secs(1));
    let before = broker.cpu_time();
    wire.reaction(Duration::from_secs(5));
    let used = broker.cpu_time() - before;
    assert!(used <= Duration::from_millis(50), "5 s idle used {used:?}");
}
