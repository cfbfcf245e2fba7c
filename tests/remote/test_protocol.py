"""The wire: what is written down is what is spoken, and nothing that comes in can do harm."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.protocol import (
    FAILURES,
    LINE_LIMIT_BYTES,
    AgentHello,
    Body,
    Command,
    ConsoleHello,
    Entries,
    Entry,
    Event,
    FromAgent,
    FromConsole,
    Ping,
    Request,
    Window,
    body_of,
    from_agent,
    from_console,
    handshake_trouble,
    line,
    raw,
)

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
EXAMPLES = [one for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for one in block.splitlines()]


def decoded(example: str) -> FromAgent | FromConsole:
    try:
        return from_agent(example.encode())
    except Trouble:
        return from_console(example.encode())


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_on_the_page_is_spoken(example: str) -> None:
    message = decoded(example)
    assert line(message) == example.encode() + b"\n"
    if isinstance(message, Entries):
        assert all(body_of(entry) for entry in message.entries)


def tags(union: Any) -> set[str]:
    return {str(kind.__struct_config__.tag) for kind in get_args(union)}


def test_every_message_command_and_body_has_an_example() -> None:
    shown = [decoded(example) for example in EXAMPLES]
    assert {str(type(one).__struct_config__.tag) for one in shown} == tags(FromAgent) | tags(FromConsole)
    assert {str(type(one.command).__struct_config__.tag) for one in shown if isinstance(one, Request)} == tags(Command)
    bodies = [body_of(entry) for one in shown if isinstance(one, Entries) for entry in one.entries]
    assert {str(type(body).__struct_config__.tag) for body in bodies} == tags(Body)


def strings_in_calls(folder: str) -> Iterator[tuple[str, str]]:
    """(what, word) for each event name and error code that the sources of `folder` give as a literal."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            words = {keyword.arg: keyword.value for keyword in node.keywords if isinstance(keyword.value, ast.Constant)}
            first = node.args[0] if node.args else None
            if function in ("event", "_event") and isinstance(first, ast.Constant):
                yield "event", str(first.value)
            if function == "Event" and "name" in words:
                yield "event", str(words["name"].value)
            if function == "Trouble" and "code" in words:
                yield "code", str(words["code"].value)
            if function == "ErrorInfo" and isinstance(first, ast.Constant):
                yield "code", str(first.value)


# Codes of commands and of the start, which no console ever gets over the wire.
SPEAKING = ("remote/agent", "remote/activation", "remote/updates", "remote/perception", "remote/models/validation")
LOCAL = {"already_running", "bad_settings", "no_journal", "path_too_long", "unsafe_place"}


@pytest.mark.parametrize("what", ["event", "code"])
def test_every_event_and_error_code_of_the_agent_is_on_the_page(what: str) -> None:
    spoken = {word for folder in SPEAKING for kind, word in strings_in_calls(folder) if kind == what} - LOCAL
    assert len(spoken) > 15
    assert {word for word in spoken if f"`{word}`" not in PAGE} == set()


def test_every_failure_is_on_the_page() -> None:
    assert [name for name in FAILURES if name not in PAGE] == []


@given(st.binary(max_size=300))
def test_no_bytes_do_worse_than_a_refusal(data: bytes) -> None:
    for decode in (from_agent, from_console):
        code = "understood"
        try:
            decode(data)
        except Trouble as trouble:
            code = trouble.code
        assert code in ("understood", "bad_message")


@pytest.mark.parametrize(("size", "code"), [(LINE_LIMIT_BYTES, "bad_message"), (LINE_LIMIT_BYTES + 1, "too_long")])
def test_the_size_limit(size: int, code: str) -> None:
    with pytest.raises(Trouble) as trouble:
        from_console(b"x" * size)
    assert trouble.value.code == code


def test_deep_nesting_is_refused_not_followed() -> None:
    with pytest.raises(Trouble):
        from_console(b'{"type":"ping","id":1,"x":' + b"[" * 100_000)


def test_fields_of_the_future_are_ignored_and_missing_ones_refused() -> None:
    assert from_console(b'{"type":"ping","id":1,"colour":"red"}') == Ping(1)
    with pytest.raises(Trouble, match="id"):
        from_console(b'{"type":"ping"}')


def test_a_body_stays_the_bytes_that_were_written() -> None:
    written = b'{"kind":"event","name":"n","severity":"info","text":"t","of_the_future":[1,2]}'
    entry = Entry(1, "b", 2, 3, msgspec.Raw(written))
    sent = from_agent(line(Entries((entry,))))
    assert isinstance(sent, Entries)
    assert bytes(sent.entries[0].body) == written
    assert body_of(sent.entries[0]) == Event(name="n", severity="info", text="t")


def test_a_body_of_an_unknown_kind_is_told_with_a_cure() -> None:
    with pytest.raises(Trouble) as trouble:
        body_of(Entry(9, "b", 2, 3, msgspec.Raw(b'{"kind":"hologram"}')))
    assert "9" in trouble.value.what
    assert trouble.value.cure


def test_numbers_that_are_none_can_not_get_into_the_journal_as_numbers() -> None:
    body = raw(Event(name="n", severity="info", text="t", data={"x": float("nan")}))
    assert b"null" in bytes(body)


def test_frames_a_second_count_over_the_real_span() -> None:
    example = next(one for one in map(decoded, EXAMPLES) if isinstance(one, Entries))
    window = body_of(example.entries[0])
    assert isinstance(window, Window)
    assert window.fps == pytest.approx(window.frames / (window.span_ms / 1000))
    assert msgspec.structs.replace(window, span_ms=0.0).fps is None


def hello(side: str, protocol: int, oldest: int) -> AgentHello | ConsoleHello:
    if side == "agent":
        return AgentHello(
            protocol=protocol,
            oldest_protocol=oldest,
            software="",
            robot="",
            boot_id="",
            journal="",
            mono_ns=0,
            wall_ns=0,
        )
    return ConsoleHello(protocol=protocol, oldest_protocol=oldest, software="", client_id="", name="")


@pytest.mark.parametrize(
    ("side", "protocol", "oldest", "says", "cure"),
    [
        ("agent", 0, 0, "the agent is too old", "deploy"),
        ("agent", 5, 2, "this console is too old", "laptop"),
        ("console", 0, 0, "the console is too old", "laptop"),
        ("console", 5, 2, "this agent is too old", "deploy"),
    ],
)
def test_the_handshake_names_the_side_that_is_too_old_and_its_cure(
    side: str, protocol: int, oldest: int, says: str, cure: str
) -> None:
    trouble = handshake_trouble(hello(side, protocol, oldest))
    assert trouble is not None
    assert trouble.what.startswith(says)
    assert cure in trouble.cure
    assert handshake_trouble(hello(side, 5, 1)) is None
