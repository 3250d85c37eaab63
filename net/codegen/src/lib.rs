//! Generates Rust codecs from the message definitions that ship inside the `kafka-clients` jar.
//!
//! ```text
//!   kafka-clients-4.3.1.jar ── jar ──► JSON ── schema ──► messages ── rust ──► net/protocol/src/generated/*.rs
//!                                                                  └─ sample ─► tests/tests/codec_oracle/sample.rs
//! ```
//!
//! The output is committed. It holds Kafka's names, types and versions, not its descriptions.

pub mod jar;
pub mod rust;
pub mod sample;
pub mod schema;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The release of Kafka whose definitions are the reference.
pub const KAFKA_VERSION: &str = "4.3.1";

/// The `kafka-clients` jar in the local Maven repository, whether or not it is there.
pub fn default_jar() -> PathBuf {
    let home = env::var_os("HOME").unwrap_or_default();
    Path::new(&home)
        .join(".m2/repository/org/apache/kafka/kafka-clients")
        .join(KAFKA_VERSION)
        .join(format!("kafka-clients-{KAFKA_VERSION}.jar"))
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2);
    root.expect("net/codegen is two levels down").to_path_buf()
}

/// The generated files: path from the root of the workspace, and formatted text.
pub fn generate(jar: &Path) -> io::Result<BTreeMap<PathBuf, String>> {
    let mut messages = Vec::new();
    for (name, text) in jar::read(jar, "common/message/", ".json")? {
        let message =
            schema::parse(&text).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
        messages.extend(message);
    }
    messages.sort_by(|a, b| a.name.cmp(&b.name));
    let mut files = BTreeMap::new();
    let generated = Path::new("net/protocol/src/generated");
    files.insert(generated.join("mod.rs"), rust::index(&messages));
    files.insert(generated.join("apis.rs"), rust::apis(&messages));
    for message in &messages {
        let path = generated.join(format!("{}.rs", rust::snake(&message.name)));
        files.insert(path, rust::message(message));
    }
    files.insert(
        PathBuf::from("tests/tests/codec_oracle/sample.rs"),
        sample::samples(&messages),
    );
    format(files)
}

/// Formats through one run of rustfmt, over copies that no `mod` line connects.
fn format(files: BTreeMap<PathBuf, String>) -> io::Result<BTreeMap<PathBuf, String>> {
    let folder = env::temp_dir().join(format!("corelane-codegen-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let mut copies = Vec::new();
    for (at, (path, text)) in files.into_iter().enumerate() {
        let copy = folder.join(format!("{at}.rs"));
        // rustfmt would follow `mod` lines; index files are written formatted.
        if path.file_name() != Some(OsStr::new("mod.rs")) {
            fs::write(&copy, &text)?;
        }
        copies.push((path, copy, text));
    }
    let status = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .args(
            copies
                .iter()
                .map(|(_, copy, _)| copy)
                .filter(|c| c.exists()),
        )
        .status()?;
    if !status.success() {
        return Err(io::Error::other("rustfmt refused the generated code"));
    }
    let mut formatted = BTreeMap::new();
    for (path, copy, text) in copies {
        let text = match copy.exists() {
            true => fs::read_to_string(copy)?,
            false => text,
        };
        formatted.insert(path, text);
    }
    fs::remove_dir_all(&folder)?;
    Ok(formatted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_code_is_what_the_jar_generates() {
        let jar = default_jar();
        if !jar.exists() {
            assert!(
                env::var_os("CI").is_none(),
                "CI needs {} to compare the generated codecs",
                jar.display()
            );
            eprintln!(
                "NOT RUN: no {}; the generated codecs were not compared with their source",
                jar.display()
            );
            return;
        }
        let files = generate(&jar).unwrap();
        for (path, text) in &files {
            let committed = fs::read_to_string(workspace().join(path)).unwrap_or_default();
            assert!(
                committed == *text,
                "{} is not what the generator writes; run `cargo run -p corelane-codegen`",
                path.display()
            );
        }
        let folder = workspace().join("net/protocol/src/generated");
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name();
            let path = Path::new("net/protocol/src/generated").join(name);
            assert!(files.contains_key(&path), "{} is stale", path.display());
        }
    }
}
