"""Who may sign, in which role, with which SSH key, for how long: roster.yaml, and OpenSSH's allowed_signers made from it."""

from __future__ import annotations

from typing import Annotated

import msgspec

NAMESPACE = "fieldgate"
"""The namespace of every signature: one given for something else can't be passed off as a sign-off."""


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One person. `keys` are public keys as in an authorized_keys line; `packs` limits the scope (empty: every pack).

    `until` is the last day (UTC, ISO 8601) on which a signature counts; None: no end.
    """

    principal: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    roles: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    keys: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    until: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The people of a campaign, or of this laptop."""

    format: int = 1
    people: tuple[Person, ...] = ()
