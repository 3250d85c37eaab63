//! A listening socket: bound before the threads start, listening once the worker says so.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use corelane_engine::controller::command::LISTENER_DEFAULT;
use corelane_engine::fatal::Fatal;

/// How long an address in use is asked for again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Connections the kernel holds before they are accepted; it caps this at net.core.somaxconn.
pub(super) const BACKLOG: i32 = 4096;

/// What a listener is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenOn {
    /// For a person who is told that it cannot be.
    pub name: String,
    /// Port 0: one chosen by the kernel. `[::]` takes clients of IPv4, too.
    pub address: SocketAddr,
}

impl ListenOn {
    /// The one listener of a node that has no other.
    pub fn only(address: SocketAddr) -> ListenOn {
        let name = LISTENER_DEFAULT.to_owned();
        ListenOn { name, address }
    }
}

/// Bound, so that a taken port is known at the start, but refusing connections until [`Listener::listen`].
pub(super) struct Listener {
    fd: OwnedFd,
    name: String,
    address: SocketAddr,
}

impl Listener {
    /// # Errors
    ///
    /// [`Fatal::Host`] naming the listener and its address.
    pub(super) fn bind(on: &ListenOn) -> Result<Listener, Fatal> {
        let until = Instant::now() + PATIENCE;
        loop {
            match Listener::bind_once(on) {
                // A broker killed a moment ago: its ring, and with it its listener, is taken down after its death.
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until =>
                {
                    std::thread::sleep(PATIENCE / 100);
                }
                bound => return bound.map_err(|error| refused(on, &error)),
            }
        }
    }

    #[expect(unsafe_code, reason = "socket, setsockopt, bind")]
    fn bind_once(on: &ListenOn) -> io::Result<Listener> {
        let ListenOn { name, address } = on.clone();
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
        set_option(&fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
        if address.is_ipv6() {
            // Whatever the host's default is: `[::]` stands for every address, as with Kafka.
            set_option(&fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
        }
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
            name,
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
            let on = ListenOn {
                name: self.name.clone(),
                address: self.address,
            };
            return Err(refused(&on, &io::Error::last_os_error()));
        }
        Ok(())
    }
}

fn refused(on: &ListenOn, error: &io::Error) -> Fatal {
    let ListenOn { name, address } = on;
    Fatal::Host(match error.raw_os_error() {
        Some(libc::EADDRINUSE) => format!(
            "listener {name}: address {address} is in use by another process; choose another with --listen"
        ),
        Some(libc::EADDRNOTAVAIL) => {
            format!("listener {name}: address {address} is not an address of this host")
        }
        Some(libc::EACCES) => {
            format!("listener {name}: address {address}: ports below 1024 need privileges")
        }
        Some(libc::EAFNOSUPPORT) => {
            format!("listener {name}: address {address}: this host has no IPv6")
        }
        _ => format!("listener {name}: cannot listen on {address}: {error}"),
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
fn set_option(fd: &OwnedFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: reads four bytes of `value`.
    let answer = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of_val(&value) as u32,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Prepares an accepted connection, as Kafka does: no delay of small answers, and a peer that has vanished without a word
/// is noticed some day. `None` when the peer is gone already. A peer of IPv4 is one, whatever socket it came through.
pub(super) fn prepare(fd: OwnedFd) -> Option<(OwnedFd, SocketAddr)> {
    set_option(&fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1).ok()?;
    let stream = TcpStream::from(fd);
    let peer = stream.peer_addr().ok()?;
    stream.set_nodelay(true).ok()?;
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
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
            let listener = match Listener::bind(&ListenOn::only(asked.parse().unwrap())) {
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
            let on = ListenOn {
                name: "SECOND".to_owned(),
                address,
            };
            let second = Listener::bind(&on).err().unwrap().to_string();
            let expected = format!("listener SECOND: address {address} is in use");
            assert!(second.contains(&expected), "{second}");
        }
    }

    #[test]
    fn the_wildcard_of_ipv6_takes_peers_of_both_families_by_their_own_addresses() {
        let on = ListenOn::only("[::]:0".parse().unwrap());
        let listener = match Listener::bind(&on) {
            Ok(listener) => listener,
            Err(e) => return eprintln!("did not run: this host has no IPv6: {e}"),
        };
        listener.listen().unwrap();
        for host in ["127.0.0.1", "::1"] {
            let host: std::net::IpAddr = host.parse().unwrap();
            let Ok(client) = TcpStream::connect((host, listener.address().port())) else {
                assert!(host.is_ipv6(), "IPv4 is refused");
                eprintln!("did not run: this host has no {host}");
                continue;
            };
            let accepted = std::net::TcpListener::from(listener.fd.try_clone().unwrap())
                .accept()
                .unwrap();
            let (_, peer) = prepare(accepted.0.into()).unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
        }
    }
}
