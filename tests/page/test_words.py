"""Numbers as each language writes them, and texts that are the same ones in all of them."""

import re

import pytest

from inspector.page.words import LANGUAGES, Words


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (40, "px", "40 px"),
        (40.25, "px", "40.25 px"),
        (57.35, "px", "57.35 px"),
        (12.35, "mm", "12.35 mm"),
        (999.6, "px", "999.6 px"),
        (1234.5, "px", "1,234.5 px"),
        (999999.125, "px", "999,999.125 px"),
        (0.0005, "mm2", "0.0005 mm²"),
        (3 * 0.1, "mm", "0.3 mm"),
        (3, None, "3"),
        (0, None, "0"),
    ],
)
def test_a_limit_is_told_as_it_is_recorded(value: float, unit: str | None, told: str) -> None:
    """Who is asked whether it may be set reads the number that will be set."""
    assert Words("en").limit(value, unit) == told


def test_a_limit_is_told_in_the_signs_of_the_language() -> None:
    """A point and a comma are swapped in German."""
    assert Words("de").limit(1234.5, "px") == "1.234,5 px"
    assert Words("zh").limit(1234.5, "px") == "1,234.5 px"


def test_the_words_of_all_languages_fit_together() -> None:
    """The same keys, and the same gaps in each text."""

    def gaps(tree: object, at: str = "") -> dict[str, set[str]]:
        if isinstance(tree, dict):
            return {
                k: v for key, inner in tree.items() for k, v in gaps(inner, f"{at}.{key}").items()
            }
        return {at: set(re.findall(r"{(\w+)}", str(tree)))}

    first, *others = (gaps(Words(code).tree) for code in LANGUAGES)
    assert all(other == first for other in others)
