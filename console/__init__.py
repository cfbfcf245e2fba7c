"""The laptop's half of fieldgate: the screens, the headless commands, and the link to the robot."""

from remote import __version__

__all__ = ["__version__"]
