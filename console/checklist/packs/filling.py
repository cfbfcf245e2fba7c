"""Text filled to a width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator


def paragraphs(text: str, indent: str, width: int) -> Iterator[str]:
    """The text's paragraphs, each filled anew: the lines of the file were broken for another width."""
    for place, paragraph in enumerate(text.strip().split("\n\n") if text else ()):
        yield from [""] if place else []
        yield from textwrap.wrap(" ".join(paragraph.split()), width, initial_indent=indent, subsequent_indent=indent)


def hanging(first: str, words: str, width: int) -> list[str]:
    """The words behind `first`, further lines as far to the right as the first."""
    indent = " " * len(first)
    return textwrap.wrap(" ".join(words.split()), width, initial_indent=first, subsequent_indent=indent)
