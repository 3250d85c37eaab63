//! The measuring stick's own command, in its smallest form: every kind of workload once beside Apache Kafka or alone, on
//! both brokers' sides, the floor included. What it measures here is worth nothing; that it measures is.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use corelane_tests::harness::broker::{binary, built, target_dir};
use corelane_tests::harness::process::run;

const WITHIN: Duration = Duration::from_secs(240);

/// Runs `versus` over these workloads, below a directory of its own, and returns its samples and what it printed.
fn recorded(dir: PathBuf, port: u16, workloads: &str, more: &[&str]) -> (Vec<Value>, String) {
    let out = dir.join("result.json");
    // What an earlier run left is no result of this one.
    let _ = std::fs::remove_file(&out);
    let mut command = Command::new(built("corelane-bench"));
    command
        .args(["versus", "--pairs", "1", "--warmup", "0s", "--jit", "0s"])
        .args(["--duration", "300ms", "--page-cache", "0"])
        .args(["--backlog", "32MiB", "--recovery-bytes", "32MiB"])
        .args(["--many", "50", "--idle-connections", "20"])
        .args(["--soak-minutes", "0.01", "--soak-rate", "5MB/s"])
        .args(["--port", &port.to_string(), "--workload", workloads])
        .arg("--corelane")
        .arg(binary())
        .arg("--dir")
        .arg(&dir)
        .arg("--out")
        .arg(&out)
        .args(more);
    let said = run(command, b"", WITHIN)
        .expect_ok("corelane-bench versus")
        .text();
    let text = std::fs::read_to_string(&out).expect("versus writes its result");
    let page = std::fs::read_to_string(out.with_extension("html")).expect("and a page beside it");
    assert!(page.contains("</svg>"), "{page}");
    let recording: Value = serde_json::from_str(&text).expect("a result is JSON");
    let samples = recording["samples"].as_array().expect("samples").clone();
    (samples, said)
}

/// The metrics of the case that begins so. A run that was late is measured all the same.
fn metric(samples: &[Value], case: &str, who: &str, name: &str) -> f64 {
    let sample = samples
        .iter()
        .rfind(|sample| {
            let named = sample["case"]
                .as_str()
                .is_some_and(|it| it.starts_with(case));
            named && sample["who"] == who
        })
        .unwrap_or_else(|| panic!("no run of {case} by {who}"));
    sample["metrics"][name]
        .as_f64()
        .unwrap_or_else(|| panic!("{case} by {who} has no {name}: {}", sample["metrics"]))
}

#[test]
fn every_kind_of_workload_runs_on_our_broker() {
    let dir = target_dir().join("tmp/versus-ours");
    let workloads = "W1 A process,W3 64x1 A,W4 lz4,W5 1p,W2 50MB/s A process,W6 4,W7,W8,W9 B process,W12,W13,W14 1MiB";
    let (samples, said) = recorded(dir, 21_392, workloads, &["--only-ours"]);
    let ours = |case: &str, name: &str| metric(&samples, case, "corelane", name);
    for case in ["W1", "W3", "W4", "W5", "W2", "W6", "W7", "W8", "W13", "W14"] {
        assert!(ours(case, "acked") > 0.0, "{case}: {said}");
        assert_eq!(ours(case, "errors"), 0.0, "{case}: {said}");
    }
    assert!(ours("W6", "read_mb_per_s") > ours("W6", "mb_per_s"));
    assert!(ours("W7", "catchup_mb_per_s") > 0.0);
    assert!(ours("W7", "backlog_bytes") >= 32.0 * 1_048_576.0);
    assert_eq!(ours("W9", "lost"), 0.0);
    assert!(ours("W9", "acked_batches") >= 32.0);
    assert!(ours("W9", "first_ack_s") > 0.0 && ours("W9", "first_fetch_s") > 0.0);
    assert!(ours("W12", "ready_s") > 0.0 && ours("W12", "crowd_rss_bytes") > 1e6);
    assert_eq!(ours("W13", "asked_mb_per_s"), 5.0);
    assert!(metric(&samples, "W1", "floor", "mb_per_s") > 0.0);
    for words in ["0 of", "resident", "backlog at"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_peer_is_made_cold_and_killed_as_we_are() {
    // Kafka's jars are there after the first time.
    let dir = target_dir().join("versus-peer");
    let (samples, said) = recorded(dir, 21_402, "W7,W9 B process,W12", &["--only-peer"]);
    let peer = |case: &str, name: &str| metric(&samples, case, "peer", name);
    assert!(peer("W7", "catchup_mb_per_s") > 0.0, "{said}");
    assert_eq!(peer("W9", "lost"), 0.0, "{said}");
    assert!(peer("W9", "first_ack_s") > 0.0, "{said}");
    assert!(peer("W12", "rss_bytes") > 1e8, "{said}");
}
