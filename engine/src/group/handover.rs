//! One value at a time between a flow on the disk and the machine that feeds it or is fed.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// Clones share the one place. Whoever puts or takes steps the flow.
#[derive(Debug)]
pub(super) struct Handover<T>(Rc<RefCell<Option<T>>>);

impl<T> Clone for Handover<T> {
    fn clone(&self) -> Handover<T> {
        Handover(self.0.clone())
    }
}

impl<T> Default for Handover<T> {
    fn default() -> Handover<T> {
        Handover(Rc::default())
    }
}

impl<T> Handover<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_none()
    }

    pub(super) fn put(&self, value: T) {
        let before = self.0.borrow_mut().replace(value);
        assert!(before.is_none(), "the place is taken");
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.borrow_mut().take()
    }

    /// Waits until the other side has put something.
    pub(super) async fn taken(&self) -> T {
        poll_fn(|_| match self.take() {
            Some(value) => Poll::Ready(value),
            None => Poll::Pending,
        })
        .await
    }

    /// Waits until the other side has taken what was put before, then puts the next.
    pub(super) async fn give(&self, value: T) {
        self.emptied().await;
        self.put(value);
    }

    /// Waits until the other side has taken what was put.
    pub(super) async fn emptied(&self) {
        poll_fn(|_| match self.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}
