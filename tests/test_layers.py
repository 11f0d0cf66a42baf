"""Imports only point down, and the edge carries no training code."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import inspector

ROOT = Path(inspector.__file__).parent

LAYERS: tuple[tuple[str, ...], ...] = (
    ("inspector", "inspector.errors", "inspector.types"),
    (  # pure
        "inspector.strictyaml",
        "inspector.polygon",
        "inspector.limits",
        "inspector.windows",
        "inspector.keeping",
        "inspector.page.settings",
        "inspector.page.shift",
        "inspector.page.lengths",
        "inspector.config",
        "inspector.calibration",
        "inspector.sight",
        "inspector.follow",
        "inspector.groove",
        "inspector.refine",
        "inspector.strand",
        "inspector.graph",
        "inspector.trail",
        "inspector.skeleton",
        "inspector.crossing",
        "inspector.shares",
        "inspector.branches",
        "inspector.join",
        "inspector.measure",
        "inspector.intervals",
        "inspector.scale",
        "inspector.scale.measured",
        "inspector.scale.plane",
        "inspector.scale.ruler",
        "inspector.whatif",
        "inspector.place",
        "inspector.decide",
        "inspector.overlay",
        "inspector.statistics",
        "inspector.publish.announcement",
        "inspector.publish.message",
        "inspector.publish.suspicion",
        "inspector.publish.topics",
        "inspector.record.evidence.draft",
        "inspector.record.evidence.layout",
        "inspector.record.evidence.record",
        "inspector.segment",
        "inspector.segment.manifest",
        "inspector.segment.decode",
        "inspector.segment.dense",
        "inspector.segment.tiles",
        "inspector.segment.runtime",
    ),
    ("inspector.segment.segmenter", "inspector.pipeline"),
    (  # shell
        "inspector.complaints",
        "inspector.files",
        "inspector.lines",
        "inspector.mark",
        "inspector.notify",
        "inspector.page",
        "inspector.progress",
        "inspector.secret",
        "inspector.reload",
        "inspector.signals",
        "inspector.versions",
        "inspector.watchdog",
        "inspector.broker",
        "inspector.segment.threads",
        "inspector.segment.compiled",
        "inspector.segment.bundle",
        "inspector.segment.onnx_runtime",
        "inspector.segment.openvino_runtime",
        "inspector.cameras",
        "inspector.record",
        "inspector.publish",
    ),
    (
        "inspector.batch",
        "inspector.bench",
        "inspector.calibrate",
        "inspector.check",
        "inspector.daemon",
        "inspector.doctor",
        "inspector.evidence",
        "inspector.replay",
        "inspector.report",
        "inspector.outbox",
        "inspector.watch",
        "inspector.demo",
    ),
    ("inspector.arguments", "inspector.cli", "inspector.cli_evidence", "inspector.__main__"),
)
PURE = LAYERS[1]
SHELL_MODULES = {
    "time",
    "threading",
    "socket",
    "logging",
    "os",
    "subprocess",
    "sqlite3",
    "datetime",
}


def name_of(path: Path) -> str:
    return ".".join(("inspector", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    )


def layer_of(module: str) -> int:
    """The layer of the module, or of the nearest package that is named above."""
    while module:
        for number, names in enumerate(LAYERS):
            if module in names:
                return number
        module = module.rpartition(".")[0]
    raise AssertionError


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_only_point_down(path: Path) -> None:
    """A module imports from its own layer and from those below it."""
    module = name_of(path)
    for imported in imports(path):
        if imported.split(".")[0] == "inspector":
            assert layer_of(imported) <= layer_of(module), f"{module} imports {imported}"


@pytest.mark.parametrize("path", [p for p in MODULES if name_of(p) in PURE], ids=name_of)
def test_pure_code_has_no_clock_file_thread_log_or_network(path: Path) -> None:
    """A pure module does not even import what it would need for side effects."""
    assert not {name.split(".")[0] for name in imports(path)} & (SHELL_MODULES - {"datetime"})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_read_in_one_sitting(path: Path) -> None:
    """No file is longer than 400 lines."""
    assert len(path.read_text().splitlines()) <= 400


def test_the_daemon_loads_no_training_code() -> None:
    """All that the edge's commands need brings neither torch nor ultralytics nor matplotlib."""
    program = (
        "import sys, inspector.cli, inspector.daemon, inspector.batch, inspector.check;"
        "heavy = {'torch', 'ultralytics', 'matplotlib', 'training', 'amqtt', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_edge_reports_to_nobody() -> None:
    """OpenVINO would send that it was imported; with its stub it has nothing to send with."""
    code = (
        "import sys, inspector.segment.openvino_runtime;"
        "print([m for m in sys.modules if m.startswith('openvino_telemetry.')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
