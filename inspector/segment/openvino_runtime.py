"""OpenVINO: u8 BGR in, colour order and scale folded into the compiled graph."""

import contextlib
import logging
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path

import openvino as ov
import openvino.properties as props
import openvino.properties.hint as hints
from openvino.preprocess import ColorFormat, PrePostProcessor
from openvino.properties import streams

from inspector.config import ModelConfig
from inspector.errors import BundleError, ConfigError, InferenceError
from inspector.segment.manifest import INT8, MODEL, Manifest
from inspector.segment.runtime import Outputs, Runtime, check_shapes
from inspector.segment.threads import default_threads
from inspector.types import Image

log = logging.getLogger(__name__)

PRECISIONS = {"f32": ov.Type.f32, "bf16": ov.Type.bf16, "int8": ov.Type.f32}
"""What the parts of the model are computed in that are not in 8 bits already."""
FASTEST = ("int8", "bf16", "f32")
MOST_AT_ONCE = 4
"""Tiles of a large frame in work, each on a thread of its own; every one costs some 30 MB."""


class OpenVinoRuntime(Runtime):
    """One compiled model and one infer request, reused for every frame of one tile.

    A frame of several is shared out: a tile to a thread gives more than all threads to a tile (a
    fifth on two cores). What that takes is compiled when the first such frame comes, in place of
    the other, since the frames of a line are of one size; where they are not, both stay.
    """

    def __init__(
        self, root: Path, manifest: Manifest, config: ModelConfig, cache: Path | None = None
    ) -> None:
        """From the bundle's folder `root`."""
        core = ov.Core()
        if config.device not in core.available_devices:
            raise ConfigError(
                f"model.device: expected one of {', '.join(core.available_devices)}, "
                f"found {config.device}"
            )
        precision = _precision(core, config, manifest)
        path = root / (INT8 if precision == "int8" else MODEL)
        try:
            model = core.read_model(path)
        except Exception as error:
            raise BundleError(f"{path}: OpenVINO cannot read it: {error}") from error
        check_shapes(
            manifest, [_shape(i) for i in model.inputs], [_shape(o) for o in model.outputs]
        )
        self._outputs = len(model.outputs)
        self._at_once = 1
        options: dict[str, object] = {hints.inference_precision(): PRECISIONS[precision]}
        if config.device == "CPU":
            threads = config.threads or default_threads()
            options[props.inference_num_threads()] = threads
            # Pinned, the first thread of every line's process would sit on the same core.
            options[hints.enable_cpu_pinning()] = False
            self._at_once = min(threads, MOST_AT_ONCE)
        prepared = _with_preprocessing(model, manifest)
        self._compile = partial(_compile, core, prepared, config, cache)
        self._options = options
        self._several: tuple[ov.InferRequest, ...] = ()
        self._one: ov.InferRequest | None = None
        self._open_one()
        self.name = f"openvino/{config.device}/{precision}"

    def infer(self, tile: Image) -> Outputs:
        with _told_as_ours():
            request = self._open_one()
            request.infer([tile[None]], share_inputs=True)
        return self._answer(request)

    def infer_all(self, tiles: Iterable[Image]) -> Iterator[Outputs]:
        if self._at_once < 2:
            yield from map(self.infer, tiles)
            return
        turn = cycle(self._open_several())
        working: deque[tuple[ov.InferRequest, Image]] = deque()  # with what each of them reads
        try:
            for tile in tiles:
                if len(working) == self._at_once:
                    yield self._finish(*working.popleft())
                request = next(turn)  # the one whose answer was used
                with _told_as_ours():
                    request.start_async([tile[None]], share_inputs=True)
                working.append((request, tile))
            while working:
                yield self._finish(*working.popleft())
        finally:
            for request, _ in working:
                with contextlib.suppress(Exception):
                    request.wait()

    def _open_one(self) -> ov.InferRequest:
        if self._one is None:
            options = self._options | {hints.performance_mode(): hints.PerformanceMode.LATENCY}
            self._one = self._compile(options).create_infer_request()
        return self._one

    def _open_several(self) -> tuple[ov.InferRequest, ...]:
        if not self._several:
            with _told_as_ours():
                compiled = self._compile(self._options | {streams.num(): self._at_once})
                self._several = tuple(compiled.create_infer_request() for _ in range(self._at_once))
            self._one = None
        return self._several

    def _finish(self, request: ov.InferRequest, _tile: Image) -> Outputs:
        with _told_as_ours():
            request.wait()
        return self._answer(request)

    def _answer(self, request: ov.InferRequest) -> Outputs:
        # Views on the request's own memory: they are read before the next tile overwrites them.
        return tuple(request.get_output_tensor(i).data for i in range(self._outputs))


@contextlib.contextmanager
def _told_as_ours() -> Iterator[None]:
    """Whatever the library raises becomes an `InferenceError`."""
    try:
        yield
    except Exception as error:
        raise InferenceError(f"OpenVINO failed: {error}") from error


def _shape(port: ov.Output) -> list[int | str | None]:
    return [d.get_length() if d.is_static else None for d in port.partial_shape]


def _precision(core: ov.Core, config: ModelConfig, manifest: Manifest) -> str:
    """`auto` takes the fastest that the device computes and the bundle was proved in."""
    able = {"f32", *map(str.lower, core.get_property(config.device, props.device.capabilities()))}
    offered = {"f32", "bf16"} | ({"int8"} if INT8 in manifest.files else set())
    if config.precision == "auto":
        return next(p for p in FASTEST if p in able & offered & {*manifest.precisions, "f32"})
    if config.precision not in able:
        raise ConfigError(
            f"model.precision: expected f32, {config.device} has no {config.precision}"
        )
    if config.precision not in offered:
        raise ConfigError(
            f"model.precision: expected one of {', '.join(sorted(offered))}, found "
            f"{config.precision}: the bundle has no {INT8}"
        )
    if config.precision not in manifest.precisions:
        log.warning(
            "model.precision: the bundle was not seen to judge alike in %s", config.precision
        )
    return config.precision


def _with_preprocessing(model: ov.Model, manifest: Manifest) -> ov.Model:
    steps = PrePostProcessor(model)
    tensor = steps.input().tensor()
    tensor.set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    tensor.set_color_format(ColorFormat.BGR)
    steps.input().preprocess().convert_color(ColorFormat.RGB).convert_element_type(
        ov.Type.f32
    ).scale(float(manifest.input.divisor))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    return steps.build()


def _compile(
    core: ov.Core,
    model: ov.Model,
    config: ModelConfig,
    cache: Path | None,
    options: dict[str, object],
) -> ov.CompiledModel:
    """Compile, through the cache if it can be used: a full disk must not stop the line."""
    if cache is not None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            return core.compile_model(
                model, config.device, options | {props.cache_dir(): str(cache)}
            )
        except Exception as error:
            log.warning("model cache %s not used: %s", cache, error)
    return core.compile_model(model, config.device, options)
