//! One run's broker on its fresh directory: made ready, started, killed, started again, cleared away.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::cache::PageCache;
use super::subject::Subject;
use super::workloads::{Case, Durability, Kind, Placement};
use super::{Options, VersusError, Who, corelane, kafka};
use crate::floor::drive::{Job, Server};
use crate::load::plan::Plan;
use crate::sys;

/// How often both brokers look for old segments while they are soaked; 5 minutes, the default of both, would fill a disk.
const SOAK_RETENTION_CHECK_MS: u64 = 5_000;

/// A broker, and what it needs to be started again.
pub struct Stage<'a> {
    options: &'a Options,
    case: &'a Case,
    who: Who,
    port: u16,
    directory: PathBuf,
    /// Where it listens.
    pub address: String,
    /// The command that serves; empty where this program neither starts nor stops it.
    pub command: Vec<String>,
    /// Its process, while it runs and is a broker that we started.
    pub subject: Option<Subject>,
    floor: Option<Server>,
}

impl<'a> Stage<'a> {
    /// Makes the directory and the command; nothing runs yet, but for the floor.
    pub fn set(
        options: &'a Options,
        class_path: &str,
        case: &'a Case,
        who: Who,
    ) -> Result<Stage<'a>, VersusError> {
        let directory = options.dir.join("run");
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        fs::create_dir_all(&directory)?;
        let port = options.port + if who == Who::Peer { 0 } else { 2 };
        let mut stage = Stage {
            options,
            case,
            who,
            port,
            address: format!("127.0.0.1:{port}"),
            directory,
            command: Vec::new(),
            subject: None,
            floor: None,
        };
        let retention_check_ms = match case.kind {
            Kind::Soak => SOAK_RETENTION_CHECK_MS,
            _ => kafka::RETENTION_CHECK_MS,
        };
        match (who, &options.peer) {
            (Who::Peer, Some(peer)) => stage.address.clone_from(peer),
            (Who::Peer, None) => {
                let how = kafka::How {
                    touch: case.kind != Kind::Idle,
                    retention_check_ms,
                };
                let cache = &options.dir;
                stage.command = kafka::prepare(class_path, port, cache, &stage.directory, how)?;
            }
            (Who::Corelane, _) => {
                stage.command = corelane::prepare(
                    &options.corelane,
                    port,
                    &stage.directory,
                    retention_check_ms,
                )?;
            }
            (Who::Floor, _) => {
                let settings = crate::floor::Options {
                    listen: stage.address.parse().map_err(io::Error::other)?,
                    dir: stage.directory.clone(),
                    durability: match case.durability {
                        Durability::Process => crate::floor::Durability::Process,
                        Durability::Disk => crate::floor::Durability::Disk,
                    },
                    file_bytes: 1 << 30,
                    core: stage.pinned().then_some(0),
                };
                stage.floor = Some(Server::start(&settings, Job::Produce)?);
            }
        }
        Ok(stage)
    }

    fn pinned(&self) -> bool {
        self.case.placement == Placement::A
    }

    /// How long a JIT compiler is to be warmed first, on all CPUs: one that shares its CPU with the load would still be at it
    /// long after any warm-up.
    pub fn jit(&self) -> Option<Duration> {
        let length = self.case.jit(self.options);
        let ours_to_warm = self.who == Who::Peer && !self.command.is_empty();
        (ours_to_warm && !length.is_zero()).then_some(length)
    }

    /// Starts the broker, if it is ours to start, and waits until it accepts.
    pub fn start(&mut self) -> Result<(), VersusError> {
        if !self.command.is_empty() {
            let pinned = self.pinned() && self.jit().is_none();
            let (command, directory) = (&self.command, &self.directory);
            self.subject = Some(Subject::start(command, pinned, self.port, directory)?);
        }
        Ok(())
    }

    /// Starts the broker, does not wait, and returns when that was.
    pub fn launch(&mut self) -> Result<Instant, VersusError> {
        let (command, directory) = (&self.command, &self.directory);
        let subject = Subject::spawn(command, self.pinned(), self.port, directory)?;
        let since = subject.since;
        self.subject = Some(subject);
        Ok(since)
    }

    /// Pins what runs, after the JIT compiler had all CPUs.
    pub fn pin(&self) -> io::Result<()> {
        match &self.subject {
            Some(subject) if self.pinned() => subject.pin(),
            _ => Ok(()),
        }
    }

    /// The broker's process, where it is known.
    pub fn pid(&self) -> Option<u32> {
        let subject = self.subject.as_ref().map(Subject::pid);
        subject.or(self.floor.as_ref().map(Server::pid))
    }

    /// The case's load for this broker.
    pub fn plan(&self) -> Plan {
        let mut plan = self.case.plan(
            &self.address,
            self.topic_config(),
            self.options.warmup,
            self.options.duration,
        );
        plan.broker_pid.extend(self.pid());
        // The directory goes as a whole; a deleted topic would free its page cache in the middle of a run.
        plan.keep_topic = true;
        if self.command.is_empty() && self.who == Who::Peer {
            (plan.topic, plan.keep_topic) = (None, false);
        }
        plan
    }

    /// Equal promises in each broker's own words, and what the case wants besides.
    pub fn topic_config(&self) -> Vec<String> {
        let promise = match (self.who, self.case.durability) {
            (Who::Peer, Durability::Process) | (Who::Floor, _) => None,
            (Who::Peer, Durability::Disk) => Some("flush.messages=1"),
            (Who::Corelane, Durability::Process) => Some("corelane.durability=process"),
            (Who::Corelane, Durability::Disk) => Some("corelane.durability=disk"),
        };
        let promise = promise.into_iter().map(str::to_owned);
        promise
            .chain(self.case.plan.topic_config.iter().cloned())
            .collect()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(subject) = self.subject.take() {
            subject.kill();
        }
    }

    /// The process id to be killed from the midst of a load.
    pub fn kill_now(&self) {
        if let Some(subject) = &self.subject {
            sys::kill(subject.pid(), libc::SIGKILL);
        }
    }

    /// Writes out what was written and takes it out of memory, so that it is read from the disk. Our own broker and the floor
    /// write past the page cache.
    pub fn chill(&self, cache: &mut PageCache) -> io::Result<()> {
        match self.who {
            Who::Peer => cache.chill(&self.directory),
            Who::Corelane | Who::Floor => Ok(()),
        }
    }

    /// Ends the broker.
    pub fn stop(&mut self) {
        (self.subject, self.floor) = (None, None);
    }

    /// Deletes the directory.
    pub fn clear(self, cache: &mut PageCache) -> io::Result<()> {
        match self.who {
            Who::Peer => cache.clear(&self.directory),
            // Nothing of it is cached: it was written past the page cache.
            Who::Corelane | Who::Floor => fs::remove_dir_all(&self.directory),
        }
    }
}
