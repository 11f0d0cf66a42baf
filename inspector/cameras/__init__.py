"""Where frames come from: one file per kind of source behind the Protocol `Camera`, and the
`Grabber` that reads one in its own thread.
"""

from inspector.cameras.camera import Camera, Part
from inspector.cameras.fake import ScriptedCamera
from inspector.cameras.folder import FolderCamera
from inspector.cameras.grabber import CameraState, Grabber
from inspector.cameras.latest import LatestFrame
from inspector.cameras.rtsp import RtspCamera
from inspector.cameras.v4l2 import V4l2Camera
from inspector.cameras.video import VideoCamera
from inspector.config import CameraConfig

__all__ = [
    "Camera",
    "CameraState",
    "FolderCamera",
    "Grabber",
    "LatestFrame",
    "Part",
    "RtspCamera",
    "ScriptedCamera",
    "V4l2Camera",
    "VideoCamera",
    "make_camera",
]


def make_camera(config: CameraConfig) -> Camera:
    """The camera that the configuration names; it is not opened yet."""
    target, timeout_s = config.source.target, config.timeout_ms / 1000
    match config.source.kind:
        case "folder":
            return FolderCamera(target, loop=config.loop)
        case "video":
            return VideoCamera(target, loop=config.loop)
        case "v4l2":
            return V4l2Camera(target, size=config.size, timeout_s=timeout_s)
        case "rtsp":
            return RtspCamera(target, timeout_s=timeout_s)
