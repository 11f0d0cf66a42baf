"""The longest way through a network of chains that passes no key twice, and may end within a chain.

A frontier search (Knuth, TAOCP 4A, 7.1.4, Simpath): the chains are taken one after the other, each
is on the way or is not, and of all choices that leave the same ends open the longest is kept. That
is exact, and cheap for whatever a scratch draws by itself. In a mesh there are more and more ways
to leave ends open, and only the best choices are followed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WORK = 8_000  # ways that are followed over all edges; some 30 ms
MESH = 1000  # edges, among which so few ways at a time would find nothing
DETOUR = 20.0  # px by which a choice must be longer to be followed with one more piece to link

PASSED, TIP = -1, -2
"""In place of a key: the way leads on through this one; the other end is a tip of the whole way."""

Links = dict[int, int]
"""For each key that pieces of a way have reached, the key at the other end of its piece. `TIP` for
`TIP`: the way is complete.
"""

State = tuple[tuple[int, int], ...]
"""Links, sorted."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A chain between two keys, ≥ 0, and its length in px. `short`: what is left of it when it
    stops a pixel before the second or the first of them, because the way has been there.
    """

    ends: tuple[int, int]
    length: float
    short: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Taken:
    """An edge that is on the way, and from which of its ends: 0, 1, or None: from end to end."""

    number: int
    only: int | None = None


Way = tuple[Taken, "Way"] | None
"""The last edge that was taken, and the way before it."""

Reached = tuple[float, Way]
"""How long a way is in px, all its pieces together."""

Ways = dict[State, Reached]

Choice = tuple[Taken | None, tuple[int, int] | None, float]
"""What the way does with an edge, the keys that links, and by how much it becomes longer."""


def longest(edges: Sequence[Edge], known: float = 0.0) -> list[Taken]:
    """What the longest way through connected edges takes, in no particular order; nothing if none
    is found that is longer than `known`, in px.
    """
    if len(edges) > MESH:
        return []
    most = WORK // len(edges)
    order = _order(edges)
    last = {key: place for place, number in enumerate(order) for key in edges[number].ends}
    to_come = sum(edge.length for edge in edges)
    best: Reached = (known, None)
    ways: Ways = {(): (0.0, None)}
    for place, number in enumerate(order):
        edge = edges[number]
        done = [key for key in dict.fromkeys(edge.ends) if last[key] == place]
        to_come -= edge.length
        ways, complete = _further(ways, _choices(number, edge), done)
        best = max([best, *complete], key=_far)
        ways = {state: way for state, way in ways.items() if way[0] + to_come > best[0]}
        if len(ways) > most:
            ways = dict(sorted(ways.items(), key=_worth)[-most:])
    return _listed(best[1])


def _order(edges: Sequence[Edge]) -> list[int]:
    """The edges in an order in which few keys lie between those that are done and those to come."""
    at: dict[int, dict[int, int]] = {}
    for number, (a, b) in enumerate(edge.ends for edge in edges):
        at.setdefault(a, {})[number] = b
        at.setdefault(b, {})[number] = a
    order: list[int] = []
    begun = [min(at, key=lambda key: (len(at[key]), key))]
    while begun:
        key = min(begun, key=lambda key: len(set(at[key].values()).difference(begun)))
        for number, other in at.pop(key).items():
            order.append(number)
            if other in at:
                del at[other][number]
                if other not in begun:
                    begun.append(other)
        begun.remove(key)
    return order


def _further(ways: Ways, choices: list[Choice], done: list[int]) -> tuple[Ways, list[Reached]]:
    """The ways with each of these choices: those that can go on, and those that are complete."""
    further: Ways = {}
    complete = []
    for state, (far, way) in ways.items():
        for taken, ends, length in choices:
            left = _closed(_linked(dict(state), ends), done)
            if left is None:
                continue
            longer = (far + length, (taken, way) if taken else way)
            if TIP in left:
                complete.append(longer)
                continue
            key = tuple(sorted(left.items()))
            if key not in further or further[key][0] < longer[0]:
                further[key] = longer
    return further, complete


def _far(one: Reached) -> float:
    return one[0]


def _worth(item: tuple[State, Reached]) -> float:
    return item[1][0] - DETOUR * sum(beyond != PASSED for _, beyond in item[0])


def _choices(number: int, edge: Edge) -> list[Choice]:
    """What the way can do with an edge: leave it, take it, begin or end within it."""
    first, second = edge.ends
    choices: list[Choice] = [(None, None, 0.0)]
    if first != second:
        choices.append((Taken(number), edge.ends, edge.length))
    tips = ((Taken(number, side), (edge.ends[side], TIP), edge.short[side]) for side in (0, 1))
    return choices + [tip for tip in tips if tip[2] > 0]


def _linked(links: Links, ends: tuple[int, int] | None) -> Links | None:
    """With an edge between these ends, the second of which may be a tip. None: that is no way."""
    if ends is None:
        return links
    a, b = ends
    beyond_a, beyond_b = links.get(a, a), links.get(b, b)
    if TIP in links or PASSED in (beyond_a, beyond_b) or beyond_a == b != TIP:
        return None
    for key, beyond in ((a, beyond_a), (b, beyond_b)):
        if key != beyond:
            links[key] = PASSED
    for key, beyond in ((beyond_a, beyond_b), (beyond_b, beyond_a)):
        if key != TIP or beyond == TIP:
            links[key] = beyond
    return links


def _closed(links: Links | None, done: Iterable[int]) -> Links | None:
    """Without the keys at which no more edges end: the way ends there, if it got no farther.

    None: that is no way, since it has three tips, or pieces beside it.
    """
    for key in done:
        if links is not None and links.get(key, PASSED) != PASSED:
            links = _linked(links, (key, TIP))
        if links is not None:
            links.pop(key, None)
    if links is None:
        return None
    pieces = [key for key, beyond in links.items() if beyond != PASSED]
    tips = list(links.values()).count(TIP)
    return links if (pieces == [TIP] if TIP in links else tips <= 2) else None


def _listed(way: Way) -> list[Taken]:
    taken = []
    while way is not None:
        taken.append(way[0])
        way = way[1]
    return taken
