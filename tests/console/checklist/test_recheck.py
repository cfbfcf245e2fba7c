"""What is offered to be looked at again: all that is needed, and nothing twice."""

from __future__ import annotations

from console.checklist.folding.recheck import settled_with
from console.checklist.pack import Act, Item, Probe, When
from tests.console.checklist.fold_book import Book, checklist, confirmed, sensed, stage, witnessed

SHARED = Probe(name="camera_alive", parameters={"seconds": "5 s"})


def gone_stale(*items: Item) -> Book:
    """Every item passed with one engine; then another was seen."""
    at = Book(checklist(*items))
    for item in items:
        if item.act is not None:
            at.act(item.id)
        if item.kind in ("sensed", "measured"):
            at.look(item.id, fingerprints={"engine": "one"})
        else:
            at.say(item.id, fingerprints={"engine": "one"})
            at.say(item.id, fingerprints={"engine": "one"}, person="bo", meaning="witnessed")
    assert at.state().recheck == ()
    at.see(engine="two")
    return at


def test_only_what_is_stale_comes_again() -> None:
    at = gone_stale(sensed("a"), confirmed("c"), witnessed("w"), sensed("m", kind="measured"))
    assert at.state().recheck == ("a", "c", "w", "m")
    at.look("a", fingerprints={"engine": "two"})
    at.look("m", "fail", fingerprints={"engine": "two"})
    assert at.state().recheck == ("c", "w")


def test_what_is_overridden_deferred_or_not_applicable_does_not() -> None:
    over = sensed("a", override_by=("safety",))
    late = sensed("b", defer_by=("lead",))
    gone = sensed("c", when=When(item="a", states=("pass",)))
    at = Book(checklist(stage("bench", over, late, gone, sensed("d")), stage("field", sensed("e"))))
    for id in "abcd":
        at.look(id, fingerprints={"engine": "one"})
    at.see(engine="two")
    assert at.state().recheck == ("a", "b", "d"), "c does not apply while a is stale"
    at.override("a")
    at.defer("b", "field")
    assert at.state().recheck == ("d",)


def test_of_a_stale_group_one_is_enough_best_a_sensed_one() -> None:
    group = (confirmed("c", one_of="speed"), sensed("a", one_of="speed"), sensed("b", one_of="speed"))
    at = gone_stale(*group, sensed("z"))
    assert at.state().recheck == ("a", "z")
    at.look("b", fingerprints={"engine": "two"})
    assert at.state().recheck == ("z",), "b excuses the others"


def test_a_group_without_a_sensed_item_asks_for_its_first() -> None:
    at = gone_stale(confirmed("c", one_of="speed"), witnessed("w", one_of="speed"))
    assert at.state().recheck == ("c",)


def test_items_with_one_probe_are_one_look() -> None:
    at = gone_stale(sensed("a", probe=SHARED), sensed("b", probe=SHARED), sensed("c"))
    assert at.state().recheck == ("a", "c")


def test_other_parameters_another_hold_or_a_command_are_another_look() -> None:
    other = Probe(name="camera_alive", parameters={"seconds": "6 s"})
    command = Act(says="disarm", argv=("disarm",))
    at = gone_stale(
        sensed("a", probe=SHARED),
        sensed("b", probe=other),
        sensed("c", probe=SHARED, hold="5 s"),
        sensed("d", probe=SHARED, act=command),
        sensed("e", probe=SHARED, act=command),
    )
    assert at.state().recheck == ("a", "b", "c", "d", "e")


def test_a_group_whose_look_is_made_anyway_asks_for_nothing_more() -> None:
    at = gone_stale(sensed("a", one_of="speed"), sensed("b", one_of="speed", probe=SHARED), sensed("z", probe=SHARED))
    assert at.state().recheck == ("z",)


def test_what_is_checked_again_takes_along_all_that_one_look_settles() -> None:
    """Else a person presses the key twice, and the second item looks forgotten."""
    at = gone_stale(sensed("a", probe=SHARED), sensed("b", probe=SHARED), sensed("c"), confirmed("d"))
    states = at.state().items()
    assert at.state().recheck == ("a", "c", "d")
    assert settled_with(states, ("a",)) == {"a", "b"}
    assert settled_with(states, ("b", "d")) == {"a", "b", "d"}
    at.look("b", fingerprints={"engine": "two"})
    assert settled_with(at.state().items(), ("a",)) == {"a"}, "what is not stale is left alone"
