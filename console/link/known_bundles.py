"""Remembers the labels of the bundles that a robot runs: its detections name them by index only."""

from __future__ import annotations

from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import AgentState, FromAgent, Reply


class KnownBundles:
    """For the link's thread, without the state's lock: it writes to the store where a bundle is new."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: set[str] = set()

    def note(self, message: FromAgent) -> None:
        """Keep the labels that a state brings, once for each bundle."""
        state = message.state if isinstance(message, Reply) else message
        bundle = state.bundle if isinstance(state, AgentState) else None
        if bundle is None or not bundle.labels or bundle.digest in self._noted:
            return
        try:
            self._store.note_labels(bundle.digest, bundle.labels)
        except Trouble:
            return  # a full disk is said where entries are stored; the next state tries again
        self._noted.add(bundle.digest)
