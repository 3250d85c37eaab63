//! What a request costs is what was recorded, however fast the machine is and whatever else runs on it.
//!
//! After a change that costs more for a good reason, or less, the record is made anew and committed with it:
//! `COST_RECORD=perf/cost.json cargo test -p corelane-tests --test cost`.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use corelane_tests::cost::figures::Figures;
use corelane_tests::cost::{callgrind, syscalls};
use corelane_tests::harness::recording;
use corelane_tests::harness::runtime::did_not_run;
use serde_json::Value;

const RECORD: &str = "COST_RECORD";

#[test]
fn a_request_costs_what_was_recorded() {
    let mut now = Figures::default();
    match callgrind::version() {
        Some(_) => now.pure = callgrind::count_all(),
        None => did_not_run("instructions of a request", "valgrind"),
    }
    match syscalls::can_trace() {
        true => now.syscalls = syscalls::count_all(),
        false => did_not_run("syscalls of a request", "strace that may trace"),
    }
    let counts_with = counts_with();
    let mut measured = now.to_json();
    measured["what"] =
        "instructions and allocations of a request in the pure half, syscalls of the broker".into();
    measured["counted with"] = counts_with.clone().into();
    if env::var_os(RECORD).is_some() {
        let whole = !now.pure.is_empty() && !now.syscalls.is_empty();
        assert!(whole, "a record needs valgrind and strace");
        return recording::keep(RECORD, "cost.json", measured);
    }
    recording::keep(RECORD, "cost.json", measured);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../perf/cost.json");
    let record = fs::read_to_string(path).expect("perf/cost.json is a file of this project");
    let record: Value = serde_json::from_str(&record).expect("perf/cost.json is JSON");
    let report = now.beside(&Figures::of_json(&record));
    let text = format!(
        "{}\nrecorded with {}\ncounted with  {counts_with}",
        report.text,
        record["counted with"]
            .as_str()
            .unwrap_or("nobody knows what"),
    );
    if record["counted with"] != counts_with.as_str() {
        // Another compiler, libc or CPU has other counts without anybody's fault: they are shown, and nothing is claimed.
        return say(&format!(
            "A REQUEST'S COST WAS NOT COMPARED: the record was made with something else\n\n{text}"
        ));
    }
    assert!(
        !report.worse,
        "a request costs more than was recorded\n\n{text}\nif it is worth it: \
         {RECORD}=perf/cost.json cargo test -p corelane-tests --test cost"
    );
    if report.better {
        say(&format!(
            "a request costs less than was recorded: record it anew, with \
             {RECORD}=perf/cost.json cargo test -p corelane-tests --test cost\n\n{text}"
        ));
    } else {
        eprintln!("{text}");
    }
}

/// Not `eprintln!`: the test runner swallows what a passing test prints by macro.
fn say(text: &str) {
    drop(
        std::io::stderr()
            .lock()
            .write_all(format!("\n{text}\n").as_bytes()),
    );
}

/// What the counts depend on beside our code: with another of these they may differ without a reason of ours.
fn counts_with() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let versions = [
        callgrind::version().unwrap_or_default(),
        first_line(Command::new("ldd").arg("--version")),
        first_line(Command::new(rustc).arg("--version")),
        cpu(),
    ];
    versions.join(", ")
}

/// libc chooses its copies by what the CPU can do.
fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut fields = info.lines().filter_map(|line| line.split_once(": "));
    let model = fields.find(|(name, _)| name.trim() == "model name");
    model.map(|(_, model)| model.to_owned()).unwrap_or_default()
}

fn first_line(command: &mut Command) -> String {
    let said = command.output().map(|output| output.stdout);
    let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
    said.lines().next().unwrap_or_default().to_owned()
}
