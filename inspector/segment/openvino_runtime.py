"""OpenVINO: u8 BGR in, colour order and scale folded into the compiled graph."""

import logging
from pathlib import Path

import openvino as ov
import openvino.properties as props
import openvino.properties.hint as hints
from openvino.preprocess import ColorFormat, PrePostProcessor

from inspector.config import ModelConfig
from inspector.errors import BundleError, ConfigError, InferenceError
from inspector.segment.manifest import INT8, MODEL, Manifest
from inspector.segment.runtime import Outputs, check_shapes
from inspector.segment.threads import default_threads
from inspector.types import Image

log = logging.getLogger(__name__)

PRECISIONS = {"f32": ov.Type.f32, "bf16": ov.Type.bf16, "int8": ov.Type.f32}
"""What the parts of the model are computed in that are not in 8 bits already."""
FASTEST = ("int8", "bf16", "f32")


class OpenVinoRuntime:
    """One compiled model and one infer request, reused for every tile."""

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
        options = {
            hints.performance_mode(): hints.PerformanceMode.LATENCY,
            hints.inference_precision(): PRECISIONS[precision],
        }
        if config.device == "CPU":
            options[props.inference_num_threads()] = config.threads or default_threads()
            # Pinned, the first thread of every line's process would sit on the same core.
            options[hints.enable_cpu_pinning()] = False
        self._request = _compile(core, _with_preprocessing(model, manifest), config, options, cache)
        self.name = f"openvino/{config.device}/{precision}"

    def infer(self, tile: Image) -> Outputs:
        try:
            self._request.infer([tile[None]], share_inputs=True)
        except Exception as error:
            raise InferenceError(f"OpenVINO failed: {error}") from error
        # Views on the request's own memory: they are read before the next tile overwrites them.
        return tuple(self._request.get_output_tensor(i).data for i in range(self._outputs))


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
    options: dict[str, object],
    cache: Path | None,
) -> ov.InferRequest:
    """Compile, through the cache if it can be used: a full disk must not stop the line."""
    if cache is not None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            return core.compile_model(
                model, config.device, options | {props.cache_dir(): str(cache)}
            ).create_infer_request()
        except Exception as error:
            log.warning("model cache %s not used: %s", cache, error)
    return core.compile_model(model, config.device, options).create_infer_request()
