"""A folder of pictures as a camera."""

from collections.abc import Iterator
from pathlib import Path

from inspector.cameras.camera import Part
from inspector.cameras.pictures import find_pictures, load_picture
from inspector.errors import CameraLost, CameraUnavailable, NoInputError


class FolderCamera:
    """Every picture of a folder once, in natural order, or again and again.

    The folder is listed when it is opened and at the start of every round.
    """

    live = False

    def __init__(self, folder: Path | str, *, loop: bool = False) -> None:
        self.folder = Path(folder)
        self.loop = loop
        self._pictures: Iterator[Path] = iter(())

    def open(self) -> None:
        """List the pictures.

        Raises:
            CameraUnavailable: there is no such folder, or no picture in it; or we may not look.
        """
        expected = f"{self.folder}: expected a folder of pictures, found"
        try:
            if not self.folder.is_dir():
                found = "a file" if self.folder.exists() else "nothing"
                raise CameraUnavailable(f"{expected} {found}")
        except OSError as error:  # a folder on the way is closed to us
            raise CameraUnavailable(f"{expected}: {error.strerror}") from None
        try:
            self._pictures = iter(find_pictures([self.folder]))
        except NoInputError as error:
            raise CameraUnavailable(str(error)) from None

    def read(self) -> Part | None:
        """The next picture; None after the last one unless it loops.

        Raises:
            CameraLost: the folder is gone, or at the start of another round it is empty.
        """
        picture = next(self._pictures, None)
        if picture is not None and not self.folder.is_dir():
            raise CameraLost(f"{self.folder}: expected a folder of pictures, found nothing")
        if picture is None and self.loop:
            try:
                self.open()
            except CameraUnavailable as error:
                raise CameraLost(str(error)) from None
            picture = next(self._pictures)
        return None if picture is None else load_picture(picture)

    def close(self) -> None:
        """Forget the list."""
        self._pictures = iter(())
