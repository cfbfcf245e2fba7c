"""Who sits at the keyboard: the name that goes into each entry of a record. A claim only; a signature proves it."""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path

import msgspec

from console.places import config_dir
from remote import strict_yaml
from remote.errors import Trouble

VARIABLE = "FIELDGATE_PERSON"
_PRINCIPAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    person: str | None = None


def who(given: str | None = None, path: Path | None = None) -> str:
    """The person's principal: `given` (--as), else $FIELDGATE_PERSON, else `person:` of person.yaml, else the login name.

    Args:
        given: what the command line says; None or empty: not said.
        path: the settings file; None takes `config_dir()/person.yaml`. It need not exist.

    Raises:
        Trouble: `bad_person` for a name that no roster could hold or where none can be found.
    """
    file = path or config_dir() / "person.yaml"
    if given:
        return _checked(given, "--as")
    if said := os.environ.get(VARIABLE):
        return _checked(said, f"${VARIABLE}")
    kept = strict_yaml.load(file, _Settings, code="bad_person_file", absent=_Settings())
    return _checked(kept.person, str(file)) if kept.person else _checked(_login(), "the login name")


def said(given: str | None = None, path: Path | None = None) -> str | None:
    """The principal that somebody said: as `who`, but None where only the login name or no fit name is there.

    Raises Trouble (`bad_person`) for a `given` that no roster could hold.
    """
    if given:
        return _checked(given, "--as")
    try:
        if name := os.environ.get(VARIABLE):
            return _checked(name, f"${VARIABLE}")
        file = path or config_dir() / "person.yaml"
        kept = strict_yaml.load(file, _Settings, code="bad_person_file", absent=_Settings())
        return _checked(kept.person, str(file)) if kept.person else None
    except Trouble:  # whoever signs or records with it is told; a robot is reached without
        return None


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:  # a container's user without an entry in /etc/passwd
        raise Trouble("this machine has no login name for you", cure=_cure(), code="bad_person") from error


def _checked(name: str, where: str) -> str:
    if not _PRINCIPAL.match(name):
        raise Trouble(f"'{name}' ({where}) can't be a person's short name", cure=_cure(), code="bad_person")
    return name


def _cure() -> str:
    return f"say who you are with `--as anna` or ${VARIABLE}: letters, digits and . _ @ + -, at most 64"
