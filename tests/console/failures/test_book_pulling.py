"""Pictures of failures over a real session with a real agent: every one once, newest first, whatever is cut in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.failures.book import FailureBook
from console.failures.pulling import lacking
from console.link.backoff import Backoff
from console.link.client import RobotClient
from console.link.local import LocalTransport
from console.link.picture_fetch import WAITING_MOST, PictureFetch
from console.robots import Robot
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from remote.agent.clock import system_clock
from remote.agent.journal import Journal, draft
from remote.agent.places import places_for
from remote.errors import Trouble
from remote.protocol import Body, Clip, ClipFrame, Picture, Reply
from tests.console.failures.book_samples import S, failure, fill
from tests.real_sight import agent
from tests.waiting import wait_until

JPEG = b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x20"
KEPT, BYTES = 40, 30_000


def jpeg(n: int) -> bytes:
    return JPEG + n.to_bytes(4, "big") * (BYTES // 4)


def digest(n: int) -> str:
    return hashlib.sha256(jpeg(n)).hexdigest()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A robot whose journal speaks of pictures: most are there, one was removed, one is damaged."""
    places = places_for(tmp_path / "robot")
    places.pictures.mkdir(parents=True, exist_ok=True)
    for n in range(KEPT):
        (places.pictures / f"{digest(n)}.jpg").write_bytes(jpeg(n))
    (places.pictures / f"{digest(901)}.jpg").write_bytes(jpeg(901)[:-100])
    bodies: list[Body] = [failure(n, picture=digest(n), before=digest(n + 1)) for n in range(0, KEPT - 10, 2)]
    bodies += [failure(900, picture=digest(900)), failure(901, picture=digest(901)), failure(902, picture=None)]
    frames = tuple(ClipFrame(float(n), digest(n)) for n in range(KEPT - 10, KEPT))
    bodies.append(Clip(failure="f902", frames=frames))
    clock = system_clock()
    journal = Journal(places.journal, clock.boot_id)
    journal.append([draft(body, clock) for body in bodies])
    journal.close()
    return tmp_path / "robot"


