//! Runs a floor server in a process of its own and loads it, so that its CPU can be told from the generator's.

use std::io;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum;

use super::{Durability, Options};
use crate::load::plan::Plan;
use crate::load::report::Outcome;
use crate::load::{LoadError, run};
use crate::sys;

/// What the floor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Job {
    /// Batches of 1 MiB (W1).
    Produce,
    /// One record of 100 bytes per request (W3).
    Tiny,
    /// Reading chunks of 1 MiB.
    Fetch,
}

impl Job {
    /// The load that goes with it.
    pub fn plan(self, options: &Options) -> Plan {
        let plan = Plan {
            broker: options.listen.to_string(),
            topic: Some("floor".to_owned()),
            closed: true,
            warmup: Duration::from_secs(1),
            ..Plan::standard()
        };
        match self {
            Job::Produce => Plan {
                batch_bytes: 1 << 20,
                connections: 4,
                in_flight: 4,
                ..plan
            },
            Job::Tiny => Plan {
                batch_bytes: 0,
                record_bytes: 100,
                connections: 64,
                in_flight: 1,
                ..plan
            },
            Job::Fetch => Plan {
                consume_only: true,
                consumers: 1,
                from_start: true,
                closed: false,
                keep_topic: true,
                ..plan
            },
        }
    }
}

/// The server's process; ended when dropped.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts this program as a floor server and waits until it listens.
    pub fn start(options: &Options, job: Job) -> io::Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map(|value| value.get_name().to_owned())
        };
        let job = name(job.to_possible_value()).unwrap_or_default();
        let durability = name(options.durability.to_possible_value()).unwrap_or_default();
        command.args(["floor", &job, "--serve", "--durability", &durability]);
        command.args(["--listen", &options.listen.to_string()]);
        command.arg("--dir").arg(&options.dir);
        command.args(["--file-bytes", &options.file_bytes.to_string()]);
        if let Some(core) = options.core {
            command.args(["--core", &core.to_string()]);
        }
        let mut server = Server {
            child: command.stdin(Stdio::null()).spawn()?,
        };
        for _ in 0..600 {
            if TcpStream::connect(options.listen).is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                return Err(io::Error::other(format!(
                    "the floor server ended: {status}"
                )));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(io::Error::other(
            "the floor server did not listen within 60 s",
        ))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        sys::kill(self.child.id(), libc::SIGTERM);
        let _ = self.child.wait();
    }
}

/// Loads a fresh server with the job's own plan, changed by `change`.
pub fn drive(
    options: &Options,
    job: Job,
    change: impl FnOnce(&mut Plan),
) -> Result<Outcome, LoadError> {
    let server = Server::start(options, job)?;
    let mut plan = job.plan(options);
    plan.broker_pid = vec![server.pid()];
    change(&mut plan);
    run(&plan)
}

/// What a person reads beside the numbers.
pub fn caption(options: &Options) -> &'static str {
    match options.durability {
        Durability::Process => "floor, acks after the direct write",
        Durability::Disk => "floor, acks after one fdatasync per pass",
    }
}
