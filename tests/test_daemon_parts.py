"""What a daemon makes parts of: frames, silence and losses of a scripted camera."""

import threading
from dataclasses import replace

import numpy as np

from inspector.cameras import Grabber, ScriptedCamera
from inspector.config import CameraConfig
from inspector.daemon import parts
from inspector.errors import CameraLost
from inspector.limits import Limits
from inspector.pipeline import Inspector, View
from inspector.segment.runtime import FakeRuntime
from inspector.segment.segmenter import Segmenter
from inspector.types import Frame, Reason, Rule, Unseen
from tests.support.bundles import manifest_of

FRAME = Frame(np.zeros((4, 4, 3), np.uint8), "f", 0.0)


def play(*script: object, live: bool = True, every_ms: float = 0, most: int = 99) -> list[object]:
    """The first parts of a camera that plays the script."""
    camera = CameraConfig(source="folder:x", every_ms=every_ms, timeout_ms=150)
    grabber = Grabber(ScriptedCamera(script, live=live), every_s=every_ms / 1000)
    grabber.start()
    stop, seen = threading.Event(), []
    for part in parts(grabber, camera, stop):
        if part is not None:
            seen.append(part)
        if len(seen) == most:
            stop.set()
    assert grabber.stop(2)
    return seen


def kinds(seen: list[object]) -> list[str]:
    return ["unseen" if isinstance(part, Unseen) else "frame" for part in seen]


def test_every_picture_of_a_folder_is_a_part() -> None:
    """Files wait for their turn; the end of the files ends the parts."""
    torn = Unseen("torn.jpg", Reason(Rule.UNREADABLE_IMAGE), "torn")

    assert kinds(play(FRAME, torn, FRAME, FRAME, live=False)) == [
        "frame",
        "unseen",
        "frame",
        "frame",
    ]


def test_a_silent_camera_is_one_unseen_part() -> None:
    """However long the silence lasts; when frames come back they are judged again."""
    seen = play(FRAME, 0.6, FRAME, 0.6, live=True, most=4)

    assert kinds(seen) == ["frame", "unseen", "frame", "unseen"]
    assert seen[1].reason.rule is Rule.NO_FRAME


def test_a_lost_camera_is_an_unseen_part() -> None:
    """Once, and then the frames of the camera that came back."""
    seen = play(FRAME, 0.05, CameraLost("unplugged"), FRAME, 0.5, most=3)

    assert kinds(seen) == ["frame", "unseen", "frame"]


def test_with_a_pace_each_part_that_was_not_seen_counts() -> None:
    """Parts pass every 50 ms whether the camera sees them or not."""
    seen = play(FRAME, 1.5, every_ms=50, most=6)

    assert kinds(seen) == ["frame"] + ["unseen"] * 5


def test_a_camera_that_shows_the_same_frame_for_ever_passes_nothing() -> None:
    """Also over a silence and a loss: what comes back frozen is frozen; a new frame is judged."""
    still, fresh = (replace(FRAME, image=noise(seed)) for seed in (1, 2))
    script = [still, still, still, 0.3, still, CameraLost("unplugged"), still, fresh]
    manifest = manifest_of()
    segmenter = Segmenter(manifest, FakeRuntime(FakeRuntime.none(manifest)))
    judge = Inspector(segmenter, Limits(), View(frozen_after=3))

    results = [judge.inspect(part) for part in play(*script, live=False)]

    rules = [result.reasons[0].rule if result.reasons else None for result in results]
    seen = [rule for rule in rules if rule is not Rule.NO_FRAME]
    assert seen == [None] * 2 + [Rule.FROZEN] * 3 + [None]
    assert len(seen) < len(rules)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (64, 64, 3), np.uint8)
