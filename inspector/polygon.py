"""Polygons with corners on whole pixels: how large, and are they simple? Exact. Pure."""

from collections.abc import Sequence

Point = tuple[int, int]


def area(corners: Sequence[Point]) -> float:
    """Area in px² by the shoelace formula, whichever way round the corners go."""
    after = (*corners[1:], corners[0])
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(corners, after, strict=True))) / 2


def crosses_itself(corners: Sequence[Point]) -> bool:
    """Two edges meet anywhere but at the corner that they share; takes at least three corners."""
    edges = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    last = len(edges) - 1
    for i, (a, b) in enumerate(edges):
        for j, (c, d) in enumerate(edges[i + 1 :], start=i + 1):
            if j == i + 1 or (i, j) == (0, last):
                shared, p, q = (b, a, d) if j == i + 1 else (a, b, c)
                if _on(p, shared, q) or _on(q, shared, p) or shared in (p, q):
                    return True
            elif _meet(a, b, c, d):
                return True
    return False


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """The stretches ab and cd have a point in common."""
    if _side(a, b, c) != _side(a, b, d) and _side(c, d, a) != _side(c, d, b):
        return True
    return _on(c, a, b) or _on(d, a, b) or _on(a, c, d) or _on(b, c, d)


def _on(p: Point, a: Point, b: Point) -> bool:
    """The point p lies on the stretch ab."""
    inside = all(min(u, v) <= w <= max(u, v) for w, u, v in zip(p, a, b, strict=True))
    return inside and _side(a, b, p) == 0


def _side(a: Point, b: Point, p: Point) -> int:
    """On which side of the line ab p lies: -1, 0 or 1."""
    turn = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    return (turn > 0) - (turn < 0)
