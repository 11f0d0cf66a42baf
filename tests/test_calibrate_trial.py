"""What another limit of length would have done to a part, known without trying it."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.calibrate.trial import Trial
from inspector.config import LineConfig
from inspector.decide import decide
from inspector.types import Result, Scratch, Timing, Verdict

LENGTHS = st.floats(0.5, 300)
SCRATCHES = st.lists(st.tuples(LENGTHS, st.integers(0, 300), st.integers(0, 300)), max_size=4)
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "guard": st.fixed_dictionaries(
            {
                "px": st.sampled_from([0.5, 3.0, 18.0]),
                "policy": st.sampled_from(["fail", "pass", "recheck"]),
            }
        ),
        "min_scratch_count": st.integers(2, 4),
        "min_scratch_width_px": st.sampled_from([21.0, 30.0]),
        "min_scratch_distance_px": st.just(21.0),
        "zones": st.lists(
            st.sampled_from(["none", {"min_scratch_px": 250}, {"min_scratch_width_px": 30}]),
            min_size=1,
            max_size=2,
        ).map(
            lambda all_limits: [
                {
                    "name": f"z{k}",
                    "polygon": [[k * 150, 0], [k * 150 + 150, 0], [k * 150 + 150, 600]],
                    "limits": limits,
                }
                for k, limits in enumerate(all_limits)
            ]
        ),
    },
)


def scratch(length_px: float, x: int, y: int) -> Scratch:
    end = x + max(1, int(length_px))
    return Scratch(length_px, 2, 3 + x % 30, 10, 0.9, ((x, y), (end, y), (end, y + 2), (x, y + 2)))


@given(SCRATCHES, CONFIGS, st.sampled_from(["px", "mm"]), LENGTHS)
def test_the_verdict_at_any_limit_is_known_without_trying_it(
    found: list[tuple[float, int, int]], limits: dict, unit: str, limit: float
) -> None:
    """Up to the reach of a part the line rejects it, and beyond it passes it."""
    config = LineConfig.model_validate(
        {
            "site": "a",
            "line": "b",
            "camera": {"source": "folder:x"},
            "state_dir": "state",
            "limits": {"min_scratch_px": 100.0} | limits,
            "scale": {"mm_per_px": 0.5, "uncertainty": 0.05},
        }
    )
    scratches = tuple(scratch(*one) for one in found)
    trial = Trial(config, unit)  # type: ignore[arg-type]

    reach = trial.reach(Result("x", Verdict.PASS, (), scratches, (600, 600), Timing()))

    limits_tried = trial.limits(limit)
    decision = decide(scratches, limits_tried, (0, 0, 600, 600), config.scale)
    assert (decision.verdict is not Verdict.PASS) == (limit <= reach)
