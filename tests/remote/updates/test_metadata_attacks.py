"""Attacks on the repository's metadata: nothing comes onto the robot, and the reason is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.remote.updates.looking_robot import Robot
from tests.tuf_repository import Repository, bundle_files, new_key

# ------------------------------------------------------------------ attacks on the metadata


def old_timestamp(repository: Repository) -> None:
    repository.timestamp.version -= 1
    repository.publish_timestamp()


def old_snapshot(repository: Repository) -> None:
    repository.snapshot.version -= 1
    repository.timestamp.version += 1
    repository.publish_online()


def old_targets(repository: Repository) -> None:
    repository.targets.version -= 1
    repository.snapshot.version += 1
    repository.timestamp.version += 1
    repository.rollout.version += 1
    repository.publish()


def old_rollout(repository: Repository) -> None:
    repository.targets.version += 1
    repository.snapshot.version += 1
    repository.timestamp.version += 1
    repository.rollout.version -= 1
    repository.publish()


def expired(name: str) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        getattr(repository, name).expires = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
        if name == "root":
            repository.root.version += 1
            repository.publish_root()
        repository.publish(bump=True)

    return change


def signed_by_stranger(**roles: str) -> Callable[[Repository], None]:
    strangers: Any = {role: new_key() for role in roles}
    return lambda repository: repository.publish(bump=True, **strangers)


def targets_signed_by(*which: int) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        repository.publish(bump=True, targets_signers=[repository.keys.targets[one] for one in which])

    return change


def rollout_by_targets_key(repository: Repository) -> None:
    repository.publish(bump=True, rollout=repository.keys.targets[0])


def targets_by_rollout_key(repository: Repository) -> None:
    repository.publish(bump=True, targets_signers=[repository.keys.rollout, repository.keys.online])


def bad_root(repository: Repository) -> None:
    repository.root.version += 1
    repository.publish_root(new_key(), new_key())


def root_jumps(repository: Repository) -> None:
    repository.root.version += 1
    data = repository.write("root", repository.root, repository.keys.root[:2])
    repository.root.version += 1
    newer = repository.write("root", repository.root, repository.keys.root[:2])
    metadata = repository.folder / "metadata"
    (metadata / "2.root.json").write_bytes(newer)
    assert data != newer


def written(name: str, data: bytes) -> Callable[[Repository], None]:
    def change(repository: Repository) -> None:
        repository.publish(bump=True)
        version = getattr(repository, name).version
        path = repository.folder / "metadata" / repository.file_name(name, version)
        path.write_bytes(data)

    return change


def truncated(repository: Repository) -> None:
    repository.publish(bump=True)
    path = repository.folder / "metadata" / "timestamp.json"
    path.write_bytes(path.read_bytes()[:-20])


ATTACKS: dict[str, tuple[Callable[[Repository], None], str]] = {
    "rollback-timestamp": (old_timestamp, "metadata_rollback"),
    "rollback-snapshot": (old_snapshot, "metadata_rollback"),
    "rollback-targets": (old_targets, "metadata_rollback"),
    "rollback-rollout": (old_rollout, "metadata_rollback"),
    "freeze-timestamp": (expired("timestamp"), "metadata_expired"),
    "expired-snapshot": (expired("snapshot"), "metadata_expired"),
    "expired-targets": (expired("targets"), "metadata_expired"),
    "expired-rollout": (expired("rollout"), "metadata_expired"),
    "expired-root": (expired("root"), "metadata_expired"),
    "wrong-key-timestamp": (signed_by_stranger(timestamp=""), "metadata_unsigned"),
    "wrong-key-snapshot": (signed_by_stranger(snapshot=""), "metadata_unsigned"),
    "wrong-key-rollout": (signed_by_stranger(rollout=""), "metadata_unsigned"),
    "threshold-not-met": (targets_signed_by(0), "metadata_unsigned"),
    "rollout-by-wrong-role": (rollout_by_targets_key, "metadata_unsigned"),
    "targets-by-wrong-role": (targets_by_rollout_key, "metadata_unsigned"),
    "root-by-strangers": (bad_root, "metadata_unsigned"),
    "root-jumps": (root_jumps, "metadata_rollback"),
    "truncated": (truncated, "metadata_invalid"),
    "endless-timestamp": (written("timestamp", b"{" + b" " * 20_000), "too_much_data"),
    "hostile-not-json": (written("timestamp", b"\xff\xfe\x00"), "metadata_invalid"),
    "hostile-nested": (written("timestamp", b"[" * 16_000), "metadata_invalid"),
    "hostile-numbers": (written("timestamp", b'{"signed": {"version": 1e999}, "signatures": 7}'), "metadata_invalid"),
    "hostile-other-type": (
        written("timestamp", b'{"signed": {"_type": "root"}, "signatures": []}'),
        "metadata_invalid",
    ),
    "other-snapshot": (written("snapshot", b"{}"), "metadata_invalid"),
    "other-targets": (written("targets", b"{}"), "metadata_invalid"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_metadata_is_refused_and_what_is_honest_goes_on(
    repository: Repository, robot: Robot, name: str
) -> None:
    """First an honest look, then the attack: nothing comes, the reason is said; a robot without history refuses as well."""
    change, code = ATTACKS[name]
    assert robot.look().outcome == "taken"
    robot.drop_staging()
    repository.release(2, bundle_files(b"what the attacker wants"))
    repository.open(2, everyone=True)
    change(repository)
    trouble = robot.refused()
    assert trouble.code == code, trouble.what


def test_another_threshold_of_targets_keys_is_as_good(repository: Repository, robot: Robot) -> None:
    targets_signed_by(2, 1)(repository)
    assert robot.look().outcome == "taken"


def test_root_keys_can_be_changed_by_those_before_them(repository: Repository, robot: Robot) -> None:
    assert robot.look().outcome == "taken"
    fresh = [new_key(), new_key()]
    for signer in repository.keys.root[:2]:
        repository.root.revoke_key(signer.public_key.keyid, "root")
    for signer in fresh:
        repository.root.add_key(signer.public_key, "root")
    repository.root.version += 1
    repository.publish_root(*repository.keys.root[:2], *fresh)
    repository.root.version += 1
    repository.publish_root(*fresh)
    repository.publish(bump=True)
    assert robot.look().outcome == "taken"
    assert (robot.folder / "cache" / "root_history" / "3.root.json").exists()


def test_a_robot_that_lost_power_while_metadata_was_kept_still_knows_what_it_saw(
    repository: Repository, robot: Robot
) -> None:
    """A torn timestamp in the cache must not let an attacker go back: the snapshot still tells."""
    assert robot.look().outcome == "taken"
    (robot.folder / "cache" / "tmpabc").write_bytes(b"half")
    old_targets(repository)
    assert robot.refused_after_all().code == "metadata_rollback"
    assert not (robot.folder / "cache" / "tmpabc").exists()


def test_a_robot_that_was_away_until_all_it_knew_expired_takes_what_is_new(
    repository: Repository, robot: Robot
) -> None:
    assert robot.look().outcome == "taken"
    cache, past = robot.folder / "cache", datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=400)
    for name in ("timestamp", "snapshot", "targets", "rollout"):
        signed = getattr(repository, name)
        keys = repository.keys.targets[:2] if name == "targets" else [repository.keys.online]
        until, signed.expires = signed.expires, past
        data = repository.write(name, signed, [repository.keys.rollout] if name == "rollout" else keys)
        signed.expires = until
        (cache / f"{name}.json").write_bytes(data)
    repository.publish(bump=True)
    assert robot.look().outcome == "taken"


def test_after_seventy_new_roots_the_robot_still_finds_the_newest(repository: Repository, robot: Robot) -> None:
    for _ in range(70):
        repository.root.version += 1
        repository.publish_root()
    for _ in range(2):
        assert robot.look().outcome == "taken"
    assert (robot.folder / "cache" / "root_history" / "71.root.json").exists()
