"""Mutants of a module: its code with one thing changed, which its tests have to notice.

    python -m tests.faults.mutants inspector.decide [NUMBER…]

Each mutant is a process forked from one that has collected the tests; it gets other code under the
functions that are there, and nothing on the disk is touched.
"""

import ast
import copy
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOOP_S = 60  # of processor time; a mutant that loops for ever is noticed too

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


def put_in_place(module: ModuleType, mutant: Mutant) -> None:
    """Let the module, which others have imported from, behave as the mutant does.

    Functions and methods stay the objects that they are and get other code.
    """
    changed: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(mutant.tree, str(module.__file__), "exec"), changed)
    for name, new in changed.items():
        if not name.startswith("__"):
            vars(module)[name] = _replaced(vars(module).get(name), new, module.__name__)


def _replaced(old: Any, new: Any, module: str) -> Any:
    """The old thing with the code of the new one, where it has any of this module; else the new."""
    if getattr(new, "__module__", None) != module:
        return new
    if isinstance(new, FunctionType):
        old.__code__, old.__defaults__ = new.__code__, new.__defaults__
        old.__kwdefaults__ = new.__kwdefaults__
        return old
    if isinstance(new, type):
        for name, method in vars(new).items():
            if isinstance(method, FunctionType) and method.__code__.co_filename != "<string>":
                _replaced(vars(old)[name], method, module)
        return old
    return new


class Mutation:
    """Runs the tests that pytest has collected once for each mutant, in a process of its own."""

    def __init__(self, module: str, numbers: tuple[int, ...] = ()) -> None:
        self.survivors: list[str] = []
        self.killed = 0
        self._module = module
        self._numbers = numbers

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of the one run of all tests."""
        module = sys.modules[self._module]
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        # Tables first: what a property finds after many examples, they mostly find at once.
        session.items.sort(key=lambda item: hasattr(getattr(item, "obj", None), "hypothesis"))
        if _notices(session, module, Mutant(0, "nothing", ast.parse(source))):
            raise session.Failed("expected that the tests pass as they are")
        for number, mutant in enumerate(mutants(source)):
            if self._numbers and number not in self._numbers:
                continue
            if _notices(session, module, mutant):
                self.killed += 1
            else:
                self.survivors.append(f"{self._module}:{mutant.line} {mutant.change} ({number})")
        return True


def _notices(session: pytest.Session, module: ModuleType, mutant: Mutant) -> bool:
    """Whether a test fails."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return status != 0
    failed = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (LOOP_S, LOOP_S))
        put_in_place(module, mutant)
        for number, item in enumerate(session.items):
            after = session.items[number + 1 : number + 2]
            item.config.hook.pytest_runtest_protocol(
                item=item, nextitem=after[0] if after else None
            )
            if session.testsfailed:
                break
        failed = session.testsfailed
    finally:
        os._exit(min(failed, 1))


def run(module: str, tests: tuple[str, ...], numbers: tuple[int, ...] = ()) -> Mutation:
    """Try every mutant of a module, or those with these numbers."""
    mutation = Mutation(module, numbers)
    options = ["--hypothesis-seed=0", "-o", "addopts="]
    for plugin in ("randomly", "cacheprovider", "terminal", "faulthandler"):
        options += ["-p", f"no:{plugin}"]
    code = pytest.main([*options, *(str(ROOT / test) for test in tests)], plugins=[mutation])
    assert code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), f"pytest: {code!r}"
    return mutation


TESTS = {
    "inspector.decide": (
        "tests/test_decide.py",
        "tests/test_decide_zones.py",
        "tests/test_decide_classes.py",
        "tests/test_decide_always.py",
        "tests/test_pipeline.py",
    ),
    "inspector.sight": ("tests/test_sight.py", "tests/test_pipeline.py"),
}


def main(module: str, *numbers: str) -> None:
    """Print the mutants of a module that survive."""
    mutation = run(module, TESTS[module], tuple(map(int, numbers)))
    lines = [f"{mutation.killed} killed, {len(mutation.survivors)} survived", *mutation.survivors]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
