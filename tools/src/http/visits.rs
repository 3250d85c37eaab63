//! Visits of the window: few at a time, and none for long, so that they never take the broker's descriptors.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// Visits at a time; who comes beyond them waits in the kernel's queue. The broker leaves 32 descriptors to the process.
const VISITS_MAX: usize = 16;

/// How long one may last: somebody who only holds it would keep others out.
const VISIT_MAX: Duration = Duration::from_secs(30);

/// Pause before accepting again where there are no descriptors.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Visits {
    listener: TcpListener,
    room: Arc<Semaphore>,
}

/// One connection, until its time is over.
pub(super) struct Visit {
    stream: TcpStream,
    over: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Visits {
    pub(super) fn new(listener: TcpListener) -> Visits {
        Visits {
            listener,
            room: Arc::new(Semaphore::new(VISITS_MAX)),
        }
    }
}

impl axum::serve::Listener for Visits {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        let room = Arc::clone(&self.room);
        let place = room.acquire_owned().await.expect("it is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let visit = Visit {
                        stream,
                        over: Box::pin(sleep(VISIT_MAX)),
                        _place: place,
                    };
                    return (visit, peer);
                }
                Err(error) => {
                    tracing::debug!(%error, "a visit was not accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Visit {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.over.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Visit {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
