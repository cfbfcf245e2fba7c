"""Reaching a robot over a real sshd: what works, and what is said when it does not."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
import pytest

from console.link.asking import AcceptingNewAsker, RefusingAsker
from console.link.opening import open_session, transport_of
from console.robots import Robot
from remote.errors import Trouble
from tests.console.link.conftest import at
from tests.sshd import Laptop, Sshd, free_port, make_key, running
from tests.waiting import wait_until


@dataclass
class Answers:
    """An Asker that answers from a list and notes what it was asked."""

    passphrases: list[str] = field(default_factory=list)
    trust: bool = False
    asked: list[str] = field(default_factory=list)

    def ask_passphrase(self, key_file: str, again: bool) -> str | None:
        self.asked.append(f"{Path(key_file).name} {again}")
        return self.passphrases.pop(0) if self.passphrases else None

    def confirm_host_key(self, host: str, key_type: str, fingerprint: str) -> bool:
        self.asked.append(f"{host} {key_type} {fingerprint}")
        return self.trust


def said(robot: Robot, asker: object = None) -> str:
    """What `echo` brings back over a fresh transport."""
    transport = transport_of(robot, asker)  # type: ignore[arg-type]
    try:
        ran = transport.run("echo to-stdout; echo to-stderr >&2; exit 3")
        assert (ran.exit, ran.err) == (3, b"to-stderr\n")
        return ran.out.decode().strip()
    finally:
        transport.close()


def trouble(robot: Robot, asker: object = None) -> Trouble:
    with pytest.raises(Trouble) as caught:
        said(robot, asker)
    assert caught.value.cure, "every trouble of a connection names a cure"
    return caught.value


def fingerprint(server: Sshd) -> str:
    """By OpenSSH's own program."""
    words = subprocess.run(["ssh-keygen", "-lf", str(server.host_key)], check=True, capture_output=True, text=True)
    return words.stdout.split()[1]


BOTH = pytest.mark.parametrize("transport", ["paramiko", "openssh"])


@BOTH
def test_a_known_host_and_a_key_are_enough(server: Sshd, transport: str) -> None:
    assert said(at(server, transport=transport)) == "to-stdout"


def test_an_alias_with_include_names_everything(server: Sshd, laptop: Laptop) -> None:
    other = make_key(laptop.ssh / "field_key")
    server.authorized_keys.write_text((laptop.ssh / "field_key.pub").read_text())
    folder = laptop.ssh / "conf.d"
    folder.mkdir()
    (folder / "robots.conf").write_text(
        f"Host bench-*\n  HostName 127.0.0.1\n  Port {server.port}\n  IdentityFile {other}\n"
    )
    laptop.config.write_text("Include conf.d/*.conf\nHost *\n  Port 1\n  IdentitiesOnly yes\n")
    assert said(at(server, address="bench-orin")) == "to-stdout"


def test_a_host_named_after_an_include_in_a_block_is_still_found(server: Sshd, laptop: Laptop) -> None:
    (laptop.ssh / "other").write_text("Host orin\n  Port 1\n")
    laptop.config.write_text(
        f"Host elsewhere\n  Include other\nHost orin\n  HostName 127.0.0.1\n  Port {server.port}\n"
    )
    assert said(at(server, address="orin")) == "to-stdout"


def test_a_jump_host_carries_the_session(server: Sshd, laptop: Laptop, tmp_path: Path) -> None:
    jump = Sshd(tmp_path / "jump")
    jump.allow(laptop.key)
    laptop.knows(jump)
    laptop.config.write_text(
        f"Host orin\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyJump gate\n"
        f"Host gate\n  HostName 127.0.0.1\n  Port {jump.port}\n"
    )
    with running(jump):
        assert said(at(server, address="orin")) == "to-stdout"
        assert "Accepted publickey" in jump.log.read_text()
    assert trouble(at(server, address="orin")).code == "unreachable"


def test_a_chain_of_two_jump_hosts(server: Sshd, laptop: Laptop) -> None:
    here = f"127.0.0.1:{server.port}"
    laptop.config.write_text(f"Host orin\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyJump {here},{here}\n")
    assert said(at(server, address="orin")) == "to-stdout"
    assert server.log.read_text().count("Accepted publickey") == 3


def test_jump_hosts_that_lead_in_a_circle_are_said(server: Sshd, laptop: Laptop) -> None:
    laptop.config.write_text("Host orin\n  ProxyJump gate\nHost gate\n  ProxyJump orin\n")
    assert "jump hosts" in trouble(at(server, address="orin")).what


