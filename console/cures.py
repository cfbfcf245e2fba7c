"""What a person can do about each kind of failure and of bad event, where the robot did not say it itself."""

from __future__ import annotations

from remote.protocol import Event, Failure

CURES: dict[str, str] = {
    "inference_error": "run `fieldgate bundle check` on the bundle; if only this picture does it, keep it and report it",
    "bad_output": "run `fieldgate bundle check`; export the model again, or deploy the bundle that worked before",
    "bad_frame": "replace or remove that picture; with a camera, check its cable and its format",
    "camera_gone": "plug the camera in or bring the files back; it is opened again by itself",
    "camera_stalled": "check the camera's cable and power; it is opened again by itself",
    "camera_frozen": "check the camera and its driver; it is opened again by itself",
    "camera_black": "take the cap off, switch the light on, or check the exposure",
    "worker_crash": "it is started again by itself; if it comes again, read its last words in the failure's detail",
    "worker_hang": "it is started again by itself; if it comes again, check the camera's driver and the load",
    "worker_unable": "correct what it names, then start it again",
    "worker_unkillable": "restart the robot: the worker hangs in a driver",
    "clock_stepped": "nothing is lost: ages and order follow the monotonic clock; let NTP keep the clock",
    "journal_lost": "give the journal more room (`limits` in the robot's settings.yaml) or connect more often",
    "journal_blocked": "make space on the robot's disk",
    "journal_replaced": "check the robot's disk; the damaged file is kept on the robot",
}
"""By the `name` of a failure or an event; every failure has one."""


def cure_of(body: Event | Failure) -> str:
    """What to do about it: the robot's own word first; empty where nothing needs doing."""
    told = body.data.get("cure")
    return str(told) if told else CURES.get(body.name, "")
