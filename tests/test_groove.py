"""The groove in profiles of a picture: where it runs, how wide it is, where it begins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.groove import ACROSS, ASIDE, MORE, WIDTHS, begin, fit

BLUR = 0.6  # px, of the lens that the drawn profiles are seen through
FINE = np.arange(-20, 20, 0.05)
WITHIN = 12


def profiles(
    width: float = 3.0, aside: float = 0.0, core: float = 60.0, flank: float = 0.0,
    slope: float = 0.0, noise: float = 0.0, count: int = 60, seed: int = 0, blur: float = BLUR,
) -> np.ndarray:  # fmt: skip
    """Of a groove that is the same all along, as gray levels (count, M)."""
    away = FINE - aside
    light = core * (np.abs(away) <= width / 2)
    turn = away / (width / 2 + 1)
    light += flank * turn * np.exp(-(turn**2))
    lens = np.exp(-((np.arange(-100, 101) * 0.05 / blur) ** 2) / 2)
    seen = np.interp(ACROSS, FINE, np.convolve(light, lens / lens.sum(), "same"))
    grain = np.random.default_rng(seed).normal(0, noise, (count, len(ACROSS)))
    return (120 + slope * ACROSS + seen + grain).astype(np.float32)


@pytest.mark.parametrize("core", [-60.0, 25.0, 90.0])
@pytest.mark.parametrize("width", [1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
def test_width_and_place_of_a_groove(width: float, core: float) -> None:
    """Bright or dark, thin or broad, beside the middle and on a ground that slopes."""
    found = fit(profiles(width, 0.5, core, slope=1.5, noise=2.0), expected=width + 1)

    assert found.width.shape == found.aside.shape == (60,)
    assert np.median(found.width) == pytest.approx(width, abs=0.6)
    assert np.median(found.aside) == pytest.approx(0.5, abs=0.3)


@pytest.mark.parametrize("blur", [0.4, 0.8, 1.2, 1.5])
@pytest.mark.parametrize("width", [2.0, 3.0, 4.0, 6.0, 8.0])
def test_a_lens_out_of_focus_does_not_widen_a_groove(width: float, blur: float) -> None:
    """What it shows looks up to 2 px wider, and so does the network's mask of it."""
    found = fit(profiles(width, core=50.0, noise=2.0, blur=blur), expected=width + 1.5)

    assert np.median(found.width) == pytest.approx(width, abs=0.8)


def test_a_width_does_not_jump_with_the_noise() -> None:
    """Though it cannot tell one lens from the next."""
    told = [
        np.median(fit(profiles(3.0, core=40.0, noise=8.0, blur=1.2, seed=k), 5.0).width)
        for k in range(40)
    ]

    assert np.mean(told) == pytest.approx(3, abs=0.5)
    assert np.std(told) < 0.25


def test_no_groove_is_much_narrower_than_its_mask() -> None:
    """What is dark between two bright lines is not the scratch."""
    assert fit(profiles(1.0), expected=8.0).width.min() >= 4


@pytest.mark.parametrize("flank", [-120.0, 120.0])
def test_a_lit_and_a_shaded_flank_do_not_move_the_middle(flank: float) -> None:
    found = fit(profiles(3.0, 0.0, 40.0, flank, noise=1.0), expected=3.0)

    assert np.median(found.aside) == pytest.approx(0, abs=0.3)
    assert np.median(found.width) == pytest.approx(3, abs=1)


def test_a_groove_that_turns_from_bright_to_dark_keeps_its_width() -> None:
    """As one does that runs off a black letter onto white paper."""
    both = np.concatenate([profiles(core=60.0), profiles(core=-60.0)])

    assert fit(both, expected=3.0).width == pytest.approx(3, abs=0.6)


@pytest.mark.parametrize("noise", [0.0, 1.0, 12.0])
@pytest.mark.parametrize("expected", [2.0, 5.0, 9.0])
def test_what_shows_no_groove_is_as_wide_as_expected(expected: float, noise: float) -> None:
    found = fit(profiles(core=0.0, noise=noise), expected)

    assert np.median(found.width) == pytest.approx(expected, rel=0.25)
    assert np.abs(np.median(found.aside)) <= 0.5
    assert found.clear < 0.1


def test_it_is_clear_where_it_is_more_than_noise() -> None:
    """Along half of it here."""
    seen, nothing = profiles(core=30.0, noise=3.0), profiles(core=0.0, noise=3.0, seed=1)

    assert fit(seen, expected=3.0).clear == 1.0
    assert fit(np.concatenate([seen, nothing]), expected=3.0).clear == pytest.approx(0.5, abs=0.1)


@given(
    gray=st.sampled_from([0.0, 120.0, 255.0]),
    count=st.integers(1, 40),
    noise=st.sampled_from([0.0, 5.0, 80.0]),
    expected=st.floats(-4, 40),
    seed=st.integers(0, 99),
)
def test_whatever_the_picture_the_answer_is_a_number(gray, count, noise, expected, seed) -> None:
    """However few profiles there are."""
    grain = np.random.default_rng(seed).normal(gray, noise, (count, len(ACROSS)))
    seen = grain.astype(np.float32)

    found = fit(seen, expected)

    assert found.width.shape == found.aside.shape == (count,)
    assert (found.width >= WIDTHS[0] - 1e-5).all()
    assert (found.width <= WIDTHS[-1] + 1e-5).all()
    assert (np.abs(found.aside) <= ASIDE[-1] + 1e-5).all()
    start = begin(seen, WITHIN)
    assert start is None or -0.5 <= start <= WITHIN


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("before", [1, 4, 9])
def test_a_groove_begins_where_half_of_it_is_seen(before: int, share: float) -> None:
    """`share`: of the pixel in which it begins, that it covers."""
    height = np.concatenate([np.zeros(before), [share], np.ones(40)])[:, None]
    ground = profiles(core=0.0, noise=0.5, count=len(height))
    seen = (ground + height * (profiles(count=1) - 120)).astype(np.float32)

    assert begin(seen, WITHIN) == pytest.approx(before + 0.5 - share, abs=0.1)


def test_no_groove_begins_in_noise() -> None:
    """Nor one that is there all along: only its faint continuation is beyond the tip."""
    started = [begin(profiles(core=0.0, noise=8.0, seed=k), WITHIN) for k in range(200)]

    assert sum(k is not None for k in started) <= 10
    assert begin(profiles(), WITHIN) == -0.5


def test_a_groove_that_begins_too_far_on_is_none() -> None:
    late = np.concatenate([profiles(core=0.0, noise=0.5, count=WITHIN + MORE), profiles()])

    assert begin(late, WITHIN) is None


def test_a_faint_speck_before_the_groove_is_not_its_beginning() -> None:
    """Dust beside its end, a quarter as bright."""
    seen = profiles(core=0.0, noise=0.5, count=50)
    groove = profiles(count=1) - 120
    seen[1:3] += 0.25 * groove
    seen[8:] += groove

    assert begin(seen, WITHIN) == pytest.approx(7.5, abs=0.5)


def test_too_few_profiles_do_not_tell_where_a_groove_begins() -> None:
    assert begin(profiles(count=MORE), WITHIN) is None
