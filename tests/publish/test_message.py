"""Messages: what they say, and what they cannot be made to say."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from inspector.limits import ClassLimits, Guard, Limits, Rules, Zone
from inspector.publish import announcement, schema
from inspector.publish.message import ModelInfo, ResultMessage, encode, result_message
from inspector.types import Reason, Result, Rule, Scratch, Timing, Verdict

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
MODEL = ModelInfo(name="default", sha256="ab" * 32, runtime="openvino/CPU/f32")
SCRATCH = Scratch(57.3, 2.4, 3.9, 131, 0.87, ((812, 440), (905, 404), (812, 441)))
REACHED = Reason(Rule.MIN_SCRATCH_PX, 57.3, 40, "px", margin=-17.3)
FAIL = Result(
    "camera/17", Verdict.FAIL, (REACHED,), (SCRATCH,), (1920, 1080), Timing(0.4, 0.6, 14.12345)
)


def message(result=FAIL, **changes):
    settings = {
        "id": "d-1-7",
        "seq": 7,
        "time": NOON,
        "site": "plant-a",
        "line": "line1",
        "limits": Limits(),
        "model": MODEL,
    }
    return result_message(result, **(settings | changes))


def validator(name):
    text = (schema.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text), format_checker=FormatChecker())


def test_a_result_reads_as_the_contract_says():
    """Names, order, units and forms of all fields."""
    assert json.loads(encode(message())) == {
        "schema": "inspector.result/1",
        "id": "d-1-7",
        "seq": 7,
        "time": "2026-11-20T12:00:00.123Z",
        "site": "plant-a",
        "line": "line1",
        "source": "camera/17",
        "image": {"width": 1920, "height": 1080},
        "verdict": "fail",
        "reasons": [
            {
                "rule": "min_scratch_px",
                "value": 57.3,
                "limit": 40,
                "unit": "px",
                "zone": None,
                "margin": -17.3,
                "marginal": False,
                "class": None,
            }
        ],
        "scratches": [
            {
                "length_px": 57.3,
                "width_px": 2.4,
                "max_width_px": 3.9,
                "area_px": 131,
                "length_mm": None,
                "width_mm": None,
                "confidence": 0.87,
                "fragments": 1,
                "zone": None,
                "polygon": [[812, 440], [905, 404], [812, 441]],
                "branches_px": 0.0,
                "refined": False,
                "class": "scratch",
            }
        ],
        "limits": {"min_scratch_px": 40},
        "model": {"name": "default", "sha256": "ab" * 32, "runtime": "openvino/CPU/f32"},
        "timing_ms": {
            "grab": 0.4,
            "look": 0.6,
            "segment": 14.123,
            "measure": 0.0,
            "decide": 0.0,
            "total": 0.0,
        },
        "historical": False,
        "evidence": None,
        "marginal": False,
    }


def test_a_result_of_before_they_were_told_can_be_read():
    """It waits in an outbox, or lies beside a picture that was kept."""
    sent = json.loads(encode(message()))
    for key in ("branches_px", "refined", "class"):
        del sent["scratches"][0][key]
    del sent["reasons"][0]["class"]

    read = ResultMessage.model_validate_json(json.dumps(sent))

    validator("result").validate(sent)
    scratch = read.scratches[0]
    assert (scratch.branches_px, scratch.refined, scratch.kind) == (None, None, None)
    assert read.reasons[0].kind is None


def test_the_class_is_told():
    """Of each scratch, and of the limit that it reached."""
    limits = Limits(
        classes=[
            ClassLimits(name="dent", limits=Rules(min_scratch_area_px=100)),
            ClassLimits(name="smear", limits="none"),
        ]
    )
    reason = Reason(Rule.MIN_SCRATCH_AREA_PX, 131, 100, "px2", margin=-31.0, kind="dent")
    dent = replace(SCRATCH, kind="dent", refined=True)
    result = Result("a", Verdict.FAIL, (reason,), (dent,), (9, 9), Timing())

    sent = json.loads(encode(message(result, limits=limits)))

    validator("result").validate(sent)
    assert (sent["reasons"][0]["class"], sent["reasons"][0]["zone"]) == ("dent", None)
    assert (sent["scratches"][0]["class"], sent["scratches"][0]["refined"]) == ("dent", True)
    assert sent["limits"]["classes"] == [
        {"name": "dent", "limits": {"min_scratch_area_px": 100}},
        {"name": "smear", "limits": None},
    ]


def test_all_limits_are_told():
    """Zones and the guard band, too; small numbers in mm keep their digits."""
    corners = ((0, 0), (9, 0), (9, 9))
    limits = Limits(
        min_scratch_mm=1.5,
        min_scratch_count=3,
        zones=[
            Zone(name="a", polygon=corners, limits=Rules(min_scratch_width_mm=0.01)),
            Zone(name="b", polygon=corners, limits="none"),
        ],
        guard=Guard(px=0.5, policy="pass"),
    )
    reason = Reason(
        Rule.MIN_SCRATCH_WIDTH_MM, 0.0104, 0.01, "mm", zone="a", margin=-0.0004, marginal=True
    )
    result = Result("a", Verdict.FAIL, (reason,), (), (9, 9), Timing(), marginal=True)

    sent = json.loads(encode(message(result, limits=limits)))

    validator("result").validate(sent)
    polygon = [[0, 0], [9, 0], [9, 9]]
    assert sent["limits"] == {
        "min_scratch_mm": 1.5,
        "min_scratch_count": 3,
        "zones": [
            {"name": "a", "polygon": polygon, "limits": {"min_scratch_width_mm": 0.01}},
            {"name": "b", "polygon": polygon, "limits": None},
        ],
        "guard": {"px": 0.5, "policy": "pass"},
    }
    assert sent["reasons"][0] == {
        "rule": "min_scratch_width_mm",
        "value": 0.0104,
        "limit": 0.01,
        "unit": "mm",
        "zone": "a",
        "margin": -0.0004,
        "marginal": True,
        "class": None,
    }
    assert sent["marginal"] is True
    assert ResultMessage.model_validate_json(json.dumps(sent)).limits == sent["limits"] | {
        "zones": tuple(
            zone | {"polygon": tuple(map(tuple, polygon))} for zone in sent["limits"]["zones"]
        )
    }


def test_a_pass_by_the_guard_s_policy_is_marked():
    """It has no reasons, as every pass, but it is no clear one."""
    result = Result("a", Verdict.PASS, (), (SCRATCH,), (9, 9), Timing(), marginal=True)

    sent = json.loads(encode(message(result)))

    assert (sent["verdict"], sent["reasons"], sent["marginal"]) == ("pass", [], True)


def test_a_message_from_before_an_update_is_valid():
    """It waited in the outbox and has none of the fields that came later."""
    sent = json.loads(encode(message()))
    del sent["marginal"], sent["reasons"][0]["margin"], sent["reasons"][0]["marginal"]

    validator("result").validate(sent)
    assert ResultMessage.model_validate_json(json.dumps(sent)).marginal is False


def test_json_is_compact_utf_8():
    """No space is wasted, and no letter is escaped."""
    text = encode(message(Result("Küche→", Verdict.FAIL, (REACHED,), (), (1, 1), Timing())))
    assert '"source":"Küche→"' in text
    assert ": " not in text


def test_a_message_can_be_read_back():
    """What was encoded is what is parsed."""
    sent = message(time=NOON.replace(microsecond=123000))
    assert ResultMessage.model_validate_json(encode(sent)) == sent


def test_time_is_written_in_utc():
    """A stamp of another zone is converted, one without a zone is refused."""
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert encode(message(time=tokyo)) == encode(message())
    with pytest.raises(ValidationError):
        message(time=NOON.replace(tzinfo=None))


def test_a_file_name_that_is_no_utf_8_is_still_a_result():
    """Such names exist on disks, and a part must not be lost for one."""
    result = Result("b\udcffd.jpg", Verdict.UNKNOWN, (Reason(Rule.NO_FRAME),), (), None, Timing())
    assert json.loads(encode(message(result)))["source"] == "b\\udcffd.jpg"


PASS = {"verdict": Verdict.PASS, "reasons": ()}
NAN = math.nan


@pytest.mark.parametrize(
    "changes",
    [
        PASS | {"scratches": (Scratch(NAN, 2.4, 3.9, 131, 0.87, ()),)},
        PASS | {"scratches": (Scratch(5.0, NAN, 3.9, 131, 0.87, ()),)},
        PASS | {"scratches": (Scratch(5.0, 2.4, math.inf, 131, 0.87, ()),)},
        PASS | {"scratches": (Scratch(5.0, 2.4, 3.9, NAN, 0.87, ()),)},
        PASS | {"scratches": (Scratch(5.0, 2.4, 3.9, 131, NAN, ()),)},
        PASS | {"scratches": (Scratch(5.0, 2.4, 3.9, 131, 0.8, (), length_mm=NAN),)},
        PASS | {"scratches": (Scratch(5.0, 2.4, 3.9, 131, 0.8, (), width_mm=-math.inf),)},
        PASS | {"scratches": (Scratch(5.0, 2.4, 3.9, 131, 0.8, ((NAN, 1),)),)},
        PASS | {"scratches": (Scratch(-1.0, 2.4, 3.9, 131, 0.8, ()),)},
        PASS | {"scratches": (Scratch(5.0, 2.4, 3.9, 131, 0.8, (), branches_px=NAN),)},
        PASS | {"timing": Timing(total=NAN)},
        PASS | {"size": None},
        PASS | {"reasons": (REACHED,)},
        {"reasons": ()},
        {"size": None},
        {"verdict": Verdict.UNKNOWN, "reasons": ()},
        {"reasons": (Reason(Rule.MIN_SCRATCH_PX, NAN, 40.0, "px"),)},
        {"reasons": (Reason(Rule.MIN_SCRATCH_PX, 50.0, NAN, "px"),)},
        {"reasons": (Reason(Rule.MIN_SCRATCH_PX, 50.0, 40.0, "px", margin=NAN),)},
    ],
)
def test_a_contradiction_is_no_message(changes):
    """A number that is none, or a verdict without its grounds, raises instead of being sent."""
    fields = {name: getattr(FAIL, name) for name in Result.__slots__}
    with pytest.raises(ValueError):
        message(Result(**(fields | changes)))


def test_a_limit_that_is_nan_is_no_message():
    """Against a limit that is no number every part would pass."""
    limits = Limits.model_construct(min_scratch_px=NAN)
    with pytest.raises(ValueError):
        message(Result("a", Verdict.PASS, (), (), (1, 1), Timing()), limits=limits)


numbers = st.floats()
measures = st.one_of(st.floats(0, 1e9), st.sampled_from([0.0, 1e-12, 1e300]), numbers)
scratches = st.builds(
    Scratch,
    length_px=measures,
    width_px=measures,
    max_width_px=measures,
    area_px=st.integers(-1, 10**9),
    confidence=st.floats(0, 1) | numbers,
    polygon=st.lists(st.tuples(st.integers(-5, 4000), st.integers(-5, 4000)), max_size=5).map(
        tuple
    ),
    fragments=st.integers(0, 9),
    length_mm=st.none() | measures,
    width_mm=st.none() | measures,
    zone=st.none() | st.text(max_size=5),
)
reasons = st.builds(
    Reason,
    rule=st.sampled_from(Rule),
    value=st.none() | numbers,
    limit=st.none() | numbers,
    unit=st.none() | st.sampled_from(["px", "px2"]),
    margin=st.none() | numbers,
    marginal=st.booleans(),
)
results = st.builds(
    Result,
    source=st.text(max_size=9),
    verdict=st.sampled_from(Verdict),
    reasons=st.lists(reasons, max_size=2).map(tuple),
    scratches=st.lists(scratches, max_size=2).map(tuple),
    size=st.none() | st.tuples(st.integers(0, 9000), st.integers(1, 9000)),
    timing=st.builds(Timing, grab=measures, total=measures),
)


@given(results)
def test_every_message_is_valid_or_not_made(result):
    """Whatever was measured: it raises, or its JSON fits the schema and keeps the verdict."""
    try:
        text = encode(message(result))
    except ValueError:
        return
    content = json.loads(text, parse_constant=pytest.fail)
    validator("result").validate(content)
    assert content["verdict"] == result.verdict
    if content["verdict"] == "pass":
        assert content["reasons"] == []
        assert all(math.isfinite(scratch.length_px) for scratch in result.scratches)


@pytest.mark.parametrize("name", announcement.SCHEMAS)
def test_the_committed_schema_is_the_code(name):
    """`python -m inspector.publish.schema` was run after the last change of a model."""
    assert (schema.FOLDER / f"{name}.json").read_text(encoding="utf-8") == schema.text(name)
    Draft202012Validator.check_schema(schema.schema(name))


def test_there_is_a_schema_for_every_message_and_no_other():
    """No file is left over from a message that is gone."""
    assert {file.stem for file in schema.FOLDER.iterdir()} == announcement.SCHEMAS.keys()


def test_the_schema_refuses_what_the_models_refuse():
    """A consumer that validates notices a missing, an unknown and a negative field."""
    good = json.loads(encode(message()))
    check = validator("result")
    check.validate(good)
    assert not check.is_valid({k: v for k, v in good.items() if k != "schema"})
    assert not check.is_valid(good | {"extra": 1})
    assert not check.is_valid(good | {"seq": -1})
    assert not check.is_valid(good | {"verdict": "ok"})
    assert not check.is_valid(good | {"limits": {"min_scratch_px": 0}})
    assert check.is_valid(good | {"limits": {"min_scratch_count": 3}, "image": None})
