"""The right to command: one holder, an epoch that grows with each grant, an expiry. Pure; time comes in as nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass

from remote.errors import Trouble
from remote.protocol import LeaseState

TERM_S = 10.0


@dataclass(frozen=True)
class Holder:
    """Who asks: the laptop's store, the name shown to others, and which connection (unique while the agent runs)."""

    client_id: str
    name: str
    connection: int


@dataclass(frozen=True)
class Grant:
    """What a take did: the lease now, and who held it before where somebody did."""

    lease: LeaseState
    fresh: bool
    taken_from: str = ""


class LeaseBook:
    """Keeps the one lease. `epoch` is that of the newest grant, held or not."""

    def __init__(self, epoch: int = 0, term_s: float = TERM_S) -> None:
        self.epoch = epoch
        self._term_ns = int(term_s * 1e9)
        self._lease: LeaseState | None = None
        self._holder: Holder | None = None
        self._gone: LeaseState | None = None

    @property
    def lease(self) -> LeaseState | None:
        """The lease as last granted or renewed; call `expire` first to know whether it still holds."""
        return self._lease

    @property
    def holder(self) -> Holder | None:
        """Who holds it."""
        return self._holder

    def take(self, who: Holder, now_ns: int, *, over: int | None = None, holder_attached: bool = True) -> Grant:
        """Grant the lease to `who`, or raise Trouble (code `lease_held`).

        A free lease is granted. The holder's own connection asking again only extends it. The same laptop on another
        connection gets it where the holder's connection is gone (`holder_attached` False). Anybody gets it who names the
        current epoch as `over`.
        """
        self._end_if_over(now_ns)
        held, holder = self._lease, self._holder
        if held is None or holder is None:
            return self._grant(who, now_ns, "")
        if holder.connection == who.connection:
            return Grant(self._extend(held, now_ns), fresh=False)
        if over == held.epoch or (holder.client_id == who.client_id and not holder_attached):
            return self._grant(who, now_ns, holder.name if over == held.epoch else "")
        raise Trouble(
            f"{held.holder} holds the lease (epoch {held.epoch})",
            cure="ask them to release it, or take it over on purpose",
            code="lease_held",
        )

    def check(self, who: Holder, epoch: int | None, now_ns: int) -> None:
        """Raise Trouble unless `who` may command with `epoch`: `no_lease` where none was named, else `lease_lost`.

        A holder that came back on a new connection and knows its epoch is still the holder.
        """
        self._end_if_over(now_ns)
        if epoch is None:
            raise Trouble("this command needs the lease", cure="take the lease first", code="no_lease")
        held = self._lease
        if held is None or held.epoch != epoch or held.client_id != who.client_id:
            now = f"{held.holder} holds epoch {held.epoch}" if held else "nobody holds it"
            raise Trouble(f"the lease of epoch {epoch} is over: {now}", cure="take the lease again", code="lease_lost")
        self._holder = who

    def renew(self, who: Holder, epoch: int | None, now_ns: int) -> LeaseState:
        """Extend the lease; raises like `check`."""
        self.check(who, epoch, now_ns)
        assert self._lease is not None  # check has seen it
        return self._extend(self._lease, now_ns)

    def release(self, who: Holder, epoch: int | None, now_ns: int) -> None:
        """Give the lease back; raises like `check`."""
        self.check(who, epoch, now_ns)
        self._lease = self._holder = None

    def expire(self, now_ns: int) -> LeaseState | None:
        """Take the lease away where its time is over; returns what was taken away since it was last asked, also by others."""
        self._end_if_over(now_ns)
        gone, self._gone = self._gone, None
        return gone

    def _end_if_over(self, now_ns: int) -> None:
        if self._lease is not None and now_ns >= self._lease.expires_mono_ns:
            self._gone = self._lease
            self._lease = self._holder = None

    def _grant(self, who: Holder, now_ns: int, taken_from: str) -> Grant:
        self.epoch += 1
        self._holder = who
        self._lease = LeaseState(who.name, who.client_id, self.epoch, now_ns + self._term_ns, taken_from)
        return Grant(self._lease, fresh=True, taken_from=taken_from)

    def _extend(self, held: LeaseState, now_ns: int) -> LeaseState:
        self._lease = LeaseState(held.holder, held.client_id, held.epoch, now_ns + self._term_ns, held.last_taken_from)
        return self._lease
