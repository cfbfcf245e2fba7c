"""What has expired in a repository, or soon will, with the command that renews it."""

from __future__ import annotations

from collections.abc import Sequence

from console.models.standing import RoleStands, Standing

_BY_PEOPLE = ("root", "targets")


def expiry_lines(found: Standing, *, soon: bool = True) -> tuple[str, ...]:
    """A sentence with its cure for the roles that people sign, and one for those that the laptop signs; none where all is well.

    `soon`: also of what has not expired yet.
    """
    states = ("expired", "soon") if soon else ("expired",)
    short = [role for role in found.roles if role.state in states]
    people = [role for role in short if role.role in _BY_PEOPLE]
    laptop = [role for role in short if role.role not in _BY_PEOPLE]
    lines = [f"{_words(people)}: {_by_people(found)}"] if people else []
    lines += [f"{_words(laptop)}: `fieldgate updates refresh {found.folder}` renews it"] if laptop else []
    return tuple(lines)


def has_expired(found: Standing) -> bool:
    """Whether robots refuse it for that."""
    return any(role.state == "expired" for role in found.roles)


def _words(roles: Sequence[RoleStands]) -> str:
    """`root and targets expired 35.1 days ago, so robots take nothing new`, `root expires in 40.2 days`."""
    names = " and ".join((", ".join(role.role for role in roles[:-1]), roles[-1].role)) if roles[1:] else roles[0].role
    left = min(role.days_left for role in roles)
    if left < 0:
        return f"{names} expired {-left:g} days ago, so robots take nothing new"
    return f"{names} {'expire' if len(roles) > 1 else 'expires'} in {left:g} days"


def _by_people(found: Standing) -> str:
    sign = f"`fieldgate updates sign {found.folder} --key FILE`"
    if found.waits is not None and found.waits.change.kind == "rotate":
        return f"{sign} ends the change of root that waits, which renews it"
    first = "what waits goes first; then " if found.waits is not None else ""
    return f"{first}`fieldgate updates rotate {found.folder} --key FILE`, then {sign} by a second person, renew it"
