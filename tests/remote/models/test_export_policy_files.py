"""What lies beside a policy: units, statistics, recordings and its zip. A wrong one must not become a robot's movement."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.models.export.policy_files import read_normalisation, read_recorded, read_words
from remote.models.export.sb3_zip import read_policy_zip

UNITS = "observations: {observation: {elements: [a, b], units: [rad]}}\nactions: {names: [push], units: [N]}\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_units_are_asked_for_because_a_number_without_one_moves_a_robot_wrongly(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="observation `observation` of 2, an action of 1") as caught:
        read_words(None, {"observation": 2}, 1)
    assert caught.value.code == "units_missing"
    words = read_words(written(tmp_path / "u.yaml", UNITS), {"observation": 2}, 1)
    assert (words.observations["observation"].elements, words.actions.units) == (("a", "b"), ("N",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (UNITS.replace("[a, b]", "[a, b, c]"), "3 elements"),
        (UNITS.replace("[push]", "[push, pull]"), "2 names"),
        (UNITS.replace("observation:", "obs:"), "names the observations"),
        (UNITS.replace("units: [N]", "unit: [N]"), "unknown key `unit`"),
        ("observations: [", "line"),
    ],
)
def test_units_that_do_not_fit_are_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Trouble, match=says) as caught:
        read_words(written(tmp_path / "u.yaml", text), {"observation": 2}, 1)
    assert caught.value.code == "units_invalid"


def test_whole_numbers_are_not_normalised(tmp_path: Path) -> None:
    """The network takes uint8 as it is: what the training did to it beforehand can't be done again."""
    one: dict[str, Any] = {"angle.mean": [1.0], "angle.var": [4.0]}
    np.savez(tmp_path / "s.npz", **one)
    assert set(read_normalisation(tmp_path / "s.npz", {"angle": 1}, ["mask"]).mean) == {"angle"}
    np.savez(tmp_path / "t.npz", **(one | {"mask.mean": [1.0], "mask.var": [1.0]}))
    np.savez(tmp_path / "u.npz", mean=[1.0], var=[4.0])
    for name, sizes in (("t.npz", {"angle": 1}), ("u.npz", dict[str, int]())):
        with pytest.raises(Trouble, match="takes as uint8") as caught:
            read_normalisation(tmp_path / name, sizes, ["mask"])
        assert caught.value.code == "normalise_invalid"


def test_statistics_are_read_from_both_forms(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", mean=np.array([1.0, 2.0]), var=np.array([4.0, 9.0]), epsilon=0.0, clip=5.0)
    text = "observations: {observation: {mean: [1, 2], var: [4, 9]}}\nepsilon: 0\nclip: 5\n"
    found = read_normalisation(tmp_path / "s.npz", {"observation": 2})
    assert found == read_normalisation(written(tmp_path / "s.yaml", text), {"observation": 2})
    assert found.std_of("observation") == (2.0, 3.0)


@pytest.mark.parametrize(
    ("name", "says"),
    [("s.npz", "does not exist"), ("policy.zip", "neither .npz nor .yaml"), ("folder.npz", "is a folder")],
)
def test_statistics_that_are_none_are_told_in_words(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(Trouble, match=says):
        read_normalisation(tmp_path / name, {"observation": 2})


def test_a_folder_of_pictures_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="is a folder"):
        read_recorded(tmp_path, {"observation": (2,)}, 10)


def test_statistics_as_a_pickle_are_refused_without_reading_them(tmp_path: Path) -> None:
    (tmp_path / "vec.pkl").write_bytes(pickle.dumps(Runs(tmp_path / "ran")))
    with pytest.raises(Trouble, match="is a pickle") as caught:
        read_normalisation(tmp_path / "vec.pkl", {"observation": 2})
    assert caught.value.code == "pickle_refused"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"mean": [1.0], "var": [1.0, -1.0]}, "can't be"),
        ({"mean": [np.nan, 0.0], "var": [1.0, 1.0]}, "can't be"),
        ({"mean": [0.0] * 3, "var": [1.0] * 3}, "3 means"),
        ({"mean": [0.0, 0.0]}, "lacks observation.var"),
        ({"mean": [0.0, 0.0], "var": [1.0, 1.0], "clip": -1.0}, "clip"),
    ],
)
def test_statistics_that_can_not_be_are_refused(tmp_path: Path, arrays: dict[str, Any], says: str) -> None:
    saved: dict[str, Any] = {name: np.array(value) for name, value in arrays.items()}
    np.savez(tmp_path / "s.npz", **saved)
    with pytest.raises(Trouble, match=says):
        read_normalisation(tmp_path / "s.npz", {"observation": 2})


