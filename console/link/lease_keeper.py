"""Keeps the right to command alive while this console wants it."""

from __future__ import annotations

from remote.protocol import AgentState, LeaseState

_FASTEST_NS = 500_000_000


class LeaseKeeper:
    """When to renew, by the agent's own states. Not locked: its owner does that."""

    def __init__(self, client_id: str) -> None:
        self._client_id = client_id
        self._wanted = False
        self._renewed_ns = 0
        self._span_ns = 0

    def own(self, state: AgentState | None) -> LeaseState | None:
        """The lease if this console holds it by that state."""
        lease = state.lease if state is not None else None
        return lease if lease is not None and lease.client_id == self._client_id else None

    def taken(self, state: AgentState | None, now_ns: int) -> None:
        """It was given to this console and shall be kept."""
        self._wanted = True
        lease = self.own(state)
        if lease is not None and state is not None:
            self._span_ns = lease.expires_mono_ns - state.mono_ns
        self._renewed_ns = now_ns

    def dropped(self) -> None:
        """It was given back, or another has it: it is not taken again by itself."""
        self._wanted = False

    def due_ns(self, state: AgentState | None) -> int | None:
        """When to renew next, in the laptop's monotonic time; None where there is nothing to renew."""
        if not self._wanted:
            return None
        if self.own(state) is None:
            self._wanted = state is None
            return None
        return self._renewed_ns + max(_FASTEST_NS, self._span_ns // 3)

    def renewed(self, now_ns: int) -> None:
        """A renewal was sent."""
        self._renewed_ns = now_ns
