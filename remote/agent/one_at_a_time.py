"""What must not be done twice at once: whoever comes second is refused, nobody waits."""

from __future__ import annotations

from remote.errors import Trouble


class OneAtATime:
    """`with` it for as long as it is done. For the loop's thread.

    Attributes:
        busy: whether it is being done now.
    """

    def __init__(self, what: str, *, cure: str, code: str) -> None:
        """`what`, `cure` and `code` are the Trouble of who comes second."""
        self._what, self._cure, self._code = what, cure, code
        self.busy = False

    def __enter__(self) -> None:
        """Raises Trouble where it is being done already."""
        if self.busy:
            raise Trouble(self._what, cure=self._cure, code=self._code)
        self.busy = True

    def __exit__(self, *_: object) -> None:
        self.busy = False
