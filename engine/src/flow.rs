//! Long, rare, linear work on the disk (boot, recovery, compaction) as plain `async fn` over [`DiskOp`]s.
//!
//! ```text
//!  async fn recover(flow: Flow) ── flow.run(op).await ──► queue ──► FlowRunner::step(&mut out)  ── requests ──► disk
//!                      ◄── resumed by the next step ◄───── queue ◄── FlowRunner::on_disk(done) ◄── completions
//! ```
//!
//! No executor, thread or clock: whoever owns the runner feeds completions and calls `step`. The same flow runs on the
//! ring and on the simulator's disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::disk::{
    DirectoryEntry, DiskDone, DiskError, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId, Space,
};

/// Hands out slots in the table of open files. One per shard.
#[derive(Debug, Default)]
pub struct FileIds {
    free: Vec<FileId>,
    next: u32,
}

impl FileIds {
    pub fn take(&mut self) -> FileId {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            FileId(self.next - 1)
        })
    }

    /// Only after `Close` was answered.
    pub fn give_back(&mut self, file: FileId) {
        assert!(file.0 < self.next, "file {file:?} was never handed out");
        self.free.push(file);
    }

    /// How many are handed out now.
    pub fn in_use(&self) -> usize {
        self.next as usize - self.free.len()
    }
}

#[derive(Debug, Default)]
struct Queue {
    asked: Vec<DiskRequest>,
    answered: BTreeMap<u64, Result<DiskOutcome, DiskError>>,
    next_token: u64,
    files: Rc<RefCell<FileIds>>,
}

/// The disk as an async function sees it. Clones share one queue.
#[derive(Clone, Debug)]
pub struct Flow {
    queue: Rc<RefCell<Queue>>,
}

impl Flow {
    /// Asks for `op` and waits for its answer. Dropping the future forgets the answer, not the operation.
    pub async fn run(&self, op: DiskOp) -> Result<DiskOutcome, DiskError> {
        let token = {
            let mut queue = self.queue.borrow_mut();
            let token = queue.next_token;
            queue.next_token += 1;
            queue.asked.push(DiskRequest {
                token: DiskToken(token),
                op,
            });
            token
        };
        poll_fn(|_| match self.queue.borrow_mut().answered.remove(&token) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        })
        .await
    }

    async fn done(&self, op: DiskOp) -> Result<(), DiskError> {
        self.run(op).await.map(|_| ())
    }

    pub async fn open(&self, path: &str, create: bool, direct: bool) -> Result<FileId, DiskError> {
        let file = self.queue.borrow().files.borrow_mut().take();
        let opened = self
            .done(DiskOp::Open {
                file,
                path: path.to_owned(),
                create,
                direct,
            })
            .await;
        if opened.is_err() {
            self.queue.borrow().files.borrow_mut().give_back(file);
        }
        opened.map(|()| file)
    }

    pub async fn close(&self, file: FileId) -> Result<(), DiskError> {
        self.done(DiskOp::Close { file }).await?;
        self.queue.borrow().files.borrow_mut().give_back(file);
        Ok(())
    }

    pub async fn write(&self, file: FileId, position: u64, bytes: Bytes) -> Result<(), DiskError> {
        self.done(DiskOp::Write {
            file,
            position,
            bytes,
        })
        .await
    }

    /// Up to `into.capacity()` bytes at `position`.
    pub async fn read(
        &self,
        file: FileId,
        position: u64,
        into: BytesMut,
    ) -> Result<BytesMut, DiskError> {
        match self
            .run(DiskOp::Read {
                file,
                position,
                into,
            })
            .await?
        {
            DiskOutcome::Read(bytes) => Ok(bytes),
            other => panic!("a read was answered with {other:?}"),
        }
    }

    pub async fn flush(&self, file: FileId) -> Result<(), DiskError> {
        self.done(DiskOp::Flush { file }).await
    }

    pub async fn allocate(
        &self,
        file: FileId,
        position: u64,
        length: u64,
    ) -> Result<(), DiskError> {
        self.done(DiskOp::Allocate {
            file,
            position,
            length,
        })
        .await
    }

    pub async fn truncate(&self, file: FileId, length: u64) -> Result<(), DiskError> {
        self.done(DiskOp::Truncate { file, length }).await
    }

    pub async fn sync_directory(&self, path: &str) -> Result<(), DiskError> {
        self.done(DiskOp::SyncDirectory {
            path: path.to_owned(),
        })
        .await
    }

    pub async fn make_directory(&self, path: &str) -> Result<(), DiskError> {
        self.done(DiskOp::MakeDirectory {
            path: path.to_owned(),
        })
        .await
    }

    pub async fn unlink(&self, path: &str) -> Result<(), DiskError> {
        self.done(DiskOp::Unlink {
            path: path.to_owned(),
        })
        .await
    }

    pub async fn remove_directory(&self, path: &str) -> Result<(), DiskError> {
        self.done(DiskOp::RemoveDirectory {
            path: path.to_owned(),
        })
        .await
    }

    pub async fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        self.done(DiskOp::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        })
        .await
    }

    /// The entries of a directory, sorted by name; none when it is missing.
    pub async fn list(&self, path: &str) -> Result<Vec<DirectoryEntry>, DiskError> {
        match self
            .run(DiskOp::List {
                path: path.to_owned(),
            })
            .await
        {
            Ok(DiskOutcome::Listing(entries)) => Ok(entries),
            Ok(other) => panic!("a listing was answered with {other:?}"),
            Err(DiskError::NOT_FOUND) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// How much room the data directory's file system has.
    pub async fn measure(&self) -> Result<Space, DiskError> {
        match self.run(DiskOp::Measure).await? {
            DiskOutcome::Measured(space) => Ok(space),
            other => panic!("a measurement was answered with {other:?}"),
        }
    }
}

/// Drives one async function and everything it awaits.
pub struct FlowRunner<T> {
    queue: Rc<RefCell<Queue>>,
    future: Pin<Box<dyn Future<Output = T>>>,
}

impl<T> FlowRunner<T> {
    /// `files`: the shard's table of open files, shared by everything that opens.
    pub fn new<F: Future<Output = T> + 'static>(
        files: &Rc<RefCell<FileIds>>,
        start: impl FnOnce(Flow) -> F,
    ) -> FlowRunner<T> {
        let queue = Rc::new(RefCell::new(Queue {
            files: files.clone(),
            ..Queue::default()
        }));
        let future = Box::pin(start(Flow {
            queue: queue.clone(),
        }));
        FlowRunner { queue, future }
    }

    /// Gives a completion to the flow; call `step` afterwards.
    pub fn on_disk(&mut self, done: DiskDone) {
        self.queue
            .borrow_mut()
            .answered
            .insert(done.token.0, done.result);
    }

    /// Runs until nothing more can happen without a completion; new requests go to `out`.
    pub fn step(&mut self, out: &mut Vec<DiskRequest>) -> Poll<T> {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let polled = self.future.as_mut().poll(&mut context);
            let mut queue = self.queue.borrow_mut();
            let idle = queue.asked.is_empty();
            out.append(&mut queue.asked);
            if polled.is_ready() || idle || queue.answered.is_empty() {
                return polled;
            }
        }
    }
}

