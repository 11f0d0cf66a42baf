"""What a line may say of limits, zones, guard band and scale, and what contradicts itself."""

from pathlib import Path

import pytest

from inspector.config import LineConfig, parse, settings
from inspector.errors import ConfigError
from inspector.limits import ClassLimits, Guard, Limits, Rules, Scale, Zone, over

FILE = Path("/etc/inspector/lines/line1.yaml")
HEAD = "site: plant-a\nline: line1\ncamera: {source: 'folder:pictures'}\n"
FULL = """\
scale: {mm_per_px: 0.05, uncertainty: 0.001}
limits:
  min_scratch_mm: 2
  min_scratch_count: 5
  guard: {px: 1, policy: recheck}
  zones:
    - {name: display, polygon: [[100, 100], [400, 100], [400, 300]], limits: {min_scratch_px: 10}}
    - name: logo
      polygon: [[500, 100], [600, 100], [600, 200], [500, 200]]
      limits: none
"""


def read(text: str) -> LineConfig:
    return parse(HEAD + text, path=FILE)


def test_a_line_with_everything() -> None:
    """A length in mm takes the place of the default in px; zones have their own limits, or none."""
    config = read(FULL)

    assert config.scale == Scale(mm_per_px=0.05, uncertainty=0.001)
    assert dict(config.limits.given()) == {"min_scratch_mm": 2, "min_scratch_count": 5}
    assert config.limits.guard == Guard(px=1, policy="recheck")
    assert [zone.limits for zone in config.limits.zones] == [Rules(min_scratch_px=10), None]
    assert config.limits.zones[0].polygon == ((100, 100), (400, 100), (400, 300))


def test_a_line_without_any_of_it_is_as_before() -> None:
    """No scale, no zones, no guard band."""
    config = read("")

    assert (config.scale, config.limits) == (None, Limits(min_scratch_px=40))
    assert (config.limits.zones, config.limits.guard) == ((), None)


CLASSES = """\
limits:
  classes:
    - {name: dent, limits: {min_scratch_px: 80, min_scratch_width_px: 9}}
    - name: Kleber Rest
      limits: none
"""


def test_classes_have_limits_of_their_own_or_none() -> None:
    """A model names them as it likes; `check` shows them value by value."""
    config = read(CLASSES)
    rows = {s.key: (s.value, s.line) for s in settings(config, HEAD + CLASSES)}

    assert [(c.name, c.limits) for c in config.limits.classes] == [
        ("dent", Rules(min_scratch_px=80, min_scratch_width_px=9)),
        ("Kleber Rest", None),
    ]
    assert rows["limits.classes.0.limits.min_scratch_px"] == (80, 6)
    assert rows["limits.classes.1.limits"] == (None, 8)
    assert [(one and one.told, rule, limit) for one, rule, limit in config.limits.everywhere()] == [
        (None, "min_scratch_px", 40),
        ("of the class dent", "min_scratch_px", 80),
        ("of the class dent", "min_scratch_width_px", 9),
    ]


@pytest.mark.parametrize("classes", [("scratch",), ("scratch", "Dent"), ("dents",)])
def test_a_class_that_the_model_does_not_have_is_refused(classes: tuple[str, ...]) -> None:
    """What was meant for it would hold for nothing."""
    limits = Limits(classes=[ClassLimits(name="dent", limits=Rules(min_scratch_px=9))])

    limits.refuse_others_than(("scratch", "dent"))
    with pytest.raises(ConfigError) as refused:
        limits.refuse_others_than(classes)

    assert "limits.classes.0.name: expected a class of the model (" in str(refused.value)
    assert ", ".join(classes) in str(refused.value)
    assert "found dent" in str(refused.value)


A, B = (ClassLimits(name=name, limits=Rules(min_scratch_px=9)) for name in "ab")
NO_A, NO_B = (ClassLimits(name=name, limits="none") for name in "ab")
ZONE = Zone(name="z", polygon=((0, 0), (9, 0), (9, 9)), limits=Rules(min_scratch_count=1))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(classes=[NO_A, NO_B]), "expected a class that is judged, found none"),
        (Limits(min_scratch_px=None, classes=[A]), "found neither of b"),
        (Limits(min_scratch_px=None, classes=[B]), "found neither of a"),
        (Limits(min_scratch_px=None, classes=[A, B]), None),
        (Limits(min_scratch_px=None, classes=[A, NO_B]), None),
        (Limits(min_scratch_px=None, classes=[A], zones=[ZONE]), None),
        (Limits(classes=[NO_A]), None),
        (Limits(), None),
    ],
)
def test_no_class_passes_for_want_of_a_limit(limits: Limits, message: str | None) -> None:
    """That one may is said with the word none, and not of all that the model has."""
    if message is None:
        limits.refuse_others_than(("a", "b"))
        return
    with pytest.raises(ConfigError, match=message):
        limits.refuse_others_than(("a", "b"))


