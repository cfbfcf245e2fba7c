"""Which actions of the models screen would do something now: the key line offers these."""

from __future__ import annotations

from remote.model_states import ModelsState, Step, StoredBundle

NOT_CALLED_OFF: tuple[Step, ...] = ("idle", "committed", "rolling_back")
"""Steps in which nothing can be called off: there is no change, or it is ending already."""


def offered_now(
    state: ModelsState, bundle: StoredBundle | None, *, mine: bool, validating: bool = False
) -> tuple[str, ...]:
    """The names of the actions that apply to the attached robot, most wanted first. `bundle`: under the cursor, if any.

    `mine`: this console holds the lease. Without it only what needs none can be done, and the way to it comes first.
    `validating`: a bundle is being validated, one at a time.
    """
    can_validate = bundle is not None and not bundle.trouble and not validating
    if not mine:
        return ("model_lease", *(("model_validate",) if can_validate else ()))
    idle = state.step == "idle"
    names = ["model_push"] if idle else []
    names += ["model_cancel"] if state.step not in NOT_CALLED_OFF else []
    if bundle is not None:
        own = _of_bundle(state, bundle, idle=idle)
        names += own if can_validate else [name for name in own if name != "model_validate"]
    names += ["model_back"] if idle and state.previous is not None else []
    names += ["model_update"] if idle and state.updates is not None else []
    return (*names, "model_lease")


def _of_bundle(state: ModelsState, bundle: StoredBundle, *, idle: bool) -> list[str]:
    runs = bundle.use == "current"
    names = []
    if not bundle.trouble:
        names += ["model_activate"] if idle and not runs else []
        names += ["model_validate"]
        beside = state.shadow is not None and not state.shadow.ended
        names += ["model_shadow"] if not runs and not beside and state.current is not None else []
    return [*names, *(["model_remove"] if not bundle.use else [])]
