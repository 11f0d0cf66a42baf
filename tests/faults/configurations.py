"""Lines' files with something wrong in them: each is refused with a sentence, or harmless."""

import math
import random
import re
from collections.abc import Iterator
from pathlib import Path

from inspector.config import LOOPBACK, LineConfig, parse, settings
from inspector.decide import decide
from inspector.errors import ConfigError
from inspector.limits import Rules
from inspector.types import Scratch, Verdict
from tests.faults.fault import Fault, Outcome, Run

ROOT = Path(__file__).parents[2]
FILE = Path("/etc/inspector/lines/line1.yaml")
EXAMPLES = (*sorted((ROOT / "configs" / "lines").glob("*.yaml")), ROOT / "deploy/line.example.yaml")
FULL = """
site: plant-a
line: line1
camera: {source: "rtsp://u:p@10.0.0.2/1", roi: [0, 0, 1900, 1000], size: [1920, 1080]}
model: {runtime: onnxruntime, precision: f32, threads: 2, confidence: 0.4}
scale: {mm_per_px: 0.05, uncertainty: 0.0005, size: [1920, 1080]}
sight: {brightness: [60, 180], max_burnt: 0.1, min_sharpness: 0.3,
  reference: {picture: mark.png, at: [812, 440], min_score: 0.7, within_px: 10}}
limits:
  min_scratch_mm: 2
  min_scratch_width_px: 9
  min_scratch_area_px: 400
  min_scratch_count: 5
  min_scratch_density_px: 900
  min_scratch_distance_px: 4
  guard: {px: 1.5, policy: recheck}
  zones:
    - {name: display, polygon: [[400, 200], [1500, 200], [1500, 800]], limits: {min_scratch_px: 9}}
mqtt: {host: broker.example, port: 8883, username: u, password_file: p, tls: {ca_file: c}}
state_dir: state
page: {listen: "127.0.0.1:8080"}
"""
NASTY = [
    *(".nan", ".inf", "-.inf", "nan", "1e999", "-1", "0", "-0.0", "1e-320", "010", "0x10", "1_000"),
    *("12:30", "true", "no", "null", "~", "''", "' '", "[]", "{}", "[[[]]]", "{a: {b: 1}}", "1.5"),
    *("9" * 30, "9" * 400, "9" * 5000, "1" * 70_000, "2026-01-01", "!!python/name:os.system"),
    *(
        "!!binary aGk=",
        "!!set {a}",
        "&x 1",
        "*x",
        "<<: *x",
        "'\\u0000'",
        '"\\ud800"',
        "\x00",
        "\x07",
    ),
    *(
        "\ufeff1",
        "💥",
        "../../../etc/shadow",
        "/dev/zero",
        "rtsp://",
        "folder:",
        "0.0.0.0",
        "|",
        ">",
    ),
    *("- 1", "? a", "%YAML 9", "---", "...", "[" * 500, "{a: " * 40, "'", '"', "a: b: c"),
]


