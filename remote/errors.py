"""The one error that a person is meant to read: what happened, where, and what to do about it."""


class Trouble(Exception):
    """Something went wrong that the user can act on; shown as two lines, without a traceback.

    Raise it where the cause is known, catch it only at the edge (a command, a request, a thread's outer loop).

    Args:
        what: what happened and to which thing, one sentence without a final full stop.
        cure: what the user can do now, an imperative sentence; empty if nothing can be done.
        code: a stable machine-readable word, snake_case, for `--json` and for the protocol's error codes.
    """

    def __init__(self, what: str, *, cure: str = "", code: str = "trouble") -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.code = code

    def __str__(self) -> str:
        return f"{self.what}\n  -> {self.cure}" if self.cure else self.what