def test_a_proxy_command_carries_the_session(server: Sshd, laptop: Laptop) -> None:
    python = 'python3 -c \'import socket,sys,threading,os;s=socket.create_connection(("%h",%p));' + (
        'threading.Thread(target=lambda:[os.write(1,d) for d in iter(lambda:s.recv(65536),b"")],daemon=True).start();'
        '[s.sendall(d) for d in iter(lambda:os.read(0,65536),b"")]\''
    )
    laptop.config.write_text(f"Host orin\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyCommand {python}\n")
    assert said(at(server, address="orin")) == "to-stdout"


def test_a_proxy_command_that_fails_is_said_at_once(server: Sshd, laptop: Laptop) -> None:
    laptop.config.write_text("Host orin\n  ProxyCommand false\n")
    assert trouble(at(server, address="orin")).code == "unreachable"


def test_an_unknown_key_is_shown_as_openssh_shows_it_and_refused_without_a_person(server: Sshd, laptop: Laptop) -> None:
    laptop.known_hosts.write_text("")
    asker = Answers(trust=False)
    refused = trouble(at(server), asker)
    assert refused.code == "unknown_host_key"
    assert asker.asked == [f"[127.0.0.1]:{server.port} ssh-ed25519 {fingerprint(server)}"]
    assert fingerprint(server) in refused.what
    assert laptop.known_hosts.read_text() == ""


def test_an_accepted_key_is_remembered_for_openssh_too(server: Sshd, laptop: Laptop) -> None:
    laptop.known_hosts.write_text("# no newline at the end")
    asker = Answers(trust=True)
    assert said(at(server), asker) == "to-stdout"
    assert said(at(server), RefusingAsker()) == "to-stdout"
    assert said(at(server, transport="openssh"), RefusingAsker()) == "to-stdout"
    assert len(asker.asked) == 1


@BOTH
def test_accept_new_takes_an_unknown_key_without_a_question(server: Sshd, laptop: Laptop, transport: str) -> None:
    laptop.known_hosts.write_text("")
    session = open_session(at(server, transport=transport), asker=AcceptingNewAsker(RefusingAsker()))
    session.close()
    assert server.public_host_key in laptop.known_hosts.read_text()


def test_a_hashed_line_is_understood(server: Sshd, laptop: Laptop) -> None:
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(laptop.known_hosts)], check=True, capture_output=True)
    assert "127.0.0.1" not in laptop.known_hosts.read_text()
    assert said(at(server)) == "to-stdout"


@BOTH
def test_a_changed_key_is_refused_whatever_was_agreed_to(server: Sshd, laptop: Laptop, transport: str) -> None:
    """Who accepts it gives the robot, and what it sees, to whoever stands in between."""
    server.new_host_key()
    before = laptop.known_hosts.read_text()
    for asker in (Answers(trust=True), AcceptingNewAsker(RefusingAsker())):
        refused = trouble(at(server, transport=transport), asker)
        assert refused.code == "changed_host_key"
        assert "ssh-keygen" in refused.cure
    assert laptop.known_hosts.read_text() == before


def test_a_key_of_another_type_is_a_change(server: Sshd, laptop: Laptop, tmp_path: Path) -> None:
    rsa = tmp_path / "rsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(rsa)], check=True)
    kind, key = rsa.with_name("rsa.pub").read_text().split()[:2]
    laptop.known_hosts.write_text(f"[127.0.0.1]:{server.port} {kind} {key}\n")
    assert trouble(at(server), Answers(trust=True)).code == "changed_host_key"


def test_a_revoked_key_is_refused_though_it_is_known(server: Sshd, laptop: Laptop) -> None:
    laptop.known_hosts.write_text(laptop.known_hosts.read_text() + f"@revoked * {server.public_host_key}\n")
    refused = trouble(at(server), Answers(trust=True))
    assert (refused.code, "revoked" in refused.what) == ("changed_host_key", True)


@BOTH
def test_a_refused_login_names_the_keys_tried(server: Sshd, transport: str) -> None:
    server.authorized_keys.write_text("")
    refused = trouble(at(server, transport=transport))
    assert refused.code == "auth_failed"
    if transport == "paramiko":
        assert "id_ed25519" in refused.what


def test_a_passphrase_is_asked_for_again_when_wrong_and_only_once_a_transport(server: Sshd, laptop: Laptop) -> None:
    laptop.key.unlink()
    laptop.key.with_name("id_ed25519.pub").unlink()
    server.authorized_keys.write_text("")
    server.allow(make_key(laptop.key, "open sesame"))
    asker = Answers(passphrases=["wrong", "open sesame"])
    transport = transport_of(at(server), asker)
    assert transport.run("true").exit == 0
    transport.close()
    assert transport.run("true").exit == 0
    transport.close()
    assert asker.asked == ["id_ed25519 False", "id_ed25519 True"]
    refused = trouble(at(server), RefusingAsker())
    assert "not opened" in refused.what


