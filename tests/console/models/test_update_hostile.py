"""Keys, metadata, fleets and audits that are broken or hostile end in a sentence, never in a crash or a signature."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.models import acting
from console.models.audit import Audit, Line
from console.models.differences import differences
from console.models.first_root import hold_first_root, is_new
from console.models.fleet import Fleet, load_fleet
from console.models.keys import holder_of, make_key, read_public, read_signer
from console.models.pending import read_pending
from console.models.releasing import Wanted
from console.models.repository import OURS, Repository
from console.models.standing import standing
from console.models.verifying import verify
from remote.errors import Trouble
from tests.console.models.repo_world import World, no_passphrase, write_bundle


def code_of(trouble: pytest.ExceptionInfo[Trouble]) -> str:
    assert trouble.value.what
    return trouble.value.code


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("world"))
    world.init()
    world.release("red")
    return world


# ---------------------------------------------------------------- keys


def test_a_key_is_of_no_use_without_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "anna.pem"
    public = make_key(path, "five words drawn by lot")
    assert b"ENCRYPTED" in path.read_bytes()
    assert (path.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    answers = iter(["wrong", "wrong too", "five words drawn by lot"])
    asked = []

    def ask(file: Path, again: bool) -> str | None:
        asked.append(again)
        return next(answers)

    signer = read_signer(path, ask)
    assert asked == [False, True, True]
    assert holder_of(signer.public_key) == "anna"
    assert signer.public_key.keyid == read_public(public, no_passphrase).keyid
    with pytest.raises(Trouble) as caught:
        read_signer(path, lambda file, again: None if again else "wrong")
    assert code_of(caught) == "bad_passphrase"


def test_a_key_is_never_written_over_and_never_weak(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as caught:
        make_key(tmp_path / "a.pem", "short")
    assert code_of(caught) == "bad_key"
    assert not list(tmp_path.iterdir())
    make_key(tmp_path / "a.pem", "long enough")
    before = (tmp_path / "a.pem").read_bytes()
    with pytest.raises(Trouble) as caught:
        make_key(tmp_path / "a.pem", None)
    assert code_of(caught) == "key_exists"
    assert (tmp_path / "a.pem").read_bytes() == before


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    good = tmp_path / "good.pem"
    make_key(good, None)
    other = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    samples = [b"", b"hello", good.read_bytes()[:60], (tmp_path / "good.pem.pub").read_bytes(), other, b"\xff" * 99]
    for number, data in enumerate((*samples, b"x" * 20_000)):
        path = tmp_path / f"bad{number}.pem"
        path.write_bytes(data)
        with pytest.raises(Trouble) as caught:
            read_signer(path, no_passphrase)
        assert code_of(caught) == "bad_key", number
    with pytest.raises(Trouble) as caught:
        read_signer(tmp_path / "missing.pem", no_passphrase)
    assert code_of(caught) == "bad_key"


# ---------------------------------------------------------------- metadata


def hostile(data: bytes, chance: random.Random) -> bytes:
    """Truncated, or with a byte changed, or something else altogether."""
    kind = chance.randrange(4)
    if kind == 0:
        return data[: chance.randrange(len(data))]
    if kind == 1:
        at = chance.randrange(len(data))
        return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
    if kind == 2:
        return b'{"signed":' * chance.randrange(1, 20_000)
    return json.dumps({"signatures": [], "signed": {"_type": chance.choice(["root", "x"]), "version": -1}}).encode()


@pytest.mark.parametrize(
    "name", ["timestamp.json", "1.root.json", "2.targets.json", "2.snapshot.json", "1.rollout.json"]
)
def test_damaged_metadata_is_told_and_never_signed_on(made: World, tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    repository = Repository(made.copied(f"copy-{name}"))
    path = repository.metadata / name
    whole = path.read_bytes()
    assert verify(repository, made.hands).verdict == "pass"
    for _ in range(12):
        path.write_bytes(hostile(whole, chance))
        assert verify(repository, made.hands).verdict == "fail"
    path.write_bytes(whole[:-30])
    with pytest.raises(Trouble):
        acting.refresh(repository, made.hands)
    path.unlink()
    with pytest.raises(Trouble):
        acting.refresh(repository, made.hands)


def test_a_changed_target_is_found(made: World) -> None:
    repository = Repository(made.copied("copy-target"))
    [model] = repository.targets.rglob("*.model.onnx")
    data = model.read_bytes()
    for bad in (data[:-1], data + b"x", b"y" + data[1:]):
        model.write_bytes(bad)
        assert [one.name for one in verify(repository, made.hands).checks if one.verdict == "fail"] == ["releases"]


def test_a_damaged_pending_change_is_told_and_can_be_thrown_away(made: World) -> None:
    repository = Repository(made.copied("copy-pending"))
    waits = made.repository
    made.repository = repository
    try:
        made.release("blue", "anna")
    finally:
        made.repository = waits
    for name in ("targets.json", "change.json"):
        path = repository.pending / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-20])
        with pytest.raises(Trouble) as caught:
            read_pending(repository)
        assert code_of(caught) == "bad_repository"
        path.write_bytes(whole)
    forged = json.loads((repository.pending / "targets.json").read_bytes())
    forged["signed"]["targets"]["evil"] = {"length": 1, "hashes": {"sha256": "0" * 64}}
    (repository.pending / "targets.json").write_text(json.dumps(forged))
    pending = read_pending(repository)
    assert pending is not None
    assert pending.needs()[0].missing == 2, "anna's signature is not for this"


def change_targets(repository: Repository, change: Callable[[dict[str, Any]], object]) -> None:
    """What somebody does who can write the folder while a release waits in it."""
    path = repository.pending / "targets.json"
    metadata = json.loads(path.read_bytes())
    change(metadata["signed"])
    metadata["signatures"] = []
    path.write_text(json.dumps(metadata))


def evil(signed: dict[str, Any]) -> None:
    signed["targets"]["../../evil.json"] = {"length": 4, "hashes": {"sha256": "0" * 64}}


def more(signed: dict[str, Any]) -> None:
    signed["targets"]["releases/000099.json"] = signed["targets"][max(path for path in signed["targets"])]


def other_model(signed: dict[str, Any]) -> None:
    path = next(one for one in signed["targets"] if one.endswith("model.onnx"))
    signed["targets"][path] = {"length": 1, "hashes": {"sha256": "1" * 64}}


def wider(signed: dict[str, Any]) -> None:
    signed["delegations"]["roles"][0]["paths"] = ["*", "bundles/*/*"]


def handed_on(signed: dict[str, Any]) -> None:
    signed["delegations"]["roles"].append({**signed["delegations"]["roles"][0], "name": "mallory"})


def other_rollout_key(signed: dict[str, Any]) -> None:
    """The key itself is exchanged, its id stays: nothing but the key's bytes would tell."""
    [key] = signed["delegations"]["keys"].values()
    key["keyval"]["public"] = "11" * 32


