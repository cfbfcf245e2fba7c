"""How the probes of an open checklist look at the robot: through the session that the screen shows anyway."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.checklist.probes import Sight
    from console.link.session import Session
    from console.link.transport import Transport
    from console.robots import Robot
    from console.store.store import Store


class Left(Exception):
    """The person left the screen while a probe was waiting: the look is given up, and nothing is written down of it."""


class Sights:
    """Makes a sight for each look; commands on the robot go over a connection of their own, opened when first needed.

    Args:
        session: the screen's session; whoever made it closes it.
        robot: how the robot is reached; None: this laptop does not know it, so only files are looked at.
    """

    def __init__(self, session: Session, robot: Robot | None) -> None:
        self._session = session
        self._robot = robot
        self._transport: Transport | None = None
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._left = threading.Event()

    def of(self, campaign: Campaign) -> Sight:
        """A sight for one look. Reads and connects, so call it in a thread. Raises Trouble where the store can't be used."""
        from console.looking import OfflineSight, RobotSight

        if self._robot is None or campaign.robot != self._robot.name:
            return OfflineSight(campaign.files, campaign.bundle)
        transport, store = self._ways(self._robot)
        name, files, bundle = self._robot.name, campaign.files, campaign.bundle
        made = RobotSight(self._session, transport, store, robot=name, files=files, bundle=bundle, pause=self._pause)
        return made

    def leave(self) -> None:
        """Let looks that wait for the robot end now, with Left."""
        self._left.set()

    def close(self) -> None:
        """Close the connection and the store."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
            if self._store is not None:
                self._store.close()
            self._transport = self._store = None

    def _pause(self, seconds: float) -> None:
        if self._left.wait(seconds):
            raise Left

    def _ways(self, robot: Robot) -> tuple[Transport, Store]:
        with self._lock:
            if self._transport is None or self._store is None:
                from console.link.opening import transport_of
                from console.store.store import Store

                self._transport = transport_of(robot)
                self._store = Store()
            return self._transport, self._store
