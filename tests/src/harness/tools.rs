//! Kafka's command line tools, many of them in one JVM.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::broker::target_dir;
use super::process::run;
use super::{runtime, topic_name};

/// Jobs for `Tools.java`, run together in one JVM.
pub struct Jobs {
    directory: PathBuf,
    count: usize,
}

impl Jobs {
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Jobs {
        let directory = target_dir().join("tmp").join(topic_name("tools"));
        fs::create_dir_all(&directory).expect("the target directory is writable");
        Jobs {
            directory,
            count: 0,
        }
    }

    /// Which of [`Jobs::run`]'s answers will be its own.
    pub fn add(&mut self, class: &str, arguments: &[String], stdin: &str) -> usize {
        let job = self.directory.join(self.count.to_string());
        fs::create_dir(&job).expect("a new directory");
        let write = |name: &str, text: &str| fs::write(job.join(name), text).expect("writable");
        write("class", class);
        write("args", &arguments.join("\n"));
        write("stdin", stdin);
        self.count += 1;
        self.count - 1
    }

    /// What each job printed; panics unless all ended with code 0.
    pub fn run(self) -> Vec<String> {
        let mut java = runtime::java().expect("checked at the start");
        java.arg(runtime::clients_dir().join("java/Tools.java"));
        for job in 0..self.count {
            java.arg(self.directory.join(job.to_string()));
        }
        let ended = run(java, b"", Duration::from_secs(180));
        let stderr = ended.stderr.clone();
        ended.expect_ok("the JVM");
        let said = (0..self.count)
            .map(|job| {
                let read = |name: &str| {
                    fs::read_to_string(self.directory.join(job.to_string()).join(name))
                        .expect("Tools.java wrote it")
                };
                let (text, exit) = (read("stdout"), read("exit"));
                assert_eq!(exit, "0", "{}\n{text}\n{stderr}", read("args"));
                text
            })
            .collect();
        drop(fs::remove_dir_all(&self.directory));
        said
    }
}
