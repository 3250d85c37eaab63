//! Runtimes of foreign clients: kcat, Python with its packages, Java with Kafka's jars. What a client needs beyond its
//! runtime comes from files in `tests/clients` and is kept under the target directory. A runtime that is missing makes
//! a suite say loudly that it did not run; with `CI` set that is a failure.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use super::broker::target_dir;
use super::process::run;

/// Downloads of jars or packages on a slow line.
const INSTALL_WITHIN: Duration = Duration::from_secs(600);

/// The files of `tests/clients`.
pub fn clients_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// `kcat`, if there.
pub fn kcat() -> Option<Command> {
    works("kcat", &["-V"]).then(|| Command::new("kcat"))
}

/// The Python of a virtual environment that holds what `tests/clients/python/requirements.txt` names.
pub fn python() -> Option<Command> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let path = PYTHON.get_or_init(|| {
        works("python3", &["-c", "import venv, ensurepip"]).then(|| {
            let wanted = clients_dir().join("python/requirements.txt");
            cached("python", &wanted, |venv| {
                let mut make = Command::new("python3");
                make.args(["-m", "venv"]).arg(venv);
                run(make, b"", INSTALL_WITHIN).expect_ok("python3 -m venv");
                let mut install = Command::new(venv.join("bin/python"));
                install
                    .args(["-m", "pip", "install", "--quiet", "--requirement"])
                    .arg(&wanted);
                run(install, b"", INSTALL_WITHIN).expect_ok("pip install");
            })
            .join("bin/python")
        })
    });
    path.as_ref().map(Command::new)
}

/// `java` with the class path of `tests/clients/java/pom.xml`, small and quick to start.
pub fn java() -> Option<Command> {
    static JARS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let jars = JARS.get_or_init(|| {
        (works("java", &["-version"]) && works("mvn", &["-version"])).then(|| {
            let wanted = clients_dir().join("java/pom.xml");
            cached("java", &wanted, |jars| {
                let mut copy = Command::new("mvn");
                copy.args(["-q", "-B", "-f"])
                    .arg(&wanted)
                    .arg("dependency:copy-dependencies")
                    .arg(joined("-DoutputDirectory=", jars));
                run(copy, b"", INSTALL_WITHIN).expect_ok("mvn dependency:copy-dependencies");
            })
        })
    });
    jars.as_ref().map(|jars| {
        let mut java = Command::new("java");
        java.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .arg(joined(
                "-Dlog4j2.configurationFile=",
                &clients_dir().join("java/log4j2.properties"),
            ))
            .arg("-cp")
            .arg(jars.join("*"));
        java
    })
}

/// Says that a suite did not run; panics when `CI` is set.
pub fn did_not_run(suite: &str, missing: &str) {
    let line = format!("{suite} DID NOT RUN: this machine has no {missing}");
    assert!(std::env::var_os("CI").is_none(), "{line}");
    // Not `eprintln!`: the test runner swallows what a passing test prints by macro.
    let bar = "!".repeat(line.len());
    let text = format!("\n{bar}\n{line}\n{bar}\n");
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A directory under the target directory that `fill` filled for exactly this content of the file `wanted`. The stamp
/// is written last, so a fill that was cut short is done again.
fn cached(name: &str, wanted: &Path, fill: impl FnOnce(&Path)) -> PathBuf {
    let content = fs::read(wanted).expect("a file of this project");
    let directory = target_dir().join("clients").join(name);
    let stamp = target_dir().join("clients").join(format!("{name}.stamp"));
    if fs::read(&stamp).is_ok_and(|had| had == content) {
        return directory;
    }
    drop(fs::remove_dir_all(&directory));
    fs::create_dir_all(&directory).expect("the target directory is writable");
    fill(&directory);
    fs::write(stamp, content).expect("the target directory is writable");
    directory
}

fn joined(flag: &str, path: &Path) -> OsString {
    let mut word = OsString::from(flag);
    word.push(path);
    word
}
