"""The examples of lines are valid, and name the cameras that they explain."""

import re
from pathlib import Path

import pytest
import yaml

from inspector.cameras import (
    Camera,
    FolderCamera,
    RtspCamera,
    V4l2Camera,
    VideoCamera,
    make_camera,
)
from inspector.config import CameraConfig, LineConfig, parse, settings
from inspector.limits import Scale

LINES = Path(__file__).parents[2] / "configs" / "lines"


def load(name: str) -> tuple[LineConfig, str]:
    text = (LINES / name).read_text()
    return parse(text, path=LINES / name), text


@pytest.mark.parametrize(
    ("name", "kind"),
    [("folder.yaml", FolderCamera), ("usb.yaml", V4l2Camera), ("rtsp.yaml", RtspCamera)],
)
def test_an_example_makes_its_camera(name: str, kind: type[Camera]) -> None:
    """Each file is accepted as it stands, and its camera is made without being opened."""
    assert isinstance(make_camera(load(name)[0].camera), kind)


def test_a_video_is_made_too() -> None:
    """The kind that has no file of its own."""
    camera = make_camera(CameraConfig.model_validate({"source": "video:line.mp4", "loop": True}))
    assert isinstance(camera, VideoCamera)
    assert camera.loop


def test_one_example_shows_every_key_with_its_default() -> None:
    """What folder.yaml explains is all that there is, and what it calls a default is one."""
    config, text = load("folder.yaml")
    missing = [item.key for item in settings(config, text) if item.line is None]
    assert missing == []
    text = "site: plant-a\nline: line1\ncamera: {source: folder:pictures/}\n"
    assert config == parse(text, path=LINES / "x.yaml")


def test_what_the_example_leaves_out_is_shown_in_full() -> None:
    """A scale has no default; the one in the comment has every key, and is one."""
    _, text = load("folder.yaml")

    comment = re.search(r"(?m)^# scale:\n((?:#   .*\n)+)", text)[1].replace("#   ", "")

    assert Scale.model_validate(yaml.safe_load(comment)).model_fields_set == set(Scale.model_fields)


def test_all_cameras_keep_the_contract() -> None:
    """Files are parts and never overwritten; cameras show what is there now."""
    cameras: list[Camera] = [FolderCamera("x"), VideoCamera("x"), V4l2Camera("x"), RtspCamera("x")]
    assert [camera.live for camera in cameras] == [False, False, True, True]
    for camera in cameras:
        camera.close()
