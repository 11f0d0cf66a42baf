"""The thread that reads a camera, opens it anew after every loss, and tells how it is doing."""

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from inspector.cameras.beats import Beats
from inspector.cameras.camera import Camera, Part
from inspector.cameras.latest import LatestFrame
from inspector.errors import CameraError, CameraLost

log = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5  # between a loss and the first attempt to heal it
LAST_DELAY_S = 8.0  # with the time to open it leaves a returned camera judged within 10 s
STABLE_S = 10.0  # a camera that stays for shorter is flapping, and the delay goes on growing
STEP_S = 0.25  # longest wait without a sign of progress


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a camera is doing. Times are of the monotonic clock.

    `online`: its last read gave a part; `since_s`: how long that is so, or not; `detail`: why not.
    `frames`: parts read. `dropped`: parts that were overwritten, or cleared by a loss, before
    anyone took them. `reconnects`: how often it came back. `ended`: files have ended and the last
    part was taken; there will be no more. `last_progress_s`: when the thread last moved; it stands
    still only inside the camera's own `open`, `read` and `close`, which keep their deadlines unless
    a driver hangs. Infinite once the thread has done all that it had to do.
    """

    online: bool
    since_s: float
    detail: str
    frames: int
    dropped: int
    reconnects: int
    ended: bool
    last_progress_s: float


class Grabber:
    """Opens the camera in a thread of its own, reads it, and opens it anew after every loss."""

    def __init__(
        self,
        camera: Camera,
        *,
        every_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`every_s`: hand over one part per so many seconds; 0 for every frame. Of a live camera it
        is the frame nearest to each beat, so that one that runs at that pace is judged throughout.

        `wait(event, seconds)` sleeps until then or until the event is set, and says if it is.
        """
        self._camera = camera
        self._every_s = every_s
        self._clock = clock
        self._wait = wait
        self._jitter = jitter
        self._slot = LatestFrame()
        self._stop = threading.Event()
        self._doubt: str | None = None
        self._thread = threading.Thread(target=self._run, name="grabber", daemon=True)
        now_s = clock()
        self._lock = threading.Lock()
        self._state = CameraState(False, now_s, "not opened yet", 0, 0, 0, False, now_s)
        self._was_online = False
        self._ended = False
        self._beats = Beats(every_s, now_s)
        self._warned = ""
        self._dropped_told = 1
        self._traced: set[type[Exception]] = set()

    @property
    def state(self) -> CameraState:
        """How the camera is doing right now."""
        with self._lock:
            state = self._state
        return replace(state, dropped=self._slot.dropped, ended=state.ended and self._slot.drained)

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """End the thread, which closes the camera; False if it hangs in a native call."""
        self._stop.set()
        self._slot.close()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def take(self, timeout_s: float) -> Part | None:
        """The newest part, or the next one of files; None: nothing new in time, or it has ended."""
        return self._slot.take(timeout_s)

    def renew(self, why: str) -> None:
        """Count the camera as lost and open it again, since what it shows cannot be believed.

        Returns at once. A camera that comes back no better is renewed less and less often.
        """
        self._doubt = why

    def _run(self) -> None:
        delay_s = FIRST_DELAY_S
        while not self._stop.is_set():
            try:
                self._grab()
                break
            except Exception as error:
                lasted_s = self._lose(error)
            finally:
                self._close()
            if lasted_s >= STABLE_S:
                delay_s = FIRST_DELAY_S
            self._pause(delay_s * (1 - self._jitter() / 2))
            delay_s = min(2 * delay_s, LAST_DELAY_S)
        self._finish()
        self._slot.close()

    def _grab(self) -> None:
        """From opening the camera to the end of its files, or until `stop`."""
        self._move()
        self._camera.open()
        self._doubt = None  # it was about what came before
        while not self._stop.is_set():
            self._move()
            if self._doubt is not None:
                raise CameraLost(self._doubt)
            part = self._camera.read()
            if part is None:
                self._ended = True
                return
            self._arrive()
            self._offer(part)

    def _offer(self, part: Part) -> None:
        if self._camera.live:
            if self._beats.meet(self._clock()) and not self._stop.is_set():
                self._slot.put(part)
                self._tell_overwritten()
            return
        self._pause(self._beats.due_s - self._clock())
        self._beats.go_on(self._clock())
        while not self._stop.is_set() and not self._slot.put_when_free(part, STEP_S):
            self._move()

    def _tell_overwritten(self) -> None:
        """At the 1st, 2nd, 4th, … part that nobody took in time; at a pace each is a missed one."""
        dropped = self._slot.dropped
        if dropped >= self._dropped_told:
            self._dropped_told = 2 * dropped
            level = logging.WARNING if self._every_s else logging.INFO
            log.log(level, "frames that came before the last one was taken: %d by now", dropped)

    def _pause(self, seconds: float) -> None:
        while seconds > 0 and not self._wait(self._stop, min(seconds, STEP_S)):
            seconds -= STEP_S
            self._move()

    def _close(self) -> None:
        try:
            self._camera.close()
        except Exception:
            log.exception("expected that the camera closes, found that it does not")

    def _lose(self, error: Exception) -> float:
        """Note the loss; how many seconds the camera was online before it."""
        if self._camera.live:
            self._slot.clear()  # a part from before a loss must not be judged after it
        detail = (
            str(error) if isinstance(error, CameraError) else f"{type(error).__name__}: {error}"
        )
        if not isinstance(error, CameraError) and type(error) not in self._traced:
            self._traced.add(type(error))
            log.error("camera failed in a way that it should not", exc_info=error)
        if detail != self._warned:
            self._warned = detail
            log.warning("camera lost, will be opened again: %s", detail)
        now_s = self._clock()
        with self._lock:
            before = self._state
            since_s = now_s if before.online else before.since_s
            self._state = replace(
                before, online=False, since_s=since_s, detail=detail, last_progress_s=now_s
            )
        return now_s - before.since_s if before.online else 0.0

    def _arrive(self) -> None:
        now_s = self._clock()
        with self._lock:
            before = self._state
            self._state = replace(before, frames=before.frames + 1, last_progress_s=now_s)
            if before.online:
                return
            self._state = replace(
                self._state,
                online=True,
                since_s=now_s,
                detail="",
                reconnects=before.reconnects + self._was_online,
            )
            self._was_online = True
        self._warned = ""
        log.info("camera online")

    def _finish(self) -> None:
        detail = "ended" if self._ended else "stopped"
        with self._lock:
            self._state = replace(
                self._state,
                online=False,
                since_s=self._clock(),
                detail=detail,
                ended=self._ended,
                last_progress_s=math.inf,
            )

    def _move(self) -> None:
        with self._lock:
            self._state = replace(self._state, last_progress_s=self._clock())
