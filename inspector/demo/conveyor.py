"""The conveyor and the camera above it: sample pictures, a plug and a lens."""

from itertools import zip_longest
from pathlib import Path

import cv2

SAMPLES = Path(__file__).parent.parent / "samples"
BLUR_PX = 6.0  # standard deviation of a lens that somebody has touched
MIN_SHARPNESS = 0.15  # between the samples, from 0.23 on, and what is blurred so, up to 0.07


class Conveyor:
    """Pictures below `folder`, the surfaces in turn; `folder / "camera"` is what the camera sees.

    It is a link, so that each fault is there with the next part.
    """

    def __init__(self, folder: Path) -> None:
        self.camera = folder / "camera"
        self._sharp, self._blurred = folder / "sharp", folder / "blurred"
        self._sharp.mkdir()
        surfaces = [sorted(surface.glob("*.jpg")) for surface in sorted(SAMPLES.iterdir())]
        turns = [picture for turn in zip_longest(*surfaces) for picture in turn if picture]
        for number, picture in enumerate(turns):
            name = f"{number:03}-{picture.parent.name}-{picture.name}"
            (self._sharp / name).symlink_to(picture)
        self._in_focus, self._plugged = True, True
        self._show()

    def pull(self, pulled: bool) -> None:
        """Pull the camera's plug, or put it back."""
        self._plugged = not pulled
        self._show()

    def blur(self, blurred: bool) -> None:
        """Breathe on the lens, or wipe it."""
        if blurred and not self._blurred.exists():
            self._blurred.mkdir()
            for path in self._sharp.iterdir():
                image = cv2.imread(str(path))
                if image is not None:
                    cv2.imwrite(
                        str(self._blurred / path.name), cv2.GaussianBlur(image, (0, 0), BLUR_PX)
                    )
        self._in_focus = not blurred
        self._show()

    def _show(self) -> None:
        if not self._plugged:
            self.camera.unlink(missing_ok=True)
            return
        aside = self.camera.with_name("camera.new")
        aside.symlink_to(self._sharp if self._in_focus else self._blurred)
        aside.replace(self.camera)