class Laptop:
    """Its store and pictures, and sessions one after the other."""

    def __init__(self, folder: Path, home: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.robot = Robot(name="orin", transport="local", home=str(home))
        self.store, self.pictures = Store(folder / "store.db"), Pictures(folder / "pictures")

    def session(self) -> RobotClient:
        identity = Identity(self.store.store_id, "orin", self.folder / "consoles")
        transport = LocalTransport(self.robot)
        made = RobotClient(self.robot, transport, self.store, identity, self.pictures, backoff=Backoff(lambda: 0.0))
        made.start(lambda snapshot: None)
        return made


@pytest.fixture
def laptop(tmp_path: Path, home: Path) -> Iterator[Laptop]:
    with agent(home):
        made = Laptop(tmp_path / "laptop", home)
        yield made
        made.store.close()


def is_idle(session: RobotClient) -> bool:
    pulling = session.snapshot.pulling
    return session.snapshot.link.phase == "up" and pulling.all_known and not pulling.waiting and pulling.refused >= 2


def test_a_cut_in_the_middle_costs_no_picture_and_fetches_none_twice(laptop: Laptop) -> None:
    session = laptop.session()
    wait_until(lambda: session.snapshot.pulling.came >= 5, 20, "the first pictures")
    session.cut()
    wait_until(lambda: session.snapshot.link.reconnects == 1, 20, "the link")
    wait_until(lambda: is_idle(session) and session.snapshot.pulling.came >= KEPT, 30, "the rest")
    assert session.snapshot.pulling.came == KEPT
    for n in range(KEPT):
        path = laptop.pictures.path(digest(n))
        assert path is not None
        assert path.read_bytes() == jpeg(n)
    session.close()
    again = laptop.session()
    wait_until(lambda: again.snapshot.link.phase == "up" and again.snapshot.pulling.refused == 1, 20, "the damaged one")
    assert again.snapshot.pulling.came == 0  # what the robot removed is not even asked for
    again.close()


def test_what_can_not_be_had_is_refused_and_said_why(laptop: Laptop) -> None:
    session = laptop.session()
    wait_until(lambda: is_idle(session), 30, "all pictures")
    session.close()
    book = FailureBook(laptop.folder)
    book.refresh(laptop.store)
    found = lacking(book, laptop.pictures, "orin")
    assert (found.here, found.waiting, sum(found.refused.values())) == (KEPT, 0, 2)
    assert "to make room" in (laptop.pictures.missing.why(digest(900)) or "")
    assert "damaged" in (laptop.pictures.missing.why(digest(901)) or "")
    assert laptop.pictures.path(digest(901)) is None
    book.close()


def test_the_headless_pull_ends_by_whether_all_is_here(
    laptop: Laptop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that reads 0 for a folder with holes would train on them."""
    from console.commands.failures import failures

    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "fg"))
    config = tmp_path / "fg" / "config"
    config.mkdir(parents=True)
    (config / "robots.yaml").write_text(f"robots:\n  orin:\n    transport: local\n    home: {home}\n")
    result = CliRunner().invoke(failures, ["pull", "orin"])
    assert result.exit_code == 7, result.output
    assert f"{KEPT} pictures came" in result.output
    assert "1 can't be had: the robot removed it" in result.output
    pictures = places_for(home).pictures
    for n in (900, 901):
        (pictures / f"{digest(n)}.jpg").write_bytes(jpeg(n))
    for file in (tmp_path / "fg" / "data" / "pictures").glob("missing.db*"):
        file.unlink()
    result = CliRunner().invoke(failures, ["pull", "orin"])
    assert result.exit_code == 0, result.output
    assert "2 pictures came" in result.output


def fetching(tmp_path: Path, count: int) -> tuple[PictureFetch, Store, Pictures]:
    store, pictures = Store(tmp_path / "store.db"), Pictures(tmp_path / "pictures")
    bodies: list[Body] = [failure(n, picture=digest(n)) for n in range(count)]
    fill(store, bodies)
    return PictureFetch(pictures, store, "orin"), store, pictures


def answer(n: int) -> Reply:
    return Reply(id="x", picture=Picture(jpeg=jpeg(n), digest=digest(n), width=1, height=1))


def test_older_pictures_are_found_in_the_store_newest_first(tmp_path: Path) -> None:
    """The pictures of a week in which nobody was attached come too, not only the last thousand."""
    fetch, store, _ = fetching(tmp_path, 120)
    fetch.begin(0)
    order, now_ns = [], 0
    while (asked := fetch.next(now_ns)) is not None or fetch.due_ns is not None:
        if asked is not None:
            order.append(asked)
            fetch.came(Reply(id="x"), now_ns)
        now_ns += S
    assert order == [digest(n) for n in reversed(range(120))]
    store.close()


def test_a_flood_of_fresh_failures_forgets_none(tmp_path: Path) -> None:
    fetch, store, _ = fetching(tmp_path, WAITING_MOST + 70)
    journal = store.journals()[0]
    fetch.want(store.entries(journal.id, "failure"))
    assert fetch.pulling.waiting == WAITING_MOST
    seen, now_ns = set(), 0
    for _ in range(3 * WAITING_MOST):
        asked = fetch.next(now_ns)
        if asked is not None:
            seen.add(asked)
            fetch._refused.add(asked)  # as if it had come: the files are not what is tested here
            fetch.came(Reply(id="x"), now_ns)
        now_ns += S
    assert len(seen) == WAITING_MOST + 70
    assert fetch.due_ns is None
    store.close()


def test_pictures_leave_the_link_to_what_is_live(tmp_path: Path) -> None:
    """On a slow link a row of pictures would hold up the numbers that a person watches."""
    fetch, store, pictures = fetching(tmp_path, 3)
    fetch.begin(0)
    assert fetch.next(0) == digest(2)
    assert fetch.next(0) is None  # one at a time
    fetch.came(answer(2), 2 * S)
    assert fetch.due_ns == 4 * S  # it took 2 s, so it rests 2 s
    assert fetch.next(4 * S - 1) is None
    assert fetch.next(4 * S) == digest(1)
    fetch.came(answer(1), 4 * S + 1, late=True)
    assert fetch.next(5 * S) is None  # samples are late: it waits though the picture was quick
    assert fetch.next(6 * S + 1) == digest(0)
    fetch.came(Trouble("later", code="unconfirmed"), 6 * S + 1)
    assert fetch.next(99 * S) == digest(0)
    forged = Reply(id="x", picture=Picture(jpeg=b"forged", digest=digest(0), width=1, height=1))
    fetch.came(forged, 99 * S)
    assert pictures.path(digest(0)) is None
    assert fetch.next(199 * S) is None
    fetch.begin(200 * S)
    assert fetch.next(200 * S) == digest(0)  # a damaged one may come whole over another connection
    store.close()


def test_a_damaged_list_of_missing_pictures_is_begun_anew(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    pictures.missing.note(digest(1), "no_picture")
    pictures.missing.close()
    for part in ("-wal", "-shm"):
        (tmp_path / f"missing.db{part}").unlink(missing_ok=True)
    (tmp_path / "missing.db").write_bytes(b"no database at all" * 100)
    assert Pictures(tmp_path).missing.why(digest(1)) is None


def test_where_nothing_can_be_noted_pictures_still_come(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    missing = Pictures(tmp_path / "taken").missing
    missing.note(digest(1), "no_picture")
    assert missing.code(digest(1)) == "no_picture"
    missing.close()
    missing.note(digest(2), "no_picture")
    assert missing.code(digest(2)) is None


def test_a_store_that_breaks_is_said_and_does_not_end_the_session(tmp_path: Path) -> None:
    fetch, store, _ = fetching(tmp_path, 3)
    fetch.begin(0)
    store.close()
    assert fetch.next(0) is None
    assert fetch.trouble is not None
    assert fetch.due_ns is None
