"""What a bench makes of its times, counted by hand."""

import pytest

from inspector.bench.values import Judged, Row, Usage, advice, fastest, row
from inspector.types import Timing


def judged(total: float, infer: float) -> Judged:
    return Judged(Timing(look=0.5, segment=total - 1, measure=0.4, decide=0.1, total=total), infer)


def made(runtime: str, total: float, *, proved: bool = True) -> Row:
    return row(runtime, proved, [judged(total, total / 2)], Usage(1, 1, 100), 1.0)


def test_a_row_says_percentiles_rate_and_overhead() -> None:
    """Medians are of the pictures, the overhead is the median of each picture's own."""
    times = [judged(12, 10), judged(30, 20), judged(22, 20)]

    found = row("openvino/CPU/f32", True, times, Usage(cpu_s=3, wall_s=2, rss_mb=210.04), 0.789)

    assert (found.stages["total"].p50, found.infer.p50) == (22, 20)
    assert found.stages["total"].p95 == pytest.approx(29.2)
    assert found.overhead == 1.2
    assert found.parts_per_minute == pytest.approx(60_000 * 3 / 64, abs=0.1)
    assert (found.cpu, found.rss_mb, found.first_verdict_s) == (1.5, 210.0, 0.79)


def test_only_what_was_proved_is_recommended() -> None:
    """However fast it is, a precision that may judge differently is not."""
    rows = [made("openvino/CPU/f32", 40), made("openvino/CPU/int8", 10, proved=False)]

    assert fastest(rows).runtime == "openvino/CPU/f32"


def test_the_advice_names_the_keys_to_set() -> None:
    """And says nothing needs to be set where little is gained."""
    rows = [made("openvino/CPU/f32", 40), made("onnxruntime/CPU/f32", 20)]

    assert "model: {runtime: onnxruntime, precision: f32}" in advice(rows, "openvino/CPU/f32")
    assert "2.00 times" in advice(rows, "openvino/CPU/f32")
    assert advice(rows, "onnxruntime/CPU/f32").endswith("keep it")
    close = [made("openvino/CPU/f32", 40), made("onnxruntime/CPU/f32", 38)]
    assert advice(close, "openvino/CPU/f32").endswith("keep it")
