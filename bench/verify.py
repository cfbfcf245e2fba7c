"""`verify` of ten thousand entries with fifty signatures, against hashing the lines and running ssh-keygen alone.

Run as `python -m bench.verify`.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.record import an_attempt
from bench.table import Line, show
from console.record.entries import Opened, Signature
from console.record.record import Record
from console.record.roster import Person, Roster, allowed_signers, save
from console.record.signing import KeyFile, public_half, sign
from console.record.statements import ItemLines, Statement, entry_words, write_statement
from console.record.verify import verify_record

GOAL_TIMES = 3.0
ROUNDS = 5
_UTC = "2026-11-21T06:00:00Z"


def opened(record: Record, folder: Path) -> Opened:
    """The first entry, with a roster of one person whose key is made now."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    key = (folder / "key.pub").read_text().strip()
    person = Person(principal="ada", name="Ada", roles=("safety",), keys=(key,))
    path = save(Roster(people=(person,)), folder / "roster.yaml")
    return Opened(
        campaign="c",
        robot="orin",
        bundle="b" * 64,
        bundle_name="",
        pack_name="p",
        revision="e" * 64,
        pack=record.attach(b"no pack", "pack.yaml"),
        roster=record.attach_file(path),
        software="bench",
    )


def signature(record: Record, folder: Path, items: int) -> Signature:
    """A signature on the last entries of the record, by ssh-keygen."""
    key = KeyFile(folder / "key", may_ask=False)
    fingerprint, rows = public_half(key).fingerprint, record.rows()[-items:]
    said = Statement(
        campaign="c",
        robot="orin",
        bundle="b" * 64,
        revision="e" * 64,
        stage="bench",
        head=entry_words(*record.head()),
        meaning="reviewed",
        sentence="I have reviewed it.",
        name="Ada",
        principal="ada",
        role="safety",
        key=fingerprint,
        utc=_UTC,
        local=_UTC,
        counts=f"{len(rows)}: {len(rows)} pass",
        items=tuple(ItemLines(item=row.item, state="pass", evidence=entry_words(row.seq, row.digest)) for row in rows),
    )
    data = write_statement(said)
    return Signature(
        stage="bench",
        meaning="reviewed",
        principal="ada",
        name="Ada",
        role="safety",
        key=fingerprint,
        statement=record.attach(data, "statement.txt", "text/plain"),
        armored=sign(data, key),
        covers=said.covers(),
        head=said.head_entry()[0],
        local_time=_UTC,
    )


def filled(folder: Path, entries: int, signatures: int) -> Record:
    """A record of so many entries, with so many signatures spread over it."""
    record = Record.create(folder / "record")
    record._connection.execute("PRAGMA synchronous = OFF")  # the setting up is not what is measured
    record.append("ada", opened(record, folder))
    every = entries // signatures
    for number in range(2, entries + 1):
        at_turn = number % every == 0
        record.append("ada", signature(record, folder, 10) if at_turn else an_attempt(number))
    return record


def bare(record: Record, folder: Path) -> None:
    """What can't be saved: a SHA-256 of each line, and ssh-keygen for each signature."""
    for row in record.rows():
        hashlib.sha256(row.line).hexdigest()
        if row.kind == "signature":
            argv = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "signers"), "-I", "ada", "-n", "fieldgate"]
            argv += ["-s", str(folder / "one.sig")]
            subprocess.run(argv, input=(folder / "one").read_bytes(), capture_output=True, check=True)


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def main() -> int:
    """Measure and print; 0 where the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--signatures", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as name:
        folder = Path(name)
        record = filled(folder, arguments.entries, arguments.signatures)
        report = verify_record(record)
        assert report.intact, report.problems
        assert len(report.signatures) == arguments.signatures
        key = (folder / "key.pub").read_text().strip()
        roster = Roster(people=(Person(principal="ada", name="Ada", roles=("safety",), keys=(key,)),))
        (folder / "signers").write_text(allowed_signers(roster))
        (folder / "one").write_bytes(b"x" * 2000)
        (folder / "one.sig").write_text(sign(b"x" * 2000, KeyFile(folder / "key", may_ask=False)))
        own, plain = [], []
        for _ in range(ROUNDS):
            plain.append(seconds(lambda: bare(record, folder)))
            own.append(seconds(lambda: verify_record(record)))
        record.close()
    times = median(own) / median(plain)
    told = f"{median(own):.2f} s, {arguments.entries / median(own):,.0f} entries/s, {times:.2f} x"
    peer = f"SHA-256 and ssh-keygen alone {median(plain):.2f} s"
    line = Line("verify everything", told, peer, f"<= {GOAL_TIMES:g} x", times <= GOAL_TIMES)
    show(f"verify ({arguments.entries:,} entries, {arguments.signatures} signatures)", [line])
    return 0 if line.met else 1


if __name__ == "__main__":
    sys.exit(main())
