"""Files of simulators: HDF5 and MCAP, whole, cut, damaged and hostile; and the command that reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from mcap.writer import Writer

from console.commands.gap import gap
from console.tables.held import hold
from console.tables.reading import Table, read_table
from remote.errors import Trouble


def read(path: Path, **given: Any) -> Table:
    return read_table(hold(path.parent, path.name, code="bad_table", what="table", limit_bytes=10**9), **given)


def write_hdf5(path: Path, episodes: int = 6, seed: int = 0, offset: float = 0.0) -> Path:
    """As robomimic lays it out: a group for each demonstration."""
    rng = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for k in range(episodes):
            group = file.create_group(f"data/demo_{k}")
            t = np.arange(40) * 0.05
            group["time"] = t
            group["obs/pos"] = np.stack([np.sin(t), np.cos(t)], axis=1) + rng.normal(0, 0.01, (40, 2)) + offset
            group["target"] = np.stack([np.sin(t), np.cos(t)], axis=1)
            group["actions"] = rng.normal(0, 1, (40, 3))
            group["obs/image"] = np.zeros((40, 8, 8, 3), np.uint8)
            group["success"] = 1
    return path


def write_mcap(path: Path, messages: int = 300, topics: tuple[str, ...] = ("/pose",), chunk: int = 2000) -> Path:
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=chunk)
        writer.start()
        schema = writer.register_schema("pose", "jsonschema", b"{}")
        for topic in topics:
            channel = writer.register_channel(topic, "json", schema)
            for k in range(messages):
                data = json.dumps({"pose": {"position": {"x": k, "y": 0.5, "z": 0}}, "list": [1, 2]}).encode()
                writer.add_message(channel, log_time=k * 10_000_000, publish_time=0, data=data)
        writer.finish()
    return path


def test_hdf5_groups_are_episodes_and_pictures_are_left_out(tmp_path: Path) -> None:
    table = read(write_hdf5(tmp_path / "sim.h5"))
    assert len(table.rows) == 240
    assert {"episode", "time", "obs_pos_0", "obs_pos_1", "target_1", "actions_2", "success"} <= set(table.columns)
    assert not [name for name in table.columns if "image" in name]
    assert table.rows[-1].cells["episode"] == "/data/demo_5"
    assert len(read(tmp_path / "sim.h5", part="data/demo_1").rows) == 40


def test_mcap_messages_are_rows_with_their_time(tmp_path: Path) -> None:
    table = read(write_mcap(tmp_path / "run.mcap"))
    assert table.columns == ("log_time_s", "pose.position.x", "pose.position.y", "pose.position.z", "list_0", "list_1")
    assert table.rows[7].cells["log_time_s"] == 0.07
    assert table.warnings == ()


def test_of_several_topics_one_must_be_chosen(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "run.mcap", topics=("/a", "/b"))
    with pytest.raises(Trouble) as caught:
        read(path)
    assert "2 topics" in caught.value.what
    assert "/a, /b" in caught.value.cure
    assert len(read(path, part="/b").rows) == 300
    with pytest.raises(Trouble) as caught:
        read(path, part="/c")
    assert "no messages of `/c`" in caught.value.what


def test_a_recording_that_was_cut_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    path = write_mcap(tmp_path / "run.mcap")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    table = read(path)
    assert 0 < len(table.rows) < 300
    assert f"{len(table.rows)} messages before that place" in table.warnings[0]


BROKEN = {
    "empty": b"",
    "HDF5's first bytes": b"\x89HDF\r\n\x1a\n",
    "MCAP's first bytes": b"\x89MCAP0\r\n",
    "zeros": b"\0" * 4000,
    "HDF5 and noise": b"\x89HDF\r\n\x1a\n" + b"\xff" * 3000,
}


@pytest.mark.parametrize("name", ["x.h5", "x.mcap"])
@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_such_file_is_named_and_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[kind])
    with pytest.raises(Trouble) as caught:
        read(path)
    assert caught.value.code == "bad_table"
    assert name in caught.value.what


@pytest.mark.parametrize("place", [100, 900, 3000, 9000])
def test_a_damaged_hdf5_never_takes_the_program_with_it(tmp_path: Path, place: int) -> None:
    path = write_hdf5(tmp_path / "sim.h5", episodes=2)
    data = bytearray(path.read_bytes())
    data[place : place + 60] = b"\xff" * 60
    path.write_bytes(data)
    try:
        rows = read(path).rows
    except Trouble as trouble:
        said = trouble.what
    else:
        said = f"sim.h5 has {len(rows)} rows"
    assert "sim.h5" in said


def test_a_dataset_that_stands_for_terabytes_is_not_unpacked(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("pos_0", shape=(500_000,), dtype="f8", compression="gzip")
        file.create_dataset("many", shape=(500_000, 64), dtype="f8", compression="gzip", chunks=(1000, 64))
        file.create_dataset("more", shape=(500_000, 64), dtype="f8", compression="gzip", chunks=(1000, 64))
    with pytest.raises(Trouble, match="unpacked"):
        read(tmp_path / "bomb.h5")


# ---------------------------------------------------------------- the command


def run(*words: object) -> Result:
    return CliRunner().invoke(gap, [str(word) for word in words])


def test_two_files_are_compared_and_a_proven_gap_ends_with_3(tmp_path: Path) -> None:
    sim, real = write_hdf5(tmp_path / "sim.h5"), write_hdf5(tmp_path / "real.h5", seed=1, offset=0.3)
    done = run("compare", sim, real, "--plot")
    assert done.exit_code == 3, done.output
    assert "The robot tracks worse" in done.output
    assert "share of episodes" in done.output
    found = json.loads(run("compare", sim, real, "--json").stdout)
    assert found["findings"][0]["verdict"] == "gap"


def test_what_is_not_decided_ends_with_7_and_what_is_close_with_0(tmp_path: Path) -> None:
    for name, rows in (("few", 3), ("many", 60)):
        (tmp_path / f"{name}.csv").write_text("success\n" + "yes\n" * rows)
    assert run("compare", tmp_path / "many.csv", tmp_path / "few.csv").exit_code == 7
    assert run("compare", tmp_path / "many.csv", tmp_path / "many.csv").exit_code == 0


def test_files_with_nothing_in_common_say_what_each_has(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("success\nyes\n")
    (tmp_path / "b.csv").write_text("effort\n1\n")
    done = run("compare", tmp_path / "a.csv", tmp_path / "b.csv")
    assert isinstance(done.exception, Trouble)
    assert "a.csv has success" in done.exception.what
    assert "b.csv has control_effort" in done.exception.what


def test_poses_and_rankings_from_files(tmp_path: Path) -> None:
    done = run("poses", write_mcap(tmp_path / "a.mcap"), write_mcap(tmp_path / "b.mcap"))
    assert done.exit_code == 0, done.output
    assert "300 of 300 poses" in done.output
    (tmp_path / "m.csv").write_text("model,sim,real\na,90,70\nb,80,75\nc,40,30\n")
    done = run("rank", tmp_path / "m.csv")
    assert "simulation prefers a, in reality b is better" in done.output
    (tmp_path / "m.csv").write_text("model,sim\na,90\n")
    assert isinstance(run("rank", tmp_path / "m.csv").exception, Trouble)


def test_pictures_of_one_kind_only(tmp_path: Path) -> None:
    assert run("pictures", tmp_path / "a.npy", tmp_path).exit_code == 2
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(3).normal(size=(40, 4)))
    assert run("pictures", tmp_path / "a.npy", tmp_path / "b.npy").exit_code == 0
    np.save(tmp_path / "b.npy", np.random.default_rng(4).normal(2, 1, size=(40, 4)))
    assert run("pictures", tmp_path / "a.npy", tmp_path / "b.npy").exit_code == 3


# ------------------------------------------------------------ files that were made to harm


def write_links(path: Path, secret: Path) -> Path:
    """Numbers of its own, and every way to stand for those of other files, or for itself."""
    with h5py.File(secret, "w") as file:
        file["s"] = np.arange(10.0)
    with h5py.File(path, "w") as file:
        file["own"] = np.arange(10.0)
        file["outside"] = h5py.ExternalLink(str(secret), "/s")
        file["soft"], file["circle"], file["nowhere"] = (h5py.SoftLink(one) for one in ("/own", "/circle", "/no"))
        file.create_dataset("raw", shape=(10,), dtype="f8", external=[(str(secret), 0, 80)])
        layout = h5py.VirtualLayout(shape=(10,), dtype="f8")
        layout[:] = h5py.VirtualSource(str(secret), "s", shape=(10,))
        file.create_virtual_dataset("virtual", layout, fillvalue=-1)
        file.create_dataset("empty", data=h5py.Empty("f8"))
        file["compound"] = np.zeros(10, dtype=[("x", "f8")])
    return path


def test_a_file_says_only_what_is_in_itself(tmp_path: Path) -> None:
    """Else a file from elsewhere shows bytes of this laptop's files as if they were its readings."""
    path = write_links(tmp_path / "links.h5", tmp_path / "secret.h5")
    assert read(path).columns == ("own",)
    with pytest.raises(Trouble, match="has no group `outside`"):
        read(path, part="outside")


