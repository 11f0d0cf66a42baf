"""YAML without its surprises: the 1.2 core schema, no doubled keys, no aliases, lines remembered.

PyYAML alone reads `no` as False, `010` as 8, `12:30` as 750, and of two equal keys the last wins.
"""

import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from inspector.errors import ConfigError

MAX_CHARS = 1 << 18  # a line's file is a page or two; a longer one is a wrong file
MAX_DEPTH = 16  # the configuration nests three deep
MAX_DIGITS = 100  # Python refuses to read a number of thousands

STR, INT = "tag:yaml.org,2002:str", "tag:yaml.org,2002:int"

Key = tuple[str | int, ...]
Lines = dict[Key, int]
"""Path of a key, as ("camera", "roi", 0), to the line of the file that it stands on, from 1."""


class Section(BaseModel):
    """What a mapping is validated to: strict, frozen, without unknown keys, NaN or infinity."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )


def list_to_tuple(value: Any) -> Any:
    """A sequence as a frozen value; whatever else it is, is left for validation to refuse."""
    return tuple(value) if isinstance(value, list) else value


def relative_to_file(path: Path, info: ValidationInfo) -> Path:
    """A path as the file means it that is being validated: relative to its own folder.

    It stands in messages, which are UTF-8; a folder's name may be any bytes.
    """
    found: Path = info.context["base"] / path if info.context else path
    try:
        if b"\0" not in str(found).encode():
            return found
    except UnicodeEncodeError:
        pass
    raise ValueError(f"expected UTF-8 without zero bytes in {str(found)!r}")


FilePath = Annotated[Path, Field(strict=False), AfterValidator(relative_to_file)]


class _CoreLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


def load(text: str, *, name: str) -> tuple[Any, Lines]:
    """Parse `text` into dicts, lists and scalars, and say on which line each key stands.

    Raises:
        ConfigError: not YAML, a doubled key, an alias, nested or long beyond reason.
    """
    if len(text) > MAX_CHARS:
        raise ConfigError(f"{name}: expected at most {MAX_CHARS} characters, found {len(text)}")
    lines: Lines = {}
    try:
        _refuse_depth(text, name)
        loader = _CoreLoader(text)
        node = loader.get_single_node()
        tree = None if node is None else _build(loader, node, (), lines, name)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{name}:{line}: expected YAML, found: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: expected YAML, found: {error}") from None
    return tree, lines


def show(value: object) -> str:
    """A found value, short enough for an error message."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _refuse_depth(text: str, name: str) -> None:
    """PyYAML composes by recursion, so depth is counted on the events, before it can overflow."""
    depth = 0
    for event in yaml.parse(text, Loader=_CoreLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(f"{name}:{line}: expected no aliases, found *{event.anchor}")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ConfigError(f"{name}:{line}: expected at most {MAX_DEPTH} levels, found more")


def _build(loader: _CoreLoader, node: yaml.Node, at: Key, lines: Lines, name: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(at, line)
    if isinstance(node, yaml.MappingNode):
        tree: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{name}:{key_line}: expected a word as key, found a collection")
            if key in tree:
                path = ".".join(map(str, (*at, key)))
                raise ConfigError(
                    f"{name}:{key_line}: {path}: expected each key once, "
                    f"found it again (first on line {lines[(*at, key)]})"
                )
            lines[(*at, key)] = key_line
            tree[key] = _build(loader, value_node, (*at, key), lines, name)
        return tree
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(loader, child, (*at, index), lines, name)
            for index, child in enumerate(node.value)
        ]
    implied = loader.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
    if node.tag not in (STR, implied):  # one that is written out may not fit the text
        raise ConfigError(f"{name}:{line}: expected plain YAML, found the tag {node.tag}")
    if node.tag == INT:
        if len(node.value) > MAX_DIGITS:
            found = len(node.value)
            raise ConfigError(f"{name}:{line}: expected at most {MAX_DIGITS} digits, found {found}")
        return int(node.value)
    return loader.construct_object(node)
