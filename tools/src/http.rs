//! The window into a broker, `--http`: metrics for Prometheus, health for whoever keeps it running.
//!
//! ```text
//!  visits (a few at a time) ─► /metrics ─► one look at all shards at a time, shared by who waited ─► page
//!                              /healthz ─► every shard answers within a second
//!                              /readyz  ─► open for clients
//! ```
//!
//! One thread beside the shards, with a runtime of its own. It asks shards by message; they never wait for it.

mod look;
mod page;
mod text;
mod visits;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use corelane_engine::fatal::Fatal;
use corelane_net::uring::drive::block_signals;
use corelane_net::uring::observer::{Observer, Phase};
use tokio::sync::{Mutex, oneshot};

/// How long a shard may take to show that it lives.
const ALIVE_WITHIN: Duration = Duration::from_secs(1);

/// The exposition format of Prometheus.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Bound, so that a taken port is known before anything starts.
pub(crate) struct Window {
    listener: TcpListener,
    address: SocketAddr,
}

/// A window that is open. Closes when dropped.
pub(crate) struct Open {
    close: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What every visit sees.
struct View {
    observer: Observer,
    shards: u16,
    started: Instant,
    last: Mutex<Option<Last>>,
    /// Visits that want a page.
    waiting: AtomicUsize,
}

/// A page, for those who asked before it was begun.
struct Last {
    begun: Instant,
    page: Bytes,
}

impl Window {
    /// # Errors
    ///
    /// [`Fatal::Host`] naming the address.
    pub(crate) fn bind(address: SocketAddr) -> Result<Window, Fatal> {
        let refused = |error: io::Error| {
            Fatal::Host(match error.kind() {
                io::ErrorKind::AddrInUse => format!(
                    "address {address} is in use by another process; choose another with --http"
                ),
                _ => format!("--http {address}: cannot listen: {error}"),
            })
        };
        let listener = TcpListener::bind(address).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Window { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to serve. The thread has blocked the signals that stop a broker when this returns.
    ///
    /// # Errors
    ///
    /// [`Fatal::Host`]: no thread or descriptors for it.
    pub(crate) fn open(self, observer: Observer, shards: u16) -> Result<Open, Fatal> {
        let refused = |error: io::Error| Fatal::Host(format!("no thread for --http: {error}"));
        let (close, closed) = oneshot::channel();
        let (begin, begun) = mpsc::channel();
        let view = Arc::new(View {
            observer,
            shards,
            started: Instant::now(),
            last: Mutex::new(None),
            waiting: AtomicUsize::new(0),
        });
        let body = move || {
            block_signals();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(async {
                    let served = tokio::net::TcpListener::from_std(self.listener)
                        .map(|listener| tokio::spawn(serve(listener, view)));
                    let _ = begin.send(served.map(drop));
                    // What is under way ends with the runtime.
                    let _ = closed.await;
                }),
                Err(error) => drop(begin.send(Err(error))),
            }
        };
        let thread = thread::Builder::new().name("http".into()).spawn(body);
        let thread = Some(thread.map_err(refused)?);
        let close = Some(close);
        let open = Open { close, thread };
        begun
            .recv()
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
            .map_err(refused)?;
        Ok(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.close.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: tokio::net::TcpListener, view: Arc<View>) {
    let router = Router::new()
        .route("/", get(|| async { "/metrics /healthz /readyz\n" }))
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(view);
    if let Err(error) = axum::serve(visits::Visits::new(listener), router).await {
        tracing::error!(%error, "--http is served no more");
    }
}

async fn metrics(State(view): State<Arc<View>>) -> Response {
    let asked = Instant::now();
    view.waiting.fetch_add(1, Ordering::Relaxed);
    let page = {
        let mut last = view.last.lock().await;
        let shared = last.as_ref().filter(|last| last.begun >= asked);
        let page = match shared {
            Some(last) => last.page.clone(),
            None => {
                let begun = Instant::now();
                let seen = look::look(&view.observer, view.shards).await;
                let page = Bytes::from(page::page(&seen, view.started.elapsed()));
                *last = Some(Last {
                    begun,
                    page: page.clone(),
                });
                page
            }
        };
        if view.waiting.fetch_sub(1, Ordering::Relaxed) == 1 {
            // A page of thousands of topics is not kept for nobody.
            *last = None;
        }
        page
    };
    ([(header::CONTENT_TYPE, METRICS_TYPE)], page).into_response()
}

async fn healthz(State(view): State<Arc<View>>) -> Response {
    let silent = look::silent(&view.observer, view.shards, ALIVE_WITHIN).await;
    if silent.is_empty() {
        return "ok\n".into_response();
    }
    let silent: Vec<String> = silent.iter().map(|shard| shard.0.to_string()).collect();
    let text = format!("no answer from shard {}\n", silent.join(", "));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn readyz(State(view): State<Arc<View>>) -> Response {
    let not_yet = |text: &'static str| (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    match view.observer.phase() {
        Phase::Starting => not_yet("starting\n"),
        Phase::Open => "ready\n".into_response(),
        Phase::Stopping => not_yet("stopping\n"),
    }
}
