"""A repository of updates with its people, their keys and robots that take from it by TUF's own client."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from console.models import acting
from console.models.acting import Came
from console.models.hands import Hands
from console.models.keys import make_key, read_signer
from console.models.releasing import Wanted
from console.models.repository import Repository
from console.models.roles import now_utc
from remote.manifest import FileEntry, manifest_bytes
from remote.release import Release, Rollout, file_target, parse_release, parse_rollout, release_target

PEOPLE = ("anna", "ben", "cleo")


def no_passphrase(path: Path, again: bool) -> str | None:
    """Keys of these tests are open; asking is a mistake."""
    raise AssertionError(f"asked for the passphrase of {path}")


def write_bundle(folder: Path, words: str, size: int = 2000) -> Path:
    """A bundle whose files are the manifest's; nothing loads its model here."""
    folder.mkdir(parents=True)
    contents = {"model.onnx": (words.encode() * size)[:size], "contract.yaml": f"name: {words}\n".encode()}
    entries = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in contents.items()}
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest_bytes(words, entries))
    return folder


class Files(FetcherInterface):
    """Static files as a web server gives them."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(url.removeprefix("file://"))
        if not path.is_file():
            raise DownloadHTTPError(f"{path} is missing", 404)
        yield path.read_bytes()


@dataclass
class Taker:
    """A robot: what it trusts outlives each look, as its metadata on disk."""

    folder: Path
    served: Path
    root: bytes
    seen: list[int] = field(default_factory=list)

    def look(self) -> Updater:
        """One look at the repository, as TUF's client does it; raises what that one raises."""
        (self.folder / "got").mkdir(parents=True, exist_ok=True)
        base = f"file://{self.served}"
        updater = Updater(
            str(self.folder),
            f"{base}/metadata/",
            str(self.folder / "got"),
            f"{base}/targets/",
            Files(),
            bootstrap=self.root,
        )
        updater.refresh()
        return updater

    def rollout(self) -> Rollout:
        """What is open, as this robot reads it."""
        return parse_rollout(self._get(self.look(), "rollout.json"))

    def release(self, number: int) -> tuple[Release, dict[str, bytes]]:
        """A release and the files of its bundle, taken and verified."""
        updater = self.look()
        release = parse_release(self._get(updater, release_target(number)))
        names = ("manifest.json", *release.files)
        return release, {name: self._get(updater, file_target(release.bundle, name)) for name in names}

    def _get(self, updater: Updater, path: str) -> bytes:
        info = updater.get_targetinfo(path)
        assert info is not None, f"there is no {path}"
        return Path(updater.download_target(info)).read_bytes()


class World:
    """Three people, a threshold of two, one laptop."""

    def __init__(self, folder: Path, days_ago: float = 0.0) -> None:
        self.folder = folder
        self.repository = Repository(folder / "repo")
        self.signers: dict[str, CryptoSigner] = {name: self.person(name) for name in PEOPLE}
        self.days_ago = days_ago
        self.hands = Hands("anna", folder / "laptop", no_passphrase, self.now)

    def now(self) -> datetime:
        return now_utc() - timedelta(days=self.days_ago)

    def person(self, name: str) -> CryptoSigner:
        """A new person with a key."""
        make_key(self.folder / f"{name}.pem", None)
        return read_signer(self.folder / f"{name}.pem", no_passphrase)

    def by(self, *names: str) -> list[CryptoSigner]:
        return [self.signers[name] for name in names]

    def init(self, *names: str, repository: Repository | None = None) -> Came:
        keys = [self.signers[name].public_key for name in PEOPLE]
        return acting.init(
            repository or self.repository, self.hands, keys, keys, self.by(*(names or ("anna", "ben"))), passphrase=None
        )

    def bundle(self, words: str) -> Path:
        place = self.folder / "bundles" / words
        return place if place.exists() else write_bundle(place, words)

    def release(self, words: str, *names: str, again: bool = False) -> Came:
        wanted = Wanted(again=again)
        return acting.release(
            self.repository, self.hands, self.bundle(words), wanted, self.by(*(names or ("anna", "ben")))
        )

    def robot(self, name: str = "orin", root: int = 1) -> Taker:
        """A robot that was enrolled with the root of that version."""
        return Taker(self.folder / "robots" / name, self.repository.folder, self.repository.raw(f"{root}.root.json"))

    def copied(self, name: str) -> Path:
        """The repository as it is now, put aside."""
        place = self.folder / name
        shutil.copytree(self.repository.folder, place)
        return place


def model_of(words: str, size: int = 2000) -> bytes:
    """The model's bytes of `write_bundle`."""
    return (words.encode() * size)[:size]
