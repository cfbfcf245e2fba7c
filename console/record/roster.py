"""Who may sign, in which role, with which SSH key, for how long: roster.yaml, and OpenSSH's allowed_signers made from it."""

from __future__ import annotations

import difflib
import re
import subprocess
import unicodedata
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec

from console.places import config_dir
from console.record.ssh_keys import PublicKey, parse_key
from remote import strict_yaml
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.ready_types import ready

NAMESPACE = "fieldgate"
"""The namespace of every signature: one given for something else can't be passed off as a sign-off."""
CODE = "bad_roster"
"""The Trouble's code for whatever is wrong in a roster file."""
_PRINCIPAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that count as printable and show nothing: fillers, blanks and selectors."""
_LOOK_ALIKE = {"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE", "LISU"}
"""Alphabets that share the shapes of letters; nobody's name takes from two of them."""
_LOGIN = "login name: letters, digits and . _ @ + -, 64 at most, like anna or anna@example.org"
_DAY = "day: year, month and day, like 2027-12-31"
_SECOND_NS = 1_000_000_000
_KEYGEN_S = 10.0


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One person. `keys` are public keys as in an authorized_keys line; `packs` limits the scope (empty: every pack).

    `until` is the last day (UTC, ISO 8601) on which a signature counts; None: no end.
    """

    principal: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$", description=_LOGIN)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    roles: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    keys: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    until: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", description=_DAY)] | None = None

    def public_keys(self) -> tuple[PublicKey, ...]:
        """The keys, parsed. Trouble `bad_key` for one that is none."""
        return tuple(parse_key(key) for key in self.keys)

    def has_key(self, fingerprint: str) -> bool:
        """Whether one of the keys has this SHA256 fingerprint."""
        return any(key.fingerprint == fingerprint for key in self.public_keys())

    def expired(self, at_wall_ns: int) -> bool:
        """Whether the last day is over at that time."""
        end = end_of(self)
        return end is not None and at_wall_ns >= end.timestamp() * _SECOND_NS

    def may(self, role: str, pack: str, at_wall_ns: int) -> bool:
        """Whether this person may act in `role` on `pack` at that time; `why_not` says why not."""
        return not self.why_not(role, pack, at_wall_ns)

    def why_not(self, role: str, pack: str, at_wall_ns: int) -> str:
        """Why this person may not act in `role` on `pack` at that time, one sentence; empty if they may."""
        if role not in self.roles:
            return f"{self.name} ({self.principal}) has not the role '{role}' in the roster"
        if self.packs and pack not in self.packs:
            return f"{self.name} ({self.principal}) is in the roster for {', '.join(self.packs)} only, not for '{pack}'"
        if self.expired(at_wall_ns):
            return f"the roster entry of {self.name} ({self.principal}) ended on {self.until}"
        return ""


class Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The people of a campaign, or of this laptop."""

    format: int = 1
    people: tuple[Person, ...] = ()

    def person(self, principal: str) -> Person:
        """The person of that principal; Trouble `not_in_roster` with the nearest known one otherwise."""
        found = self.find(principal)
        if found is None:
            raise Trouble(f"'{principal}' is not in the roster", cure=self._nearest(principal), code="not_in_roster")
        return found

    def find(self, principal: str) -> Person | None:
        """The person of that principal, or None."""
        return next((one for one in self.people if one.principal == principal), None)

    def owner_of(self, fingerprint: str) -> Person | None:
        """Whose key has this SHA256 fingerprint, or None."""
        return next((one for one in self.people if one.has_key(fingerprint)), None)

    def _nearest(self, principal: str) -> str:
        known = [one.principal for one in self.people]
        near = difflib.get_close_matches(principal, known, n=1, cutoff=0.5)
        add = f"`fieldgate roster add {principal} --name NAME --role ROLE --key FILE.pub`"
        add += ", which prints the FILE that a running campaign takes in: `campaign revise --reason TEXT --roster FILE`"
        return f"did you mean '{near[0]}'? Otherwise {add}" if near else add


def end_of(person: Person) -> datetime | None:
    """The first moment (UTC) at which signatures of this person no longer count: midnight after the last day."""
    if person.until is None:
        return None
    day = date.fromisoformat(person.until)
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc) + timedelta(days=1)


def default_path() -> Path:
    """This laptop's own roster."""
    return config_dir() / "roster.yaml"


def load_roster(path: Path | None = None) -> Roster:
    """The roster of a file (None: this laptop's own, which need not exist). Trouble `bad_roster` with file and line."""
    file = path or default_path()
    if path is None and not file.exists():
        return Roster()
    return parse_roster(strict_yaml.read_text(file, code=CODE, what="the roster"), str(file))


def parse_roster(text: str, where: str) -> Roster:
    """The roster written in `text`, checked; `where` is what errors call it. Trouble `bad_roster` with file and line."""
    data = _plain_days(strict_yaml.plain(text, where=where, code=CODE) or {})
    try:
        roster = msgspec.convert(data, ready(Roster))
    except msgspec.ValidationError as error:
        refused = strict_yaml.explain(error, data, Roster, text=text)
        line, place = strict_yaml.line_of(text, refused.steps, refused.key), strict_yaml.written(refused.steps)
        said = f"{where}, line {line}{f' ({place})' if place else ''}: {refused.said}"
        raise Trouble(said, cure=refused.cure, code=CODE) from error
    _Checking(text, where).check(roster)
    return roster