def spare_rollout_key(signed: dict[str, Any]) -> None:
    [key] = signed["delegations"]["keys"].values()
    signed["delegations"]["keys"]["0" * 64] = key


def other_length(signed: dict[str, Any]) -> None:
    signed["targets"]["releases/000001.json"]["length"] = 1


@pytest.mark.parametrize(
    "change",
    [evil, more, other_model, wider, handed_on, other_rollout_key, spare_rollout_key, other_length],
    ids=lambda one: one.__name__,
)
def test_what_was_changed_while_it_waited_is_not_signed(
    made: World, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    """The second person signs what they are shown: a change that no command of ours makes is refused."""
    repository = Repository(made.copied(tmp_path.name))
    wanted = Wanted()
    acting.release(repository, made.hands, made.bundle("blue"), wanted, [])
    pending = read_pending(repository)
    assert pending is not None
    assert any("comes in: blue, bundle" in line for line in differences(repository, pending))
    change_targets(repository, change)
    with pytest.raises(Trouble) as caught:
        acting.sign(repository, made.hands, made.by("anna", "ben"))
    assert code_of(caught) == "bad_change"
    waits = standing(repository, made.now()).waits
    assert waits is not None
    assert waits.trouble
    assert acting.discard(repository, made.hands).outcome == "discarded"
    assert verify(repository, made.hands).checks[0].verdict == "pass"


def test_a_file_that_was_exchanged_while_it_waited_is_not_signed(made: World, tmp_path: Path) -> None:
    repository = Repository(made.copied(tmp_path.name))
    acting.release(repository, made.hands, made.bundle("blue"), Wanted(), [])
    [model] = (repository.pending / "targets").rglob("model.onnx")
    model.write_bytes(bytes(model.stat().st_size))
    with pytest.raises(Trouble) as caught:
        acting.sign(repository, made.hands, made.by("anna", "ben"))
    assert code_of(caught) == "bad_change"


def change_root(repository: Repository, change: Callable[[dict[str, Any]], object]) -> None:
    """The same while a new root waits."""
    path = repository.pending / "root.json"
    metadata = json.loads(path.read_bytes())
    change(metadata["signed"])
    metadata["signatures"] = []
    path.write_text(json.dumps(metadata))


def exchanged(signed: dict[str, Any]) -> None:
    keys = signed["keys"]
    keys[signed["roles"]["root"]["keyids"][0]]["keyval"]["public"] = "11" * 32


def one_key_twice(signed: dict[str, Any]) -> None:
    one, other, *_ = (signed["keys"][keyid] for keyid in signed["roles"]["root"]["keyids"])
    other["keyval"] = one["keyval"]


def with_a_false_id(signed: dict[str, Any]) -> None:
    keyid = signed["roles"]["root"]["keyids"][0]
    signed["keys"]["f" * 64] = signed["keys"][keyid]
    signed["roles"]["root"]["keyids"].append("f" * 64)


def renamed(signed: dict[str, Any]) -> None:
    signed["keys"][signed["roles"]["root"]["keyids"][0]]["x-fieldgate-holder"] = "mallory"


def other_words(signed: dict[str, Any]) -> None:
    signed["x-fieldgate"]["releases_above"] = 999_999


@pytest.mark.parametrize(
    "change", [exchanged, one_key_twice, with_a_false_id, renamed, other_words], ids=lambda one: one.__name__
)
def test_a_key_that_was_exchanged_under_its_id_is_not_signed(
    made: World, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    """Else who can write the folder becomes a holder of the offline keys by a harmless-looking `rotate` for more time."""
    repository = Repository(made.copied(tmp_path.name))
    acting.rotate(repository, made.hands, [])
    pending = read_pending(repository)
    assert pending is not None
    assert len(differences(repository, pending)) == 2, "only more time"
    change_root(repository, change)
    with pytest.raises(Trouble) as caught:
        acting.sign(repository, made.hands, made.by("anna", "ben"))
    assert code_of(caught) == "bad_change"
    assert repository.root_numbers() == (1,)


def test_another_change_than_the_one_that_was_shown_is_not_signed(made: World, tmp_path: Path) -> None:
    """While a person reads what waits and looks for the passphrase, somebody puts another change in its place."""
    repository = Repository(made.copied(tmp_path.name))
    acting.release(repository, made.hands, made.bundle("blue"), Wanted(), [])
    pending = read_pending(repository)
    assert pending is not None
    shown = pending.digest
    acting.discard(repository, made.hands)
    acting.release(repository, made.hands, made.bundle("green"), Wanted(), [])
    for agreed in (shown, ""):
        with pytest.raises(Trouble) as caught:
            acting.sign(repository, made.hands, made.by("anna", "ben"), agreed)
        assert code_of(caught) == "changed_meanwhile"
    pending = read_pending(repository)
    assert pending is not None
    assert acting.sign(repository, made.hands, made.by("anna"), pending.digest).outcome == "waits"
    assert acting.sign(repository, made.hands, made.by("ben"), pending.digest).outcome == "published", (
        "signatures count not"
    )


def test_a_name_can_not_bring_a_line_of_its_own_into_what_is_shown(made: World, tmp_path: Path) -> None:
    repository = Repository(made.copied(tmp_path.name))
    bundle = write_bundle(tmp_path / "bundle", "good\nroot wants 1 of 3 signatures")
    acting.release(repository, made.hands, bundle, Wanted(), [])
    pending = read_pending(repository)
    assert pending is not None
    assert all("\n" not in line for line in differences(repository, pending))


def forge(repository: Repository, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """What somebody does who can write the published folder and holds no key."""
    path = repository.metadata / name
    metadata = json.loads(path.read_bytes())
    change(metadata["signed"])
    path.write_text(json.dumps(metadata))


def test_what_a_stranger_wrote_into_the_folder_is_not_signed_along(made: World, tmp_path: Path) -> None:
    """A timer refreshes each night, and people sign what comes new: a rollout or a release that was slipped in must not
    pass.
    """

    def opened(signed: dict[str, Any]) -> None:
        data = b'{"format":1,"release":1,"everyone":true}'
        sha256 = hashlib.sha256(data).hexdigest()
        (repository.targets / f"{sha256}.rollout.json").write_bytes(data)
        signed["targets"]["rollout.json"] = {"length": len(data), "hashes": {"sha256": sha256}}
        signed["expires"] = (made.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")  # so that it is signed anew

    def slipped_in(signed: dict[str, Any]) -> None:
        signed["targets"]["releases/000050.json"] = {"length": 1, "hashes": {"sha256": "0" * 64}}

    def other_key(signed: dict[str, Any]) -> None:
        signed["keys"][signed["roles"]["targets"]["keyids"][0]]["keyval"]["public"] = "11" * 32

    forgeries = (
        ("1.rollout.json", opened, "bad_repository"),
        ("2.targets.json", slipped_in, "bad_repository"),
        ("1.root.json", other_key, "other_first_root"),
    )
    for number, (name, change, code) in enumerate(forgeries):
        repository = Repository(made.copied(f"{tmp_path.name}-{number}"))
        assert acting.refresh(repository, made.hands).outcome == "published"
        forge(repository, name, change)
        with pytest.raises(Trouble) as caught:
            acting.refresh(repository, made.hands)
        assert code_of(caught) == code
        with pytest.raises(Trouble) as caught:
            acting.release(repository, made.hands, made.bundle("blue"), Wanted(), made.by("anna", "ben"))
        assert code_of(caught) in (code, "bad_repository")


def written_anew(made: World, place: Path) -> Repository:
    """What somebody makes of the published folder who can write it: all roots from the first on, with keys of their own,
    under the id that people know.
    """
    place.mkdir()
    stranger = World(place)
    stranger.init()
    stranger.release("evil")
    known = json.loads((made.repository.metadata / "1.root.json").read_bytes())["signed"][OURS]
    root = stranger.repository.root(1)
    root.signed.unrecognized_fields[OURS] = known
    root.signatures.clear()
    for signer in stranger.by("anna", "ben"):
        root.sign(signer, append=True)
    (stranger.repository.metadata / "1.root.json").write_bytes(root.to_bytes())
    return stranger.repository


def test_roots_that_were_all_written_anew_are_refused_by_a_laptop_that_knows_the_first(
    made: World, tmp_path: Path
) -> None:
    """Each root is signed by the one before, so only the first one tells; people would sign on what a stranger made."""
    repository = written_anew(made, tmp_path / "stranger")
    assert repository.published().root.signed.version == 1, "the chain alone holds"
    acts: tuple[Callable[[], object], ...] = (
        lambda: acting.refresh(repository, made.hands),
        lambda: acting.release(repository, made.hands, made.bundle("blue"), Wanted(), made.by("anna")),
    )
    for act in acts:
        with pytest.raises(Trouble) as caught:
            act()
        assert code_of(caught) == "other_first_root"
    second = made.hands._replace(home=tmp_path / "second laptop")
    assert is_new(made.repository, second)
    hold_first_root(made.repository, second)
    assert not is_new(made.repository, second)
    with pytest.raises(Trouble) as caught:
        is_new(repository, second)
    assert standing(repository, made.now()).first_root[:16] in caught.value.what
    assert standing(made.repository, made.now()).first_root[:16] in caught.value.what


def test_a_first_root_that_waits_for_a_signature_is_the_one_that_is_published(tmp_path: Path) -> None:
    """The second person compares it before the first signature of theirs: it must not be another number afterwards."""
    world = World(tmp_path)
    assert world.init("anna").outcome == "waits"
    waits = standing(world.repository, world.now()).first_root
    assert acting.sign(world.repository, world.hands, world.by("ben")).outcome == "published"
    assert len(waits) == 64
    assert standing(world.repository, world.now()).first_root == waits


def test_a_description_that_lies_does_not_hide_what_is_signed(made: World, tmp_path: Path) -> None:
    repository = Repository(made.copied(tmp_path.name))
    acting.rotate(repository, made.hands, [], remove=["cleo"])
    path = repository.pending / "change.json"
    path.write_bytes(path.read_bytes().replace(b"without cleo", b"more time"))
    waits = standing(repository, made.now()).waits
    assert waits is not None
    assert "more time" in waits.change.text
    assert any(line.startswith("cleo (") and line.endswith("may sign root no more") for line in waits.changes)


def test_a_damaged_change_can_be_thrown_away(made: World, tmp_path: Path) -> None:
    repository = Repository(made.copied(tmp_path.name))
    first = acting.release(repository, made.hands, made.bundle("blue"), Wanted(), made.by("anna")).release or 0
    (repository.pending / "targets.json").write_bytes(b"{")
    assert acting.discard(repository, made.hands).outcome == "discarded"
    came = acting.release(repository, made.hands, made.bundle("blue"), Wanted(), made.by("anna", "ben"))
    assert (came.outcome, came.release) == ("published", first + 1), "anna's signature may lie somewhere"


# ---------------------------------------------------------------- audit


def line(text: str) -> Line:
    return Line(id=text, seq=1, prev="", wall_ns=1, person="anna", act="refresh", text=text)


def test_an_audit_can_not_be_changed_in_the_middle(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    for text in ("one", "two", "three"):
        audit.append(line(text))
    whole = audit.path.read_bytes()
    assert [one.text for one in audit.lines()] == ["one", "two", "three"]
    lines = whole.splitlines(keepends=True)
    for bad in (whole.replace(b"two", b"2wo"), lines[0] + lines[2], lines[1] + lines[0], b"{}\n", b"x" * 99 + b"\n"):
        audit.path.write_bytes(bad)
        with pytest.raises(Trouble) as caught:
            audit.append(line("four"))
        assert code_of(caught) == "audit_damaged"
        assert audit.path.read_bytes() == bad, "what is forged is not added to"


def test_the_rest_of_a_line_that_a_power_cut_left_is_no_forgery(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    audit.append(line("one"))
    whole = audit.path.read_bytes()
    audit.path.write_bytes(whole + b'{"id":"tw')
    assert [one.text for one in audit.lines()] == ["one"]
    audit.append(line("two"))
    assert [(one.seq, one.text) for one in audit.lines()] == [(1, "one"), (2, "two")]


def test_an_audit_that_was_cut_off_or_written_anew_is_found_by_the_laptop(made: World) -> None:
    repository = Repository(made.copied("copy-audit"))
    lines = repository.audit_path.read_bytes().splitlines(keepends=True)
    repository.audit_path.write_bytes(b"".join(lines[:-1]))
    failed = {one.name for one in verify(repository, made.hands).checks if one.verdict == "fail"}
    assert failed == {"laptop", "told"}
    repository.audit_path.unlink()
    Audit(repository.audit_path).append(line("nothing happened"))
    failed = {one.name for one in verify(repository, made.hands).checks if one.verdict == "fail"}
    assert failed == {"laptop", "told"}


# ---------------------------------------------------------------- fleet.yaml

GOOD = """
robots: [orin-1, orin-2, orin-3, orin-4]
waves: [[orin-1], [orin-2, orin-3], rest]
agents: {orin-2: jetson-7}
stop: {allowed_share: 0.05}
"""


def test_a_fleet_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(GOOD)
    fleet = load_fleet(path)
    assert fleet.steps() == (("orin-1",), ("orin-2", "orin-3"), ("orin-4",))
    assert (fleet.agent("orin-2"), fleet.agent("orin-1"), fleet.stop.allowed_share) == ("jetson-7", "orin-1", 0.05)
    path.write_text("waves: [[orin-1], everyone]")
    assert (load_fleet(path).opens_everyone(0), load_fleet(path).opens_everyone(1)) == (False, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "waves"),
        ("waves: []", "waves"),
        ("waves: [[]]", "no robots"),
        ("waves: [[a], [a]]", "two waves"),
        ("waves: [rest]", "rest"),
        ("waves: [everyone, [a]]", "last"),
        ("waves: [all]", "all"),
        ("robots: [a]\nwaves: [[b]]", "'b'"),
        ("waves: [[a, b]]\nagents: {a: x, b: x}", "two robots"),
        ("waves: [[a]]\nstop: {allowed_share: 1.5}", "allowed_share"),
        ("waves: [[a]]\nstopp: {}", "stop"),
        ("waves: [[a]]\nwaves: [[b]]", "twice"),
        ("waves: &a [*a]", "line 1"),
        ("waves: [[1]]", "waves"),
        ("format: 2\nwaves: [[a]]", "format"),
    ],
)
def test_a_fleet_that_can_not_be_meant_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    with pytest.raises(Trouble) as caught:
        load_fleet(path)
    assert code_of(caught) == "bad_fleet"
    assert says in f"{caught.value.what} {caught.value.cure}"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.text(alphabet="waves: []{}&*!ab,\n-'\"", max_size=120).map(str.encode))
def test_no_fleet_file_crashes_the_reader(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_bytes(data)
    refusal = None
    try:
        assert isinstance(load_fleet(path), Fleet)
    except Trouble as trouble:
        refusal = trouble.code
    assert refusal in (None, "bad_fleet")
