"""The longest way through a network: drawn by hand, and against all orders of its keys."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector import trail
from inspector.trail import Edge, Taken, longest


def chain(a: int, b: int, length: float) -> Edge:
    """One of so many steps of 1 px."""
    return Edge((a, b), length, (length - 1, length - 1))


def total(edges: list[Edge], way: list[Taken]) -> float:
    return sum(
        edges[t.number].length if t.only is None else edges[t.number].short[t.only] for t in way
    )


def test_a_loop_is_gone_round() -> None:
    """But for the step back to where it began."""
    edges = [chain(0, 0, 30), chain(0, 1, 10)]

    assert total(edges, longest(edges)) == 39


def test_a_way_may_begin_and_end_within_loops() -> None:
    """A dumb-bell: both loops and the bar between them."""
    edges = [chain(0, 0, 30), chain(0, 1, 10), chain(1, 1, 40)]

    assert total(edges, longest(edges)) == 29 + 10 + 39


def test_of_three_ways_between_two_forks_all_are_taken() -> None:
    """One from end to end, the other two but for a step, each from another fork."""
    edges = [chain(0, 1, 10), chain(0, 1, 20), chain(0, 1, 30)]

    assert total(edges, longest(edges)) == 10 + 20 + 30 - 2


def test_what_is_known_is_not_found_again() -> None:
    edges = [chain(0, 0, 30), chain(0, 1, 10)]

    assert longest(edges, known=39) == []
    assert longest(edges, known=38.5)


def test_a_mesh_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MESH", 1)

    assert longest([chain(0, 0, 30), chain(0, 1, 10)]) == []


def test_where_few_ways_are_followed_one_is_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A grid of 5 × 5 keys with 16 ways at a time: most of it is passed."""
    keys = [(x, y) for x in range(5) for y in range(5)]
    edges = [
        chain(keys.index((x, y)), keys.index(other), 10)
        for x, y in keys
        for other in ((x + 1, y), (x, y + 1))
        if other in keys
    ]
    monkeypatch.setattr(trail, "WORK", 16 * len(edges))

    assert total(edges, longest(edges)) >= 0.7 * 24 * 10


def by_force(edges: list[Edge], keys: list[int]) -> float:
    """Over all orders of some keys, with the longest edge between neighbours and stubs at both
    ends into chains that lead back.
    """
    best = 0.0
    for count in range(1, len(keys) + 1):
        for order in permutations(keys, count):
            best = max(best, _along(edges, order))
    return best


def _along(edges: list[Edge], order: tuple[int, ...]) -> float:
    options = [(0.0, frozenset())]
    for a, b in pairwise(order):
        between = [n for n, e in enumerate(edges) if set(e.ends) == {a, b}]
        options = [
            (far + edges[n].length, used | {n})
            for far, used in options
            for n in between
            if n not in used
        ]
    for end in (order[0], order[-1]):
        stubs = [
            (n, e.short[side])
            for n, e in enumerate(edges)
            for side in (0, 1)
            if e.ends[side] == end and e.ends[1 - side] in order
        ]
        options += [
            (far + more, used | {n}) for far, used in options for n, more in stubs if n not in used
        ]
    return max((far for far, _ in options), default=0.0)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(2, 40)), min_size=1, max_size=7
    )
)
def test_nothing_longer_is_found_by_trying_all(links: list[tuple[int, int, int]]) -> None:
    edges = [chain(a, b, length) for a, b, length in links]
    found, keys = {links[0][0]}, set()
    while found != keys:  # the part that the first edge lies in
        keys = set(found)
        found |= {key for e in edges if found & set(e.ends) for key in e.ends}
    edges = [e for e in edges if set(e.ends) <= keys]

    assert total(edges, longest(edges)) == by_force(edges, sorted(keys))