def test_groups_that_hold_themselves_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "circle.h5", "w") as file:
        group = file.create_group("g")
        group["x"], group["again"], group["top"] = np.arange(5.0), group, file["/"]
    with pytest.raises(Trouble, match="or hold themselves"):
        read(tmp_path / "circle.h5")


def write_message(path: Path, encoding: str, schema: bytes, *messages: bytes) -> Path:
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        kind = "jsonschema" if encoding == "json" else "ros2msg"
        channel = writer.register_channel("/t", encoding, writer.register_schema("pkg/Top", kind, schema))
        for data in messages:
            writer.add_message(channel, log_time=0, publish_time=0, data=data)
        writer.finish()
    return path


def nested(levels: int) -> bytes:
    """A ROS 2 type whose every level stands for a thousand of the next."""
    parts = [f"MSG: pkg/T{k}\npkg/T{k + 1}[1000] a" for k in range(levels)]
    return f"\n{'=' * 80}\n".join(["pkg/T0[1000] a", *parts, f"MSG: pkg/T{levels}\nuint8 X=1"]).encode()


HARMFUL: list[tuple[str, bytes, bytes, str]] = [
    ("json", b"{}", b"[" * 50_000 + b"]" * 50_000, "can't be read as MCAP"),
    ("json", b"{}", b'{"a":' + b"9" * 4000 + b"}", "can't be read as MCAP"),
    ("json", b"{}", b"{" + b",".join(b'"k%d":1' % k for k in range(3000)) + b"}", "more than 2000 values"),
    ("cdr", b"float64[] a\n", b"\0\1\0\0\xff\xff\xff\x7f" + bytes(50), "can't be read as MCAP"),
    ("cdr", nested(6), b"\0\1\0\0" + bytes(50), "can't be read as MCAP"),
    ("cdr", b"pkg/A a\n" + b"=" * 80 + b"\nMSG: pkg/A\npkg/A a\n", bytes(50), "can't be read as MCAP"),
    ("cdr", b"float64 __class__\n", bytes(50), "can't be read as MCAP"),
]