def test_a_session_asks_before_it_starts_and_never_while_a_screen_is_up(server: Sshd, laptop: Laptop) -> None:
    laptop.key.unlink()
    server.authorized_keys.write_text("")
    laptop.key.with_name("id_ed25519.pub").unlink()
    server.allow(make_key(laptop.key, "open sesame"))
    asker = Answers(passphrases=["open sesame"])
    session = open_session(at(server), asker=asker)
    assert asker.asked == ["id_ed25519 False"]
    session.start(lambda snapshot: None)
    wait_until(lambda: session.snapshot.link.phase == "up", 20, "the link without another question")
    session.close()
    server.new_host_key()
    with pytest.raises(Trouble) as caught:
        open_session(at(server), asker=Answers(passphrases=["open sesame"], trust=True))
    assert caught.value.code == "changed_host_key"
    laptop.known_hosts.write_text("")
    later = open_session(at(server), asker=RefusingAsker())
    later.start(lambda snapshot: None)
    wait_until(lambda: later.snapshot.link.phase == "refused", 10, "the refusal")
    later.close()


def test_a_key_of_the_ssh_agent_is_used_before_a_file_is_opened(
    server: Sshd, laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(door)], stdout=subprocess.DEVNULL)
    try:
        wait_until(door.exists, 5, "the SSH agent")
        monkeypatch.setenv("SSH_AUTH_SOCK", str(door))
        subprocess.run(["ssh-add", "-q", str(laptop.key)], check=True, capture_output=True)
        laptop.key.write_text("gone")
        assert said(at(server)) == "to-stdout"
    finally:
        process.kill()
        process.wait()


@BOTH
def test_wrong_name_and_closed_port_are_told_apart(server: Sshd, transport: str) -> None:
    refused = trouble(at(server, address=f"127.0.0.1:{free_port()}", transport=transport))
    assert (refused.code, "efuse" in refused.what) == ("unreachable", True)
    wrong = trouble(at(server, address="no-such-robot.invalid", transport=transport))
    assert wrong.code == "unreachable"
    assert "no-such-robot.invalid" in wrong.what


def test_something_that_is_no_ssh_service_is_said(server: Sshd) -> None:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(
            target=lambda: listener.accept()[0].sendall(b"HTTP/1.1 400 Bad\r\n\r\n" * 200), daemon=True
        ).start()
        found = trouble(at(server, address=f"127.0.0.1:{listener.getsockname()[1]}"))
    assert (found.code, "SSH" in found.what) == ("unreachable", True)


@BOTH
def test_a_file_arrives_whole_and_goes_on_from_an_offset(server: Sshd, tmp_path: Path, transport: str) -> None:
    data = bytes(range(256)) * 3000
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    seen: list[tuple[int, int]] = []
    way = transport_of(at(server, transport=transport))
    way.put(source, str(target), lambda done, whole: seen.append((done, whole)))
    assert target.read_bytes() == data
    assert seen[-1] == (len(data), len(data))
    target.write_bytes(data[:1000])
    way.put(source, str(target), offset=1000)
    way.close()
    assert target.read_bytes() == data


@BOTH
def test_a_robot_without_fieldgate_says_deploy(server: Sshd, transport: str) -> None:
    with pytest.raises(Trouble) as caught:
        _attach(at(server, transport=transport, root="~/nothing/here"))
    assert caught.value.code == "no_agent"
    assert "fieldgate deploy orin" in caught.value.cure


def _attach(robot: Robot) -> None:
    from console.link.attach import ended_trouble
    from console.link.wire import Wire
    from remote.protocol import ConsoleHello

    wire = Wire(transport_of(robot).open())
    try:
        wire.greet(ConsoleHello(protocol=1, oldest_protocol=1, software="0", client_id="t", name="t"))
    except Trouble as trouble:
        raise ended_trouble(robot, trouble.what) from trouble
    finally:
        wire.close()


def test_a_link_that_dies_as_the_key_is_shown_is_no_refused_login(
    server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console waited for a person to put a key there, and never tried again by itself."""
    shown = paramiko.Transport.auth_publickey

    def cut(transport: paramiko.Transport, *words: Any) -> list[str]:
        transport.sock.shutdown(socket.SHUT_WR)
        return shown(transport, *words)

    monkeypatch.setattr(paramiko.Transport, "auth_publickey", cut)
    way = transport_of(at(server))
    with pytest.raises(Trouble) as caught:
        way.open()
    assert caught.value.code == "unreachable"
