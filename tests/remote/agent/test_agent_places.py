"""Files and folders of the agent: private, never torn, and clear words where something is wrong with them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.agent import settings as settings_file
from remote.agent import sources
from remote.agent.attach import connect
from remote.agent.bundles import BundleStore, embedded_folder
from remote.agent.counters import Counters
from remote.agent.pictures import jpeg_size, picture
from remote.agent.places import SOCKET_PATH_LIMIT_BYTES, places_for
from remote.agent.settings import Limits, Settings
from remote.atomic import write_atomically
from remote.errors import Trouble


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_inside_the_home_and_private(tmp_path: Path) -> None:
    places = places_for(tmp_path / "home").prepare()
    assert {mode_of(folder) for folder in (places.state, places.pictures, places.bundles)} == {0o700}
    assert places.socket.parent == places.state == tmp_path / "home"


def test_without_a_home_the_users_directories_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    places = places_for().prepare()
    assert places.journal == tmp_path / "state" / "fieldgate-agent" / "journal.db"
    assert places.socket == tmp_path / "run" / "fieldgate-agent" / "agent.sock"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "not there"))
    assert places_for().runtime == Path(f"/tmp/fieldgate-agent-{os.getuid()}")


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_a_path_too_long_for_a_socket_is_said_before_it_fails(extra: int, fits: bool) -> None:
    home = "/tmp/" + "x" * (SOCKET_PATH_LIMIT_BYTES - len("/tmp//agent.sock") + extra)
    places = places_for(Path(home))
    if fits:
        places.check_socket_path()
    else:
        with pytest.raises(Trouble, match="107") as trouble:
            places.check_socket_path()
        assert "--home" in trouble.value.cure


def test_an_agent_that_hangs_does_not_hold_up_who_asks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its queue was full, `status` and each new console waited for ever."""
    monkeypatch.setattr("remote.agent.attach.CONNECT_S", 0.2)
    places = places_for(tmp_path).prepare()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door, contextlib.ExitStack() as waiting:
        door.bind(str(places.socket))
        door.listen(0)
        first = connect(places)
        assert first is not None
        assert first.getblocking()
        waiting.enter_context(first)

        def more() -> None:
            while taken := connect(places):
                waiting.enter_context(taken)

        with pytest.raises(Trouble, match="the agent hangs") as trouble:
            more()
        assert (trouble.value.code, "stop" in trouble.value.cure) == ("no_agent", True)


def test_a_link_or_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(Trouble) as trouble:
            places_for(tmp_path / name).prepare()
        assert trouble.value.code == "unsafe_place"


def test_a_folder_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o777)
    (tmp_path / "home").chmod(0o777)
    assert mode_of(places_for(tmp_path / "home").prepare().state) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder that belongs to somebody else")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", 4711, -1)
    with pytest.raises(Trouble, match="4711"):
        places_for(tmp_path / "home").prepare()


# ------------------------------------------------------------ settings


def test_missing_settings_are_the_defaults_and_saved_ones_come_back(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    assert settings_file.load(file) == Settings()
    chosen = Settings(source="folder:/a b", on_link_loss="stop", folders=("/x",), limits=Limits(keep_bytes=5))
    settings_file.save(file, chosen)
    assert settings_file.load(file) == chosen
    file.write_text("")
    assert settings_file.load(file) == Settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("on_link_loss: explode", "on_link_loss"),
        ("sorce: 'scene:'", "sorce"),
        ("limits: {max_bytes: -1}", "max_bytes"),
        ("[1, 2", "settings.yaml"),
        ("- a\n- b", "settings.yaml"),
        ("!!python/object/apply:os.system ['true']", "settings.yaml"),
        ("\x00\x01", "settings.yaml"),
    ],
)
def test_wrong_settings_name_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    with pytest.raises(Trouble) as trouble:
        settings_file.load(file)
    assert trouble.value.code == "bad_settings"
    assert named in trouble.value.what
    assert str(file) in trouble.value.what


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "f"
    write_atomically(file, b"old")
    (tmp_path / "gone").mkdir()
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "nowhere" / "f", b"new")
    assert file.read_bytes() == b"old"
    assert mode_of(file) == 0o600
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "gone"]


def test_epochs_and_runs_go_on_after_a_restart_also_with_a_broken_file(tmp_path: Path) -> None:
    file = tmp_path / "counters.json"
    first = Counters(file)
    assert [first.next_run(), first.next_run()] == [1, 2]
    first.granted(7)
    again = Counters(file)
    assert (again.run, again.epoch) == (2, 7)
    file.write_text("{torn")
    assert Counters(file, floor=1000).next_run() == 1001