/// Awaits all of `futures`, of which `at_once` have begun and not ended at any time: each completion polls no more.
/// Results in their order.
pub async fn join_all<T>(at_once: usize, futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    let mut waiting = futures.into_iter().enumerate();
    let mut running = Vec::new();
    poll_fn(move |context| {
        let mut at = 0;
        loop {
            if at == running.len() {
                let next = (at < at_once).then(|| waiting.next()).flatten();
                let Some((index, future)) = next else { break };
                running.push((index, Box::pin(future)));
            }
            let (index, future) = &mut running[at];
            match future.as_mut().poll(context) {
                Poll::Ready(value) => {
                    results[*index] = Some(value);
                    running.swap_remove(at);
                }
                Poll::Pending => at += 1,
            }
        }
        if !running.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(
            results
                .iter_mut()
                .map(|r| r.take().expect("each was polled to its end"))
                .collect(),
        )
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_asks_waits_and_goes_on() {
        let files = Rc::new(RefCell::new(FileIds::default()));
        let mut runner = FlowRunner::new(&files, |flow| async move {
            let file = flow.open("a", true, false).await?;
            flow.write(file, 0, Bytes::from_static(b"x")).await?;
            flow.close(file).await
        });
        let mut out = Vec::new();
        for _ in 0..3 {
            assert!(runner.step(&mut out).is_pending());
            let request = out.pop().expect("one request at a time");
            assert!(out.is_empty());
            runner.on_disk(DiskDone {
                token: request.token,
                result: Ok(DiskOutcome::Done),
            });
        }
        assert_eq!(runner.step(&mut out), Poll::Ready(Ok(())));
        assert_eq!(files.borrow().in_use(), 0);
    }

    #[test]
    fn few_of_many_are_under_way_and_results_keep_their_order() {
        let files = Rc::new(RefCell::new(FileIds::default()));
        let mut runner = FlowRunner::new(&files, |flow| async move {
            let write = |position: u64| {
                let flow = flow.clone();
                async move {
                    for turn in 0..position % 3 {
                        let written = flow.write(FileId(0), turn, Bytes::new()).await;
                        written.expect("done");
                    }
                    position
                }
            };
            join_all(4, (0..50).map(write).collect()).await
        });
        let mut rng = crate::rng::Rng::new(1);
        let mut under_way = Vec::new();
        let results = loop {
            if let Poll::Ready(results) = runner.step(&mut under_way) {
                break results;
            }
            assert!(under_way.len() <= 4);
            let at = rng.below(under_way.len() as u64) as usize;
            let DiskRequest { token, .. } = under_way.swap_remove(at);
            let result = Ok(DiskOutcome::Done);
            runner.on_disk(DiskDone { token, result });
        };
        assert!(results.into_iter().eq(0..50));
    }
}
