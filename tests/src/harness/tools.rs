//! Kafka's command line tools, many of them in one JVM: a JVM's start costs more than a tool's work.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::broker::target_dir;
use super::process::run;
use super::{runtime, topic_name};

/// Jobs for `Tools.java`, run together, in the order added.
pub struct Jobs {
    directory: PathBuf,
    count: usize,
}

/// How one job ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub arguments: String,
    /// What it printed.
    pub said: String,
    /// Its exit code.
    pub code: i32,
    /// What all jobs of the JVM printed as errors.
    pub stderr: String,
}

impl Default for Jobs {
    fn default() -> Jobs {
        Jobs::new()
    }
}

impl Jobs {
    pub fn new() -> Jobs {
        let directory = target_dir().join("tmp").join(topic_name("tools"));
        fs::create_dir_all(&directory).expect("the target directory is writable");
        Jobs {
            directory,
            count: 0,
        }
    }

    /// Adds a tool by its main class; returns the job's number.
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
        let ended = self.run_any().into_iter();
        ended
            .map(|job| {
                let Ended {
                    arguments,
                    said,
                    code,
                    stderr,
                } = job;
                assert_eq!(code, 0, "{arguments}\n{said}\n{stderr}");
                said
            })
            .collect()
    }

    /// How each job ended, whatever its code.
    pub fn run_any(self) -> Vec<Ended> {
        let mut java = runtime::java().expect("checked at the start");
        java.arg(runtime::clients_dir().join("java/Tools.java"));
        for job in 0..self.count {
            java.arg(self.directory.join(job.to_string()));
        }
        let ended = run(java, b"", Duration::from_secs(180));
        let stderr = ended.stderr.clone();
        ended.expect_ok("the JVM");
        let jobs = (0..self.count)
            .map(|job| {
                let read = |name: &str| {
                    fs::read_to_string(self.directory.join(job.to_string()).join(name))
                        .expect("Tools.java wrote it")
                };
                Ended {
                    arguments: read("args"),
                    said: read("stdout"),
                    code: read("exit").parse().expect("a number"),
                    stderr: stderr.clone(),
                }
            })
            .collect();
        drop(fs::remove_dir_all(&self.directory));
        jobs
    }
}
