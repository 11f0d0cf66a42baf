"""Which line's file is meant."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector import lines
from inspector.errors import ConfigError
from tests.test_cli import run

NOBODY = 65534


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of installed lines, and a working directory without a line.yaml."""
    (tmp_path / "work").mkdir()
    (tmp_path / "lines").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv(lines.VARIABLE, raising=False)
    return tmp_path / "lines"


def test_the_order_of_places(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--config, --line, $INSPECTOR_CONFIG, ./line.yaml, and then the only installed one."""
    assert lines.find(None, None, installed) is None
    (installed / "a.yaml").touch()
    assert lines.find(None, None, installed) == installed / "a.yaml"
    Path("line.yaml").touch()
    assert lines.find(None, None, installed) == Path("line.yaml")
    monkeypatch.setenv(lines.VARIABLE, "/env.yaml")
    assert lines.find(None, None, installed) == Path("/env.yaml")
    assert lines.find(None, "b", installed) == installed / "b.yaml"
    assert lines.find(Path("x.yaml"), None, installed) == Path("x.yaml")
    with pytest.raises(ConfigError, match=r"--config FILE or --line NAME, found x\.yaml and b"):
        lines.find(Path("x.yaml"), "b", installed)
    monkeypatch.setenv(lines.VARIABLE, "")
    assert lines.find(None, None, installed) == Path("line.yaml")


def test_folders_of_others_are_no_reason_to_fail(installed: Path) -> None:
    """That of root, from which a command is run as the user of the line, holds no line; the
    installed lines are not for everybody.
    """
    with closed(Path.cwd()):
        assert lines.find(None, None, Path("/nowhere")) is None
    with closed(installed.parent), pytest.raises(ConfigError) as caught:
        lines.find(None, None, installed)

    assert str(caught.value).startswith(f"{installed}: expected to find the installed lines")
    assert caught.value.exit_code == 77


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """To this user, or to whom root becomes meanwhile."""
    user = os.geteuid()
    folder.chmod(0)
    os.seteuid(user or NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o755)


def test_several_lines_ask_for_a_name(installed: Path) -> None:
    """The error lists them."""
    (installed / "a.yaml").touch()
    (installed / "b.yaml").touch()

    with pytest.raises(ConfigError, match=r"--line NAME.*a, b"):
        lines.find(None, None, installed)


def test_a_file_that_this_user_may_not_read_is_a_matter_of_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 77; a reload that meets it keeps what was in force, as with any wrong file."""

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ConfigError, match="Permission denied") as caught:
        lines.read(tmp_path / "line.yaml")

    assert caught.value.exit_code == 77


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Missing, or not UTF-8."""
    path = tmp_path / "line.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=str(path)):
        lines.read(path)


def test_a_file_that_leads_to_the_broker_and_is_not_there_is_a_wrong_configuration(
    tmp_path: Path, model: Path
) -> None:
    """78, with the file, its line and the key, by the check and by the start; nothing was made."""
    (tmp_path / "here.pem").touch()
    head = f"site: a\nline: b\ncamera: {{source: 'folder:x'}}\nmodel: {{bundle: {model}}}\nmqtt:\n"
    for mqtt, key, file in (
        ("  tls:\n    ca_file: nope.pem", "7: mqtt.tls.ca_file", "nope.pem: No such file"),
        ("  username: a\n  password_file: nope.pw", "7: mqtt.password_file", "nope.pw: No such"),
        ("  tls: {ca_file: here.pem, key_file: .}", "6: mqtt.tls.key_file", ": Is a directory"),
    ):
        (tmp_path / "line.yaml").write_text(head + mqtt + "\n")
        for verb in ("check", "run"):
            done = run(verb, "--config", "line.yaml", cwd=tmp_path)
            assert done.returncode == 78, done.stderr
            assert f"line.yaml:{key}: expected a readable file, found" in done.stderr
            assert file in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_credential_is_looked_for_by_its_service_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all others it does not exist, and a check says nothing of it."""
    path = tmp_path / "line.yaml"
    path.write_text(
        "site: a\nline: b\ncamera: {source: 'folder:x'}\n"
        "mqtt: {username: a, password_file: /run/credentials/inspector@line1.service/broker}\n"
    )
    monkeypatch.delenv(lines.SERVICE, raising=False)
    lines.read(path).refuse_missing_files()
    monkeypatch.setenv(lines.SERVICE, "/run/credentials/inspector@line1.service")
    with pytest.raises(ConfigError, match=r"line\.yaml:4: mqtt\.password_file: expected a reada"):
        lines.read(path).refuse_missing_files()
