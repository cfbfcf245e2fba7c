"""The campaigns of a robot, to choose from and to open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from remote.protocol import Choice

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.campaigns.opening import Listed


def campaigns_of(robot: str) -> tuple[Choice, ...]:
    """The robot's campaigns that can be opened, by name. Reads the disk, so call it in a thread."""
    from console.campaigns.opening import all_campaigns

    found = [one for one in all_campaigns() if one.robot == robot and not one.trouble]
    return tuple(Choice(one.name, _words(one)) for one in found)


def _words(one: Listed) -> str:
    return f"{one.bundle_name} {one.bundle[:8]}, {one.pack_name}, {one.entries} entries"


def opener_of(name: str) -> Callable[[], Campaign]:
    """What opens the campaign of that name."""

    def opened() -> Campaign:
        from console.campaigns.opening import open_campaign

        return open_campaign(name)

    return opened