def save(roster: Roster, path: Path | None = None) -> Path:
    """Check it and write it atomically (0600); returns the file. Trouble where it can't be right or can't be written."""
    import yaml

    file = path or default_path()
    text = yaml.safe_dump(msgspec.to_builtins(roster), sort_keys=False, allow_unicode=True, width=4096)
    parse_roster(text, str(file))
    try:
        write_atomically(file, text.encode())
    except OSError as error:
        what = f"{file} can't be written: {error.strerror}"
        raise Trouble(what, cure="free some space or correct the folder's permissions") from error
    return file


def allowed_signers(roster: Roster, *, dated: bool = True) -> str:
    """The roster as OpenSSH's allowed_signers file (see ssh-keygen(1)), one line a key.

    Its times are UTC without saying so, as OpenSSH before 9.1 knows no other way to write them: run ssh-keygen with TZ=UTC.
    `dated=False` leaves the ends out, for OpenSSH before 8.7, which does not know them.
    """
    return "".join(_signer(person, key, dated) for person in roster.people for key in person.public_keys())


def _signer(person: Person, key: PublicKey, dated: bool) -> str:
    end = end_of(person) if dated else None
    ends = f',valid-before="{end:%Y%m%d%H%M%S}"' if end is not None else ""
    return f'{person.principal} namespaces="{NAMESPACE}"{ends} {key.line}\n'


def _plain_days(value: Any) -> Any:
    """YAML reads `until: 2027-03-31` as a date; with quotation marks or without, it is the same day."""
    if isinstance(value, dict):
        return {key: _plain_days(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain_days(one) for one in value]
    return value.isoformat() if type(value) is date else value


# ------------------------------------------------------------ what types can't check


class _Checking:
    """Rules across a roster's entries; each refusal names the line."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.owners: dict[str, Person] = {}  # by the key's fingerprint
        self.principals: set[str] = set()
        self.keys: dict[str, PublicKey] = {}  # by fingerprint
        self.places: dict[str, tuple[str | int, ...]] = {}

    def check(self, roster: Roster) -> None:
        if roster.format != 1:
            self._refuse(f"format {roster.format} is not known", "write `format: 1`", "format")
        for at, person in enumerate(roster.people):
            self._person(at, person)
            for number in range(len(person.keys)):
                self._key(person, "people", at, "keys", number)
        self._ask_openssh()

    def _person(self, at: int, person: Person) -> None:
        if not _PRINCIPAL.fullmatch(person.principal):  # a pattern's `$` lets a line break pass
            self._refuse("this principal holds a line break", "write it on one line", "people", at, "principal")
        if not person.name.isprintable() or not person.name.strip():
            self._refuse("this name holds characters that can't be printed", "type it anew", "people", at, "name")
        if said := _unclear(person.name):
            self._refuse(f"this name {said}", "type it anew, in one alphabet", "people", at, "name")
        if person.principal in self.principals:
            what = f"the principal '{person.principal}' is given twice"
            self._refuse(what, "put all keys of a person under one entry", "people", at, "principal")
        self.principals.add(person.principal)
        try:
            end_of(person)
        except (ValueError, OverflowError):
            self._refuse(f"{person.until!r} is no day", "write a day as 2027-03-31", "people", at, "until")

    def _key(self, person: Person, *place: str | int) -> None:
        try:
            key = parse_key(person.keys[int(place[-1])])
        except Trouble as trouble:
            self._refuse(trouble.what, trouble.cure, *place)
        other = self.owners.setdefault(key.fingerprint, person)
        if other is not person:
            who = f"{other.name} ({other.principal}) and {person.name} ({person.principal})"
            cure = "each person signs with a key of their own: make one with `ssh-keygen -t ed25519`"
            self._refuse(f"{who} have the same key {key.fingerprint}", cure, *place)
        if key.fingerprint in self.keys:
            self._refuse(f"{person.name} has the key {key.fingerprint} twice", "remove one of them", *place)
        self.keys[key.fingerprint] = key
        self.places[key.fingerprint] = place

    def _ask_openssh(self) -> None:
        """Let `ssh-keygen -l` read all keys at once, and where it can't, one by one to name the place."""
        keys = list(self.keys.values())
        if not keys or _read_by_openssh(keys) == len(keys):
            return
        for key in keys:
            if _read_by_openssh([key]) == 0:
                cure = "copy the .pub file's line again"
                self._refuse(f"OpenSSH can't read this {key.kind} key", cure, *self.places[key.fingerprint])

    def _refuse(self, what: str, cure: str, *place: str | int) -> NoReturn:
        line = strict_yaml.line_of(self.text, place)
        raise Trouble(f"{self.where}, line {line} ({strict_yaml.written(place)}): {what}", cure=cure, code=CODE)


def _unclear(name: str) -> str:
    """Why readers could take this name for another one; empty where they can't."""
    if _UNSEEN.search(name):
        return "holds characters that nobody can see"
    letters = (unicodedata.name(one, "").split(" ")[0] for one in unicodedata.normalize("NFKC", name) if one.isalpha())
    mixed = sorted(set(letters) & _LOOK_ALIKE)
    return f"mixes letters that look alike: {' and '.join(one.title() for one in mixed)}" if len(mixed) > 1 else ""


def _read_by_openssh(keys: list[PublicKey]) -> int:
    """How many of these keys ssh-keygen names; all of them where it is not there to be asked."""
    given = "".join(key.line + "\n" for key in keys)
    try:
        ran = subprocess.run(
            ["ssh-keygen", "-l", "-f", "-"], input=given, capture_output=True, text=True, timeout=_KEYGEN_S
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return len(keys)  # signing and verifying say that it is missing; a roster can be read without
    return len(ran.stdout.splitlines())
