//! The generated codecs beside Kafka's own classes, which know every message and version.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, thread};

use bytes::Bytes;
use corelane_protocol::Message;

use crate::fill::{Fill, Sample};
use crate::sample::each_message;
use crate::{decode, encode, seed};

/// Random messages for each message and version.
const ROUNDS: u64 = 6;

/// The jar and a Java to run it, or why this cannot run here.
fn jar() -> Result<PathBuf, String> {
    let home = env::var_os("HOME").unwrap_or_default();
    let jar = Path::new(&home)
        .join(".m2/repository/org/apache/kafka/kafka-clients/4.3.1/kafka-clients-4.3.1.jar");
    if !jar.exists() {
        return Err(format!("no {}", jar.display()));
    }
    let java = Command::new("java").arg("-version").output();
    java.map(|_| jar).map_err(|error| format!("java: {error}"))
}

fn ask<M: Message + Sample>(questions: &mut String) {
    for version in M::VERSIONS.0..=M::VERSIONS.1 {
        for round in 0..ROUNDS {
            let message = M::sample(&mut Fill::new(seed::<M>(version, 400 + round)), version);
            let bytes = encode(&message, version).expect("a sample fits its version");
            writeln!(questions, "{} {version} {bytes:x}", M::NAME).expect("a string");
        }
    }
}

fn judge<M: Message + PartialEq + std::fmt::Debug>(question: &str, answer: &str, version: i16) {
    let (_, sent) = question.rsplit_once(' ').expect("three words");
    let (again, empty) = answer.split_once(' ').expect("two words");
    assert_eq!(sent, again, "{} {version}", M::NAME);
    if empty != "-" {
        let read = decode::<M>(&bytes(empty), version);
        assert_eq!(read, Ok(M::default()), "{} {version}: default", M::NAME);
    }
}

fn bytes(hex: &str) -> Bytes {
    let pairs = hex.as_bytes().chunks(2).map(|pair| {
        let pair = str::from_utf8(pair).expect("hex");
        u8::from_str_radix(pair, 16).expect("hex")
    });
    pairs.collect()
}

#[test]
fn kafkas_own_classes_agree() {
    let jar = match jar() {
        Ok(jar) => jar,
        Err(reason) => {
            assert!(env::var_os("CI").is_none(), "CI needs this: {reason}");
            eprintln!("NOT RUN: the codecs were not compared with Kafka's classes: {reason}");
            return;
        }
    };
    let mut questions = String::new();
    macro_rules! ask_all {
        ($($message:ident)*) => { $(ask::<corelane_protocol::$message>(&mut questions);)* };
    }
    each_message!(ask_all);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/codec_oracle/Oracle.java");
    let mut java = Command::new("java")
        .arg("-cp")
        .arg(jar)
        .arg(source)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("java started before");
    let mut stdin = java.stdin.take().expect("it is piped");
    let asked = questions.clone();
    let writing = thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let output = java.wait_with_output().expect("java runs");
    writing.join().expect("writes").expect("java reads all");
    assert!(output.status.success(), "java: {}", output.status);
    let answers = String::from_utf8(output.stdout).expect("hex");
    assert_eq!(questions.lines().count(), answers.lines().count());
    for (question, answer) in questions.lines().zip(answers.lines()) {
        let mut words = question.split(' ');
        let name = words.next().expect("three words");
        let version = words.next().and_then(|word| word.parse().ok());
        let version = version.expect("a version");
        macro_rules! judge_one {
            ($($message:ident)*) => {
                match name {
                    $(stringify!($message) => {
                        judge::<corelane_protocol::$message>(question, answer, version)
                    })*
                    _ => unreachable!("{name} was not asked"),
                }
            };
        }
        each_message!(judge_one);
    }
}
