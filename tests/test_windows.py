"""Windows are learned from good pictures: they let these through, and neither dark nor blurred."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inspector.sight import see
from inspector.types import Rule
from inspector.windows import Reference, Seen, Sight, Windows, learn
from tests.support.pictures import blurred, darker, parts

NAN = float("nan")


def rules(windows: Windows, seen: list[Seen]) -> list[Rule | None]:
    reasons = map(windows.refuse, seen)
    return [reason and reason.rule for reason in reasons]


@pytest.mark.parametrize("surface", ["phone", "plate", "text"])
def test_the_pictures_that_it_was_learned_from_pass_and_bad_ones_do_not(surface: str) -> None:
    """Parts of a line that are alike, all of them; each without focus, and each without light."""
    pictures = parts(surface, 12)

    windows = learn([see(picture) for picture in pictures])

    assert rules(windows, [see(picture) for picture in pictures]) == [None] * 12
    unlit = rules(windows, [see(darker(picture, 4)) for picture in pictures])
    assert unlit == [Rule.TOO_DARK] * 12
    unsharp = rules(windows, [see(blurred(picture, 3)) for picture in pictures])
    assert unsharp == [Rule.TOO_BLURRED] * 12


SEEN = st.builds(Seen, st.floats(0, 255), st.floats(0, 1), st.floats(0, 1))


@given(st.lists(SEEN, min_size=10, max_size=60))
def test_at_most_one_picture_in_ten_lies_beyond_each_bound(seen: list[Seen]) -> None:
    """Whatever the pictures are like; a bound is never one that no picture could meet."""
    windows = learn(seen)

    assert windows.brightness is not None
    low, high = windows.brightness
    tenth = len(seen) / 10
    assert sum(one.brightness < low for one in seen) <= tenth
    assert sum(one.brightness > high for one in seen) <= tenth
    assert sum(one.burnt > windows.max_burnt for one in seen) <= tenth
    assert sum(one.sharpness < windows.min_sharpness for one in seen) <= tenth
    assert 0 <= low < high <= 255


def test_a_few_bad_pictures_among_the_good_ones_are_refused() -> None:
    """They do not widen the windows: two of thirty were taken in the dark, two out of focus."""
    good = [Seen(100 + n % 5, 0.01, 0.5 + 0.01 * (n % 3)) for n in range(26)]
    bad = [Seen(20, 0.01, 0.5)] * 2 + [Seen(100, 0.01, 0.2)] * 2

    windows = learn(good + bad)

    assert rules(windows, good) == [None] * 26
    assert rules(windows, bad) == [Rule.TOO_DARK] * 2 + [Rule.TOO_BLURRED] * 2


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        (Seen(NAN, 0, 1), Rule.TOO_DARK),
        (Seen(90, NAN, 1), Rule.TOO_BRIGHT),
        (Seen(90, 0, NAN), Rule.TOO_BLURRED),
        (Seen(90, 0, 1), None),
    ],
)
def test_what_is_no_number_is_not_proved(seen: Seen, rule: Rule | None) -> None:
    """A picture passes a window only where its measure is known to lie in it."""
    windows = Windows(brightness=(0, 255), max_burnt=1, min_sharpness=0)

    assert rules(windows, [seen]) == [rule]


@pytest.mark.parametrize(
    "wrong",
    [
        {"brightness": [120, 60]},
        {"brightness": [60, 256]},
        {"brightness": [60, NAN]},
        {"brightness": 60},
        {"max_burnt": 1.1},
        {"min_sharpness": -0.1},
        {"min_sharpness": NAN},
        {"blur": 1},
        {"reference": {"picture": "a.png"}},
        {"reference": {"picture": "a.png", "at": [1, 2, 3]}},
        {"reference": {"picture": "a.png", "at": [1, 2], "min_score": 0}},
        {"reference": {"picture": "a.png", "at": [1, 2], "within_px": -1}},
    ],
)
def test_windows_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    """Reversed, beyond what there is, not a number, not known, not complete."""
    with pytest.raises(ValidationError):
        Sight.model_validate(wrong)


def test_a_reference_is_told_in_one_line() -> None:
    """As `calibrate` shows it."""
    assert str(Reference(picture="a.png", at=(3, 4))) == "a.png at (3, 4), within 10 px"
