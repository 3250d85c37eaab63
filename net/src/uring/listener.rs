//! The one listening socket: bound before the threads start, listening once the worker says so.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use corelane_engine::fatal::Fatal;

/// How long an address in use is asked for again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Connections the kernel holds before they are accepted; it caps this at net.core.somaxconn.
pub(super) const BACKLOG: i32 = 4096;

/// Bound, so that a taken port is known at the start, but refusing connections until [`Listener::listen`].
pub(super) struct Listener {
    fd: OwnedFd,
    address: SocketAddr,
}

impl Listener {
    /// # Errors
    ///
    /// [`Fatal::Host`] naming the address.
    pub(super) fn bind(address: SocketAddr) -> Result<Listener, Fatal> {
        let until = Instant::now() + PATIENCE;
        loop {
            match Listener::bind_once(address) {
                // A broker killed a moment ago: its ring, and with it its listener, is taken down after its death.
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until =>
                {
                    std::thread::sleep(PATIENCE / 100);
                }
                bound => return bound.map_err(|error| refused(address, &error)),
            }
        }
    }

    #[expect(unsafe_code, reason = "socket, setsockopt, bind")]
    fn bind_once(address: SocketAddr) -> io::Result<Listener> {
        let family = if address.is_ipv4() {
            libc::AF_INET
        } else {
            libc::AF_INET6
        };
        // SAFETY: no pointers; the answer is checked.
        let fd = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, owned by nobody else.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        set_option(&fd, libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
        let bound = match address {
            SocketAddr::V4(v4) => {
                let raw = raw_v4(v4);
                // SAFETY: `raw` is a valid address of the length given.
                unsafe {
                    libc::bind(
                        fd.as_raw_fd(),
                        (&raw const raw).cast(),
                        size_of_val(&raw) as u32,
                    )
                }
            }
            SocketAddr::V6(v6) => {
                let raw = raw_v6(v6);
                // SAFETY: `raw` is a valid address of the length given.
                unsafe {
                    libc::bind(
                        fd.as_raw_fd(),
                        (&raw const raw).cast(),
                        size_of_val(&raw) as u32,
                    )
                }
            }
        };
        if bound != 0 {
            return Err(io::Error::last_os_error());
        }
        let socket = std::net::TcpListener::from(fd);
        let address = socket.local_addr()?;
        Ok(Listener {
            fd: socket.into(),
            address,
        })
    }

    /// The address bound, its port chosen by the kernel where 0 was asked.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// From now on clients connect.
    #[expect(unsafe_code, reason = "listen")]
    pub(super) fn listen(&self) -> Result<(), Fatal> {
        // SAFETY: a descriptor we own, no pointers.
        if unsafe { libc::listen(self.fd.as_raw_fd(), BACKLOG) } != 0 {
            return Err(refused(self.address, &io::Error::last_os_error()));
        }
        Ok(())
    }
}

fn refused(address: SocketAddr, error: &io::Error) -> Fatal {
    Fatal::Host(match error.raw_os_error() {
        Some(libc::EADDRINUSE) => {
            format!("address {address} is in use by another process; choose another with --listen")
        }
        Some(libc::EADDRNOTAVAIL) => format!("address {address} is not an address of this host"),
        Some(libc::EACCES) => format!("address {address}: ports below 1024 need privileges"),
        _ => format!("cannot listen on {address}: {error}"),
    })
}

fn raw_v4(v4: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: v4.port().to_be(),
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes(v4.ip().octets()),
        },
        sin_zero: [0; 8],
    }
}

fn raw_v6(v6: SocketAddrV6) -> libc::sockaddr_in6 {
    libc::sockaddr_in6 {
        sin6_family: libc::AF_INET6 as u16,
        sin6_port: v6.port().to_be(),
        sin6_flowinfo: v6.flowinfo(),
        sin6_addr: libc::in6_addr {
            s6_addr: v6.ip().octets(),
        },
        sin6_scope_id: v6.scope_id(),
    }
}

#[expect(unsafe_code, reason = "setsockopt")]
fn set_option(fd: &OwnedFd, level: i32, option: i32) -> io::Result<()> {
    let on = 1i32;
    // SAFETY: reads four bytes of `on`.
    let answer = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            option,
            (&raw const on).cast(),
            size_of_val(&on) as u32,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Prepares an accepted connection, as Kafka does: no delay of small answers, and a peer that has vanished without a word
/// is noticed some day. `None` when the peer is gone already.
pub(super) fn prepare(fd: OwnedFd) -> Option<(OwnedFd, SocketAddr)> {
    set_option(&fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE).ok()?;
    let stream = TcpStream::from(fd);
    let peer = stream.peer_addr().ok()?;
    stream.set_nodelay(true).ok()?;
    Some((stream.into(), peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(unsafe_code, reason = "getsockopt")]
    fn is_set(fd: &OwnedFd, level: i32, option: i32) -> bool {
        let (mut value, mut len) = (0i32, size_of::<i32>() as u32);
        // SAFETY: writes at most `len` bytes to `value`.
        let answer = unsafe {
            libc::getsockopt(
                fd.as_raw_fd(),
                level,
                option,
                (&raw mut value).cast(),
                &mut len,
            )
        };
        assert_eq!(answer, 0);
        value != 0
    }

    #[test]
    fn refuses_until_listening_on_both_families() {
        for asked in ["127.0.0.1:0", "[::1]:0"] {
            let listener = match Listener::bind(asked.parse().unwrap()) {
                Ok(listener) => listener,
                // A host without IPv6.
                Err(e) => {
                    assert!(asked.starts_with('['), "{e}");
                    continue;
                }
            };
            let address = listener.address();
            assert_ne!(address.port(), 0);
            assert!(TcpStream::connect(address).is_err(), "not yet");
            listener.listen().unwrap();
            TcpStream::connect(address).unwrap();
            let accepted = std::net::TcpListener::from(listener.fd.try_clone().unwrap())
                .accept()
                .unwrap();
            let (accepted, _) = prepare(accepted.0.into()).unwrap();
            assert!(is_set(&accepted, libc::SOL_SOCKET, libc::SO_KEEPALIVE));
            assert!(is_set(&accepted, libc::IPPROTO_TCP, libc::TCP_NODELAY));
            let second = Listener::bind(address).err().unwrap().to_string();
            assert!(second.contains(&format!("{address} is in use")), "{second}");
        }
    }
}
