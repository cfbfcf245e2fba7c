"""From a target to an authenticated connection: sockets, jump hosts, proxy commands, host key, login."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from console.link import known_hosts
from console.link.asking import Asker
from console.link.ssh_auth import KeyRing
from console.link.ssh_config import Target, resolve
from console.link.ssh_trust import check_host_key
from remote.errors import Trouble

if TYPE_CHECKING:
    import paramiko

CONNECT_TIMEOUT_S = 8.0
USER_TIMEOUT_MS = 4000
_HOPS = 8
# aes128-gcm costs a third of paramiko's first choice.
_CIPHERS_FIRST = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")

# What paramiko logs would be printed over the screen, by logging's last resort or by the root's handlers; what matters of
# it is raised too and said as a Trouble.
_PARAMIKOS_LOG = logging.getLogger("paramiko")
_PARAMIKOS_LOG.addHandler(logging.NullHandler())
_PARAMIKOS_LOG.propagate = False


class Connection(msgspec.Struct):
    """An authenticated SSH connection and, behind jump hosts, those that carry it."""

    transport: Any
    below: tuple[Any, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether paramiko still believes in it; a dead network shows only after USER_TIMEOUT_MS."""
        return bool(self.transport.is_active())

    def close(self) -> None:
        """Hang up, the innermost first."""
        for transport in (self.transport, *self.below):
            with contextlib.suppress(OSError, EOFError):
                transport.close()


@contextlib.contextmanager
def answering(connection: Connection, within_s: float | None = None) -> Iterator[None]:
    """Hang up where the block takes longer than `within_s` (CONNECT_TIMEOUT_S): then TimeoutError is raised.

    For what paramiko waits for without an end: the answer to a channel's request. A robot that thrashes its memory still
    acknowledges all that it gets, so that the network sees nothing wrong.
    """
    limit_s, over = CONNECT_TIMEOUT_S if within_s is None else within_s, threading.Event()

    def hang_up() -> None:
        over.set()
        connection.close()

    timer = threading.Timer(limit_s, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if over.is_set():
            raise TimeoutError(f"no answer came within {limit_s:g} s") from error
        raise
    finally:
        timer.cancel()


def dial(address: str, asker: Asker, keys: KeyRing) -> Connection:
    """Connect and log in. Raises Trouble: `unreachable`, `unknown_host_key`, `changed_host_key`, `auth_failed`."""
    return _dial(resolve(address), None, asker, keys, 0)


def _dial(target: Target, jumps: tuple[str, ...] | None, asker: Asker, keys: KeyRing, depth: int) -> Connection:
    if depth > _HOPS:
        what = f"'{target.alias}' is reached through more than {_HOPS} jump hosts"
        raise Trouble(what, cure="look for a ProxyJump that leads back to itself", code="unreachable")
    jumps = target.proxy_jump if jumps is None else jumps
    below: tuple[Any, ...] = ()
    if jumps:
        # Of `-J a,b` each is reached through those before it; only the first one's own ProxyJump counts.
        carrier = _dial(resolve(jumps[-1]), jumps[:-1] or None, asker, keys, depth + 1)
        below = (carrier.transport, *carrier.below)
        sock = _through(carrier, target)
    else:
        sock = _proxy(target) if target.proxy_command else _socket(target)
    try:
        return Connection(_logged_in(sock, target, asker, keys), below)
    except BaseException:
        Connection(sock, below).close()
        raise


def _logged_in(sock: Any, target: Target, asker: Asker, keys: KeyRing) -> paramiko.Transport:
    import paramiko

    transport = paramiko.Transport(sock)
    transport.daemon = True
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = CONNECT_TIMEOUT_S
    _choose(transport, target)
    try:
        transport.start_client(timeout=CONNECT_TIMEOUT_S)
        key = transport.get_remote_server_key()
        check_host_key(target, key.get_name(), key.asbytes(), asker)
        keys.authenticate(transport, target)
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        raise _handshake_trouble(target, error) from error
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(5)
    return transport


def _choose(transport: paramiko.Transport, target: Target) -> None:
    options = transport.get_security_options()
    known = tuple(options.ciphers)
    first = tuple(name for name in _CIPHERS_FIRST if name in known)
    options.ciphers = first + tuple(name for name in known if name not in first)
    # Ask for a key of a type on file: another type could not be compared and would look like a change.
    on_file = known_hosts.key_types((*target.user_known_hosts, *target.global_known_hosts), target.known_as)
    signing = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
    wanted = [name for key_type in on_file for name in signing.get(key_type, (key_type,))]
    offered = tuple(options.key_types)
    front = tuple(name for name in wanted if name in offered)
    options.key_types = front + tuple(name for name in offered if name not in front)


def _socket(target: Target) -> socket.socket:
    try:
        sock = socket.create_connection((target.host, target.port), timeout=CONNECT_TIMEOUT_S)
    except OSError as error:
        raise socket_trouble(target, error) from error
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
    return sock


def _through(carrier: Connection, target: Target) -> Any:
    import paramiko

    try:
        return carrier.transport.open_channel(
            "direct-tcpip", (target.host, target.port), ("127.0.0.1", 0), timeout=CONNECT_TIMEOUT_S
        )
    except (paramiko.SSHException, EOFError, OSError) as error:
        carrier.close()
        what = f"the jump host can't reach {target.host} port {target.port}: {error}"
        raise Trouble(
            what, cure="check the host's name and network as seen from the jump host", code="unreachable"
        ) from error


def _proxy(target: Target) -> socket.socket:
    """A socket pair with the command at its other end: paramiko's own ProxyCommand spins when the command ends."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = ["/bin/sh", "-c", f"exec {target.proxy_command}"]
        try:
            end = theirs.fileno()
            subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.DEVNULL, start_new_session=True)
        except OSError as error:
            ours.close()
            what = f"the ProxyCommand of '{target.alias}' can't be run: {error.strerror}"
            raise Trouble(what, cure="correct ProxyCommand in the SSH configuration", code="unreachable") from error
    return ours


def socket_trouble(target: Target, error: OSError) -> Trouble:
    """What a person needs to know of a connection that was not made."""
    place = f"{target.host} port {target.port}"
    if isinstance(error, socket.gaierror):
        what, cure = (
            f"no machine is known by the name '{target.host}'",
            "check the robot's address (`fieldgate robot list`)",
        )
    elif isinstance(error, ConnectionRefusedError):
        what, cure = f"{place} refuses connections", "start the SSH service on the robot, or correct the port"
    elif isinstance(error, TimeoutError):
        what, cure = f"{place} does not answer", "check that the robot is on and in this network"
    elif error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN):
        what, cure = (
            f"there is no way to {place}: {os.strerror(error.errno)}",
            "join the robot's network or start the VPN",
        )
    else:
        what, cure = f"{place} can't be reached: {error}", "check the robot's address and the network"
    return Trouble(what, cure=cure, code="unreachable")


def _handshake_trouble(target: Target, error: Exception) -> Trouble:
    if isinstance(error, TimeoutError):
        return socket_trouble(target, error)
    said = str(error) or "it hung up"
    what = f"what answers at {target.host} port {target.port} did not complete an SSH handshake: {said}"
    cure = "check that it is the robot's SSH service; it may be starting, or refuse more connections for now"
    return Trouble(what, cure=cure, code="unreachable")
