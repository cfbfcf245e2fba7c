"""Every kind of entry has its line: one without would end `campaign log` for the whole record."""

from __future__ import annotations

import typing

from console.campaigns.entry_words import _SAID, _WORDS
from console.record.entries import Body


def test_every_kind_of_entry_has_its_words() -> None:
    tags = {str(kind.__struct_config__.tag) for kind in typing.get_args(Body)}
    assert tags == set(_SAID) | set(_WORDS)
    assert not set(_SAID) & set(_WORDS)