def test_each_value_of_a_zone_knows_its_line() -> None:
    """`check` shows zones value by value, and not as the code writes them."""
    rows = {s.key: (s.value, s.line) for s in settings(read(FULL), HEAD + FULL)}

    assert rows["limits.zones.0.limits.min_scratch_px"] == (10, 10)
    assert rows["limits.zones.1.name"] == ("logo", 11)
    assert rows["limits.zones.1.limits"] == (None, 13)
    assert rows["limits.guard.policy"] == ("recheck", 8)
    assert rows["scale.mm_per_px"] == (0.05, 4)
    assert rows["limits.min_scratch_px"] == (None, None)
    assert "limits.zones.0.limits.min_scratch_mm" not in rows


SQUARE = "[[0, 0], [9, 0], [9, 9], [0, 9]]"


def zones(*texts: str) -> str:
    return "limits:\n  zones:\n" + "".join(f"    - {{{text}}}\n" for text in texts)


def zone(polygon: str = SQUARE, limits: str = "{min_scratch_px: 9}", name: str = "a") -> str:
    return f"name: {name}, polygon: {polygon}, limits: {limits}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "scale: {mm_per_px: 1}\nlimits: {min_scratch_px: 9, min_scratch_mm: 9}\n",
            ":5: limits: expected one of min_scratch_px and min_scratch_mm, because both limit",
        ),
        (
            zones(zone(limits="{min_scratch_area_px: 9, min_scratch_area_mm: 9}")),
            ":6: limits.zones.0.limits: expected one of min_scratch_area_px",
        ),
        ("limits: {min_scratch_mm: 9}\n", ":4: limits: expected scale.mm_per_px, because min_scr"),
        (
            zones(zone(limits="{min_scratch_mm: 9}")),
            "because min_scratch_mm in the zone a is in mm",
        ),
        (
            "limits: {min_scratch_px: 9, guard: {px: 9}}\n",
            ":4: limits: expected a guard band below min_scratch_px, which is 9, found 9",
        ),
        (
            "limits: {guard: {px: 2}, zones: [{"
            + zone(limits="{min_scratch_width_px: 2}")
            + "}]}\n",
            "expected a guard band below min_scratch_width_px in the zone a, which is 2, found 2",
        ),
        (
            "scale: {mm_per_px: 0.5}\nlimits: {min_scratch_mm: 1, guard: {px: 2}}\n",
            "expected a guard band below min_scratch_mm, which is 1, found 1",
        ),
        (
            "limits: {min_scratch_px: null, min_scratch_area_px: 9, guard: {px: 2}}\n",
            "expected a limit of length, width or distance for the guard",
        ),
        ("limits: {guard: {px: 1, policy: maybe}}\n", ":4: limits.guard.policy: expected 'fail'"),
        ("limits: {guard: {px: 0}}\n", ":4: limits.guard.px: expected greater than 0, found 0"),
        ("scale: {mm_per_px: 0}\n", ":4: scale.mm_per_px: expected"),
        ("scale: {mm_per_px: 1, uncertainty: 1}\n", ":4: scale: expected an uncertainty below"),
        ("limits: {min_scratch_px: null, zones: []}\n", "expected at least one limit"),
        (
            "limits:\n  min_scratch_px: null\n  zones: [{" + zone(limits="none") + "}]\n",
            "expected at least one limit, because without any every part passes",
        ),
        (zones(zone(), zone()), ":4: limits: expected each zone's name once, found a again"),
        (zones(zone(name="A")), ":6: limits.zones.0.name: expected"),
        (zones(zone(limits="{}")), ":6: limits.zones.0: expected at least one limit, because else"),
        (
            zones(zone(limits="null")),
            ":6: limits.zones.0.limits: expected limits, or the word none",
        ),
        (zones(zone(limits="nothing")), ":6: limits.zones.0.limits: expected"),
        (zones(f"name: a, polygon: {SQUARE}"), ":6: limits.zones.0.limits: expected this key"),
        (
            zones(zone(limits="{min_scratch: 9}")),
            "limits.zones.0.limits.min_scratch: expected a kn",
        ),
        (
            zones(zone(limits="{min_scratch_px: 9, zones: []}")),
            "limits.zones.0.limits.zones: expected a known key",
        ),
        (zones(zone("[[0, 0], [9, 9]]")), ":6: limits.zones.0.polygon: expected"),
        (zones(zone("[[0, 0], [9, 9], [4, 4]]")), "expected a polygon that encloses an area"),
        (
            zones(zone("[[0, 0], [9, 9], [9, 0], [0, 4]]")),
            ":6: limits.zones.0.polygon: expected a polygon whose edges meet only at its corners",
        ),
        (
            zones(zone("[[0, 0], [9, 0], [9.5, 9]]")),
            ":6: limits.zones.0.polygon.2.0: expected a whole number",
        ),
        (zones(zone("[[0, 0], [9, 0], [-1, 9]]")), ":6: limits.zones.0.polygon.2.0: expected"),
        (zones(zone("[[0, 0], [9, 0], [1, 99999999999]]")), "limits.zones.0.polygon.2.1: expected"),
        (zones(zone("[[0, 0], [9, 0], [9, 9, 9]]")), ":6: limits.zones.0.polygon.2: expected"),
        (zones(zone(".nan")), ":6: limits.zones.0.polygon: expected"),
        ("limits: {zones: {a: 1}}\n", ":4: limits.zones: expected"),
        (
            "limits: {classes: [{name: a, limits: none}, {name: a, limits: none}]}\n",
            "expected each class's name once, found a again",
        ),
        (
            "limits: {classes: [{name: a, limits: {}}]}\n",
            "limits.classes.0: expected at least one limit, because else it is as the rest",
        ),
        ("limits: {classes: [{name: a, limits: }]}\n", "limits.classes.0.limits: expected"),
        ("limits: {classes: [{name: '', limits: none}]}\n", "limits.classes.0.name: expected"),
        (
            "limits: {classes: [{name: a, limits: {min_scratch_mm: 1}}]}\n",
            "expected scale.mm_per_px, because min_scratch_mm of the class a is in mm",
        ),
        (
            "limits: {guard: {px: 2}, classes: [{name: a, limits: {min_scratch_width_px: 2}}]}\n",
            "expected a guard band below min_scratch_width_px of the class a, which is 2, found 2",
        ),
    ],
)
def test_a_contradiction_is_refused(text: str, message: str) -> None:
    """With file, line, key, and what to do about it."""
    with pytest.raises(ConfigError) as refused:
        read(text)

    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("camera", "accepted"),
    [
        ("", True),
        ("roi: [0, 0, 9, 9]", True),
        ("roi: [0, 0, 9, 8]", False),
        ("roi: [1, 0, 20, 20]", False),
        ("size: [9, 9]", True),
        ("size: [8, 9]", False),
        ("size: [200, 200], roi: [0, 0, 100, 100]", True),
    ],
)
def test_a_zone_lies_within_what_is_judged(camera: str, accepted: bool) -> None:
    """Of the roi, else of the frame where its size is known; its edge may be theirs."""
    text = HEAD.replace("'}", f"', {camera}}}") + zones(zone())
    if accepted:
        parse(text, path=FILE)
        return
    with pytest.raises(ConfigError, match=":4: limits: expected the zone a within"):
        parse(text, path=FILE)