def mutate(text: str, rng: random.Random) -> str:
    """The text with one to three things changed."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        text = rng.choice(CHANGES)(text, rng)
    return text


def _value(text: str, rng: random.Random) -> str:
    """Another value behind a key or in a list."""
    places = list(re.finditer(r"(?<=[:,\[{]) ?[^\s,:{}\[\]#][^,{}\[\]#\n]*", text))
    if not places:
        return text
    place = rng.choice(places)
    return f"{text[: place.start()]} {rng.choice(NASTY)}{text[place.end() :]}"


def _key(text: str, rng: random.Random) -> str:
    """A key that is written wrong, doubled, or of another section."""
    keys = list(re.finditer(r"[a-z_]+(?=:)", text))
    if not keys:
        return text
    place, other = rng.choice(keys), rng.choice(keys).group()
    new = rng.choice([other, place.group()[:-1], place.group() + "s", place.group().upper(), "?"])
    return f"{text[: place.start()]}{new}{text[place.end() :]}"


def _line(text: str, rng: random.Random) -> str:
    """A line too many, too few, or at another place."""
    rows = text.splitlines(keepends=True) or [""]
    row = rows.pop(rng.randrange(len(rows)))
    for _ in range(rng.choice([0, 1, 2])):
        rows.insert(rng.randrange(len(rows) + 1), row)
    return "".join(rows)


def _characters(text: str, rng: random.Random) -> str:
    """Characters that were lost, doubled or flipped, as on a damaged disk."""
    at = rng.randrange(len(text) + 1)
    return rng.choice(
        [
            text[:at] + text[at + rng.randrange(1, 20) :],
            text[:at] + chr(rng.randrange(1, 0x2FF)) + text[at + 1 :],
            text[:at] + chr(ord(text[at : at + 1] or "x") ^ 1 << rng.randrange(7)) + text[at + 1 :],
            text[:at],
            text[:at] + text,
        ]
    )


def _bulk(text: str, rng: random.Random) -> str:
    """More than anybody writes."""
    return text + rng.choice(
        [
            "\n" + "#" * 300_000,
            "\n" + "".join(f"k{n}: 1\n" for n in range(2000)),
            "\na: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9)),
            "\nx: " + "[" * 3000 + "]" * 3000,
        ]
    )


CHANGES = (_value, _value, _value, _value, _key, _line, _characters, _bulk)


def unsafe(config: LineConfig, text: str) -> Iterator[str]:
    """What could pass a part or send its result in the open under this configuration."""
    for setting in settings(config, text):
        if isinstance(setting.value, float) and not math.isfinite(setting.value):
            yield f"{setting.key} is {setting.value}"
    if config.mqtt.tls is None and config.mqtt.host not in LOOPBACK:
        yield f"plain text to {config.mqtt.host}"
    if not list(config.limits.everywhere()):
        yield "nothing is limited"
    roi = (0, 0, 2000, 2000)
    for name in ("length_px", "max_width_px", "area_px"):
        odd = Scratch(**(MEASURES | {name: math.nan}), confidence=0.9, polygon=POLYGON)
        if decide([odd], config.limits, roi, config.scale).verdict is Verdict.PASS:
            yield f"a scratch without {name} passes"
    plain = config.limits.model_copy(update={"zones": (), "guard": None})
    for rule, limit in config.limits.given():
        if not limit > 0:
            yield f"{rule} is {limit}"
        alone = plain.model_copy(update={**dict.fromkeys(Rules.model_fields), rule: limit})
        huge = Scratch(**MEASURES, confidence=0.9, polygon=POLYGON)
        reached = decide([huge] * MANY, alone, roi, config.scale).verdict
        if limit <= (MANY if "count" in rule else LARGE) and reached is not Verdict.FAIL:
            yield f"nothing reaches {rule} {limit}"


LARGE, MANY = 1e6, 6  # up to here a limit is held against scratches beyond it
MEASURES = {"length_px": 1e12, "width_px": 1e12, "max_width_px": 1e12, "area_px": 1e14}
POLYGON = ((100, 100), (200, 100), (200, 200))


def inject(run: Run) -> Outcome:
    """Mutations of the examples, and of a file that says everything."""
    outcome, rng = Outcome(), run.rng
    texts = [path.read_text() for path in EXAMPLES] + [FULL] * 9
    for text in texts:
        assert isinstance(parse(text, path=FILE), LineConfig)
    refused = 0
    for _ in run.each():
        text = mutate(rng.choice(texts), rng)
        outcome.injected += 1
        try:
            config = parse(text, path=FILE)
        except ConfigError as error:
            refused += 1
            told = str(error).startswith(str(FILE))
            outcome.expect(told, f"an error that does not name the file: {error}")
        except BaseException as error:
            outcome.broken.append(f"{type(error).__name__}: {error}"[:200] + f" of {text[:3000]!r}")
        else:
            outcome.broken += [f"{what} under {text!r}" for what in unsafe(config, text)]
    outcome.measured = f"{refused:,} refused, {outcome.injected - refused:,} valid and safe"
    return outcome


FAULTS = (
    Fault(
        "a changed configuration",
        "refused with file and reason, or valid with every limit in force",
        inject,
        300,
        10_000,
    ),
)