def test_recorded_observations_are_spread_over_the_recording(tmp_path: Path) -> None:
    np.save(tmp_path / "r.npy", np.arange(20.0).reshape(10, 2))
    found = read_recorded(tmp_path / "r.npy", {"observation": (2,)}, 5)
    assert found["observation"][:, 0].tolist() == [0, 4, 8, 12, 16]
    np.savez(tmp_path / "r.npz", a=np.zeros((4, 2)), b=np.zeros((4, 1)))
    assert set(read_recorded(tmp_path / "r.npz", {"a": (2,), "b": (1,)}, 100)) == {"a", "b"}


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": np.zeros((4, 3)), "b": np.zeros((4, 1))}, "the policy wants"),
        ({"a": np.zeros((4, 2))}, "holds"),
        ({"a": np.zeros((4, 2)), "b": np.zeros((3, 1))}, "different lengths"),
        ({"a": np.array([[Path(), Path()]]), "b": np.zeros((1, 1))}, "can't be read"),
    ],
)
def test_recordings_that_do_not_fit_are_refused(tmp_path: Path, arrays: dict[str, Any], says: str) -> None:
    np.savez(tmp_path / "r.npz", **arrays)
    with pytest.raises(Trouble, match=says) as caught:
        read_recorded(tmp_path / "r.npz", {"a": (2,), "b": (1,)}, 10)
    assert caught.value.code == "bad_source"


@given(data=st.binary(max_size=200))
def test_any_bytes_as_a_recording_end_in_a_refusal(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("r") / "r.npz"
    path.write_bytes(data)
    with pytest.raises(Trouble):
        read_recorded(path, {"a": (2,)}, 10)


# ---------------------------------------------------------------- the zip


class Runs:
    """A pickle that runs code when it is read: it makes a file."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.proof),)


def serialized(value: Any) -> dict[str, str]:
    return {":type:": "x", ":serialized:": base64.b64encode(pickle.dumps(value)).decode()}


def policy_zip(path: Path, data: Any, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", data if isinstance(data, bytes) else json.dumps(data))
        for name, content in {"policy.pth": b"", **entries}.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("key", ["policy_class", "observation_space", "action_space", "policy_kwargs"])
def test_a_pickle_that_runs_code_does_not_run_and_what_it_wanted_is_named(tmp_path: Path, key: str) -> None:
    data = {name: serialized({}) for name in ("policy_class", "observation_space", "action_space", "policy_kwargs")}
    data[key] = serialized(Runs(tmp_path / "ran"))
    with pytest.raises(Trouble, match=rf"its {key} is more than .* it wants posix\.mkdir") as caught:
        read_policy_zip(policy_zip(tmp_path / "p.zip", data))
    assert caught.value.code == "pickle_refused"
    assert not (tmp_path / "ran").exists()


def test_pickles_that_no_policy_needs_are_not_even_read(tmp_path: Path) -> None:
    data = {name: serialized({}) for name in ("policy_class", "observation_space", "action_space")}
    data["lr_schedule"] = serialized(Runs(tmp_path / "ran"))
    assert read_policy_zip(policy_zip(tmp_path / "p.zip", data)).policy_kwargs == {}
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "data",
    [b"", b"[1, 2]", b"{", b'{"policy_class": 1}', json.dumps({"policy_class": {":serialized:": "%%%"}}).encode()],
)
def test_a_zip_that_only_looks_like_a_policy_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Trouble) as caught:
        read_policy_zip(policy_zip(tmp_path / "p.zip", data))
    assert caught.value.code == "source_damaged"


def test_a_zip_that_unpacks_to_gigabytes_is_refused_before_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.models.export.sb3_zip.MOST_DATA_BYTES", 1000)
    with pytest.raises(Trouble, match="unpacks to more than 1000 bytes"):
        read_policy_zip(policy_zip(tmp_path / "p.zip", b" " * 1001))


@pytest.mark.parametrize("cut", [10, 60, 120])
def test_a_truncated_zip_is_refused(tmp_path: Path, cut: int) -> None:
    whole = policy_zip(tmp_path / "p.zip", {"policy_class": 1}).read_bytes()
    (tmp_path / "p.zip").write_bytes(whole[:cut])
    with pytest.raises(Trouble) as caught:
        read_policy_zip(tmp_path / "p.zip")
    assert caught.value.code == "source_damaged"


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed here")
def test_without_torch_its_sources_are_refused_with_what_to_install(tmp_path: Path) -> None:
    from remote.models.export.export import export_model
    from remote.models.export.wishes import Wishes

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("m/data.pkl", b"")
    (tmp_path / "m.pt").write_bytes(packed.getvalue())
    with pytest.raises(Trouble, match="needs the package torch") as caught:
        export_model(tmp_path / "m.pt", Wishes(output=tmp_path / "b"))
    assert "fieldgate[train]" in caught.value.cure