def test_a_line_may_judge_only_its_zones() -> None:
    """Nothing is limited beside them."""
    limits = read("limits:\n  min_scratch_px: null\n  zones: [{" + zone() + "}]\n").limits

    assert [(z and z.name, rule) for z, rule, _ in limits.everywhere()] == [("a", "min_scratch_px")]


def test_a_wrong_camera_or_scale_is_told_once() -> None:
    """What depends on it is not told as well."""
    for text in ("scale: {mm_per_px: x}\nlimits: {min_scratch_mm: 1}\n", "size: 1\n"):
        with pytest.raises(ConfigError) as refused:
            read(text)
        assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(ConfigError) as refused:
        parse(HEAD.replace("folder:", "ftp:") + zones(zone()), path=FILE)
    assert len(str(refused.value).splitlines()) == 1


def test_a_limit_replaces_the_one_on_the_same_measure() -> None:
    """In either unit, and no other."""
    base = {"min_scratch_px": 40, "min_scratch_width_px": 5, "zones": ()}

    assert over(base, {"min_scratch_mm": 2}) == {
        "min_scratch_width_px": 5, "zones": (), "min_scratch_mm": 2,
    }  # fmt: skip
    assert over(base, {"min_scratch_width_px": 6}) == base | {"min_scratch_width_px": 6}


def test_the_band_of_a_guard() -> None:
    """1 px; in mm of the scale, and the scale's own uncertainty at the limit. Areas have none."""
    guard, scale = Guard(px=1), Scale(mm_per_px=0.1, uncertainty=0.001)

    assert guard.policy == "fail"
    assert guard.band("min_scratch_px", 40, None) == 1
    assert guard.band("min_scratch_width_mm", 4, scale) == pytest.approx(0.14)
    assert guard.band("min_scratch_width_mm", 4, None) is None
    assert guard.band("min_scratch_area_px", 40, scale) is None
    assert guard.band("min_scratch_count", 2, scale) is None
