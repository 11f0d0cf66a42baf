"""Mutants of a module: its code with one thing changed, which its tests have to notice.

    python -m tests.faults.mutants inspector.decide [--only NUMBER]

Each mutant is a process forked from one that has imported the libraries; what it judges by is read
from the changed tree, and nothing on the disk is touched.
"""

import ast
import copy
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120  # a mutant that loops for ever was noticed too

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the line it is on, what it does, and the whole tree with it."""

    line: int
    change: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of one node that these rules know; annotations and docstrings stay."""
    tree = ast.parse(source)
    for path, node in _walk(tree, ()):
        for change, other in _changes(node):
            changed = copy.deepcopy(tree)
            _put(changed, path, other)
            yield Mutant(getattr(node, "lineno", 0), change, ast.fix_missing_locations(changed))


Path_ = tuple[tuple[str, int | None], ...]


def _walk(node: ast.AST, path: Path_) -> Iterator[tuple[Path_, ast.AST]]:
    yield path, node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "ctx"}:
            continue
        if isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, ast.AST) and not _is_docstring(item):
                    yield from _walk(item, (*path, (name, number)))
        elif isinstance(value, ast.AST):
            yield from _walk(value, (*path, (name, None)))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _put(tree: ast.Module, path: Path_, other: ast.AST) -> None:
    node: ast.AST = tree
    for name, number in path[:-1]:
        value = getattr(node, name)
        node = value if number is None else value[number]
    name, number = path[-1]
    if number is None:
        setattr(node, name, other)
    else:
        getattr(node, name)[number] = other


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.Compare(ops=[op]):
            for other in COMPARISONS[type(op)]:
                yield _named(op, other), ast.Compare(node.left, [other()], node.comparators)
        case ast.Compare():
            for number, op in enumerate(node.ops):
                for other in COMPARISONS[type(op)]:
                    ops = [*node.ops[:number], other(), *node.ops[number + 1 :]]
                    yield _named(op, other), ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            turned = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _named(node.op, type(turned)), ast.BoolOp(turned, node.values)
            for number in range(len(node.values)):
                rest = [*node.values[:number], *node.values[number + 1 :]]
                rest_node = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
                yield f"without operand {number}", rest_node
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            other = OPERATORS[type(op)]
            yield _named(op, other), ast.BinOp(node.left, other(), node.right)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield f"without {type(node.op).__name__}", node.operand
        case ast.IfExp():
            yield "always the first", node.body
            yield "always the second", node.orelse
        case ast.If():
            yield "always", ast.If(ast.Constant(True), node.body, node.orelse)
            yield "never", ast.If(ast.Constant(False), node.body, node.orelse)
        case ast.Constant(value=bool() as value):
            yield f"{value} → {not value}", ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield f"{value} → {value + 1}", ast.Constant(value + 1)
            if value:
                yield f"{value} → 0", ast.Constant(0)
        case ast.Constant(value=str() as value):
            yield f"{value!r} → {value + 'x'!r}", ast.Constant(value + "x")
        case ast.Return(value=ast.expr() as value):
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield "returns None", ast.Return(ast.Constant(None))
        case ast.Continue():
            yield "continue → break", ast.Break()
        case ast.AugAssign():
            yield "+= → =", ast.Assign([node.target], node.value)
        case ast.Expr(value=ast.YieldFrom() | ast.Yield() | ast.Call()):
            yield "without the statement", ast.Pass()
        case ast.Call(func=ast.Name(id="max" | "min" | "any" | "all" as name)):
            turned_name = {"max": "min", "min": "max", "any": "all", "all": "any"}[name]
            yield (
                f"{name} → {turned_name}",
                ast.Call(ast.Name(turned_name, ast.Load()), node.args, node.keywords),
            )


def _named(old: ast.AST, new: type[ast.AST]) -> str:
    return f"{type(old).__name__} → {new.__name__}"


class _Mutated(Loader, MetaPathFinder):
    """Gives the changed tree to whoever imports the module."""

    def __init__(self, module: str, file: str, tree: ast.Module) -> None:
        self._module, self._file, self._tree = module, file, tree

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        return spec_from_loader(name, self) if name == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._file
        exec(compile(self._tree, self._file, "exec"), module.__dict__)


def survives(module: str, mutant: Mutant, tests: tuple[str, ...]) -> bool:
    """Whether none of the tests notices it."""
    return _in_a_fork(lambda: _run_tests(module, mutant, tests)) == 0


def _in_a_fork(work: Callable[[], int]) -> int:
    """Exit code of `work`; 1 where it did not come to an end in time."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1


def _run_tests(module: str, mutant: Mutant, tests: tuple[str, ...]) -> int:
    import pytest

    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    sys.modules.pop(module, None)
    sys.meta_path.insert(0, _Mutated(module, spec.origin, mutant.tree))
    options = ["-x", "-q", "--hypothesis-seed=0"]
    options += [f"-pno:{plugin}" for plugin in ("randomly", "cacheprovider", "faulthandler")]
    os.chdir(tempfile.gettempdir())  # where hypothesis leaves what it has found
    return int(pytest.main([*options, *(str(ROOT / test) for test in tests)]))


TESTS = {
    "inspector.decide": ("tests/test_decide.py", "tests/test_pipeline.py"),
    "inspector.sight": ("tests/test_sight.py", "tests/test_pipeline.py"),
}


def main(module: str, *numbers: str) -> None:
    """Print each mutant of the module that survives; with numbers, only those are tried."""
    # What does not import the module is imported once, for all forks.
    for library in (
        "cv2",
        "hypothesis",
        "jsonschema",
        "numpy",
        "onnx",
        "pydantic",
        "pytest",
        "yaml",
    ):
        __import__(library)
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text()
    control = Mutant(0, "nothing", ast.parse(source))
    if not survives(module, control, TESTS[module]):
        sys.exit(f"expected that the tests of {module} pass as it is, found that they do not")
    for number, mutant in enumerate(mutants(source)):
        if not numbers or str(number) in numbers:
            fate = "survived" if survives(module, mutant, TESTS[module]) else "killed"
            print(f"{fate} {number} line {mutant.line}: {mutant.change}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