@pytest.mark.parametrize(("encoding", "schema", "data", "said"), HARMFUL)
def test_messages_that_stand_for_too_much_are_refused_in_words(
    tmp_path: Path, encoding: str, schema: bytes, data: bytes, said: str
) -> None:
    with pytest.raises(Trouble, match=said):
        read(write_message(tmp_path / "harm.mcap", encoding, schema, data))


def test_a_chunk_of_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    import zstandard
    from mcap.data_stream import RecordBuilder
    from mcap.records import Chunk, Header

    packer = zstandard.ZstdCompressor().compressobj(size=1 << 36)
    bomb = packer.compress(bytes(1 << 20))
    out = RecordBuilder()
    Header(profile="", library="").write(out)
    Chunk(
        message_start_time=0, message_end_time=0, uncompressed_size=1 << 36, uncompressed_crc=0, compression="zstd",
        data=bomb,
    ).write(out)  # fmt: skip
    (tmp_path / "bomb.mcap").write_bytes(b"\x89MCAP0\r\n" + out.end())
    with pytest.raises(Trouble, match=r"memory|read as MCAP"):
        read(tmp_path / "bomb.mcap")


def claimed(shape: str) -> bytes:
    """The head of a .npy file that says it holds so many numbers, and nothing behind it."""
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()


def test_features_that_are_none_are_refused_in_words(tmp_path: Path) -> None:
    np.savez(tmp_path / "several.npz", a=np.zeros((30, 3)))
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    (tmp_path / "claimed.npy").write_bytes(claimed("(1000000000, 100000)"))
    np.save(tmp_path / "code.npy", np.array([[Path()]], dtype=object), allow_pickle=True)
    np.save(tmp_path / "large.npy", np.full((30, 3), 1e200))
    for name in ("several", "claimed", "code", "large"):
        path = tmp_path / f"{name}.npy"
        refused = run("pictures", path, path).exception
        assert isinstance(refused, Trouble), name
        assert refused.code == "bad_features", name


def test_folders_without_one_readable_picture_prove_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jpg").write_bytes(b"no picture")
    done = run("pictures", tmp_path / "broken", tmp_path / "broken")
    assert (done.exit_code, "0 pictures compared, 1 unreadable" in done.output) == (7, True)


def test_figures_that_only_one_side_tells_are_named_and_keep_it_undecided(tmp_path: Path) -> None:
    (tmp_path / "sim.csv").write_text("success,effort\n" + "yes,1\n" * 60)
    (tmp_path / "real.csv").write_text("won\n" + "yes\n" * 60)
    done = run("compare", tmp_path / "sim.csv", tmp_path / "real.csv", "--column", "real:success=won")
    assert done.exit_code == 7, done.output
    assert "success" in done.output
    assert "only" in done.output
    assert "Not compared: control effort" in done.output
    assert run("compare", tmp_path / "sim.csv", tmp_path / "real.csv", "--column", "both:success=won").exit_code == 2