# ------------------------------------------------------------ sources, bundles, pictures


def test_only_what_is_there_is_offered(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "video0").write_text("")
    (tmp_path / "names" / "video0").mkdir(parents=True)
    (tmp_path / "names" / "video0" / "name").write_text("Big Camera\n")
    (tmp_path / "pictures").mkdir()
    folders, chosen = (str(tmp_path / "pictures"), "/nowhere"), "folder:/data/typed?fps=5"
    found = sources.choices(folders, chosen, tmp_path / "dev", tmp_path / "names")
    assert [choice.value for choice in found] == [
        "scene:",
        f"folder:{tmp_path}/pictures",
        f"v4l2:{tmp_path}/dev/video0",
        chosen,
    ], "what was chosen by hand must be there to come back to"
    again = sources.choices(folders, "scene:", tmp_path / "dev", tmp_path / "names")
    assert [choice.value for choice in again].count("scene:") == 1
    assert found[2].text.startswith("Big Camera")


def test_a_source_is_accepted_when_it_can_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.JPG").write_bytes(b"x")
    (tmp_path / "clip.mp4").write_bytes(b"x")
    for good in ("scene:", "scene:4", f"folder:{tmp_path}", f"video:{tmp_path}/clip.mp4", "v4l2:/dev/null"):
        sources.check(good)
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("")
    for bad in (
        f"folder:{empty}",
        "folder:/nowhere",
        f"folder:{tmp_path}/a.JPG",
        f"video:{tmp_path}",
        "scene",
        "",
        "x:y",
    ):
        with pytest.raises(Trouble) as trouble:
            sources.check(bad)
        assert trouble.value.cure


@given(st.text(max_size=50))
def test_no_text_breaks_the_check_of_sources(text: str) -> None:
    code = "accepted"
    try:
        sources.check(text)
    except Trouble as trouble:
        code = trouble.code
    assert code in ("accepted", "bad_source")


def test_the_embedded_bundle_is_found_by_its_digest_and_by_a_prefix_of_eight(tmp_path: Path) -> None:
    store = BundleStore(places_for(tmp_path / "home").prepare())
    digest = store.default_digest()
    assert digest is not None
    assert embedded_folder() is not None
    for wanted in (digest, digest[:8], digest[:8].upper()):
        assert store.find(wanted)[1].digest == digest
    for unknown in (digest[:7], "0" * 64, "", "../.."):
        with pytest.raises(Trouble) as trouble:
            store.find(unknown)
        assert trouble.value.code == "unknown_bundle"


def test_a_bundle_broken_on_the_way_is_listed_as_unusable_and_refused(tmp_path: Path) -> None:
    import shutil

    places = places_for(tmp_path / "home").prepare()
    embedded = embedded_folder()
    assert embedded is not None
    copy = places.bundles / "copy"
    shutil.copytree(embedded, copy)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")  # another identity
    (copy / "model.onnx").write_bytes(b"cut off")
    store = BundleStore(places)
    texts = [choice.text for choice in store.choices()]
    assert len(texts) == 2
    assert [text for text in texts if text.startswith("unusable:")]
    broken = next(choice.value for choice in store.choices() if choice.text.startswith("unusable:"))
    with pytest.raises(Trouble, match="truncated"):
        store.find(broken)


JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc0\x00\x11\x08\x01\xe0\x02\x80\x03" + b"\x00" * 20


def test_a_picture_comes_with_its_size_and_only_if_its_digest_is_right(tmp_path: Path) -> None:
    digest = hashlib.sha256(JPEG).hexdigest()
    (tmp_path / f"{digest}.jpg").write_bytes(JPEG)
    found = picture(tmp_path, digest)
    assert (found.width, found.height, found.jpeg) == (640, 480, JPEG)
    for data in (JPEG[:15], JPEG + b"x", b""):
        (tmp_path / f"{digest}.jpg").write_bytes(data)
        with pytest.raises(Trouble) as trouble:
            picture(tmp_path, digest)
        assert trouble.value.code == "bad_picture"


@given(st.binary(max_size=200))
def test_no_bytes_break_the_look_at_a_jpeg(data: bytes) -> None:
    for candidate in (data, b"\xff\xd8" + data, JPEG[:10] + data):
        size = jpeg_size(candidate)
        assert size is None or (0 < size[0] < 65536 and 0 < size[1] < 65536)


def test_the_page_shows_the_real_settings_with_their_defaults(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "agent.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "settings.yaml").write_text(example)
    assert settings_file.load(tmp_path / "settings.yaml") == Settings()
    for name in (*Settings.__struct_fields__, *Limits.__struct_fields__):
        assert f"{name}:" in example
