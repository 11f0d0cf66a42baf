"""Compiled models: a damaged one is never run, and never blamed on the bundle."""

import shutil
from pathlib import Path

import pytest

from inspector.config import ModelConfig
from inspector.errors import BundleError
from inspector.segment import bundle, compiled
from inspector.segment.bundle import Bundle
from inspector.segment.runtime import Runtime


def opened(cache: Path) -> None:
    bundle.open_segmenter(ModelConfig(runtime="openvino", precision="f32"), cache)


def blob_of(cache: Path) -> Path:
    (blob,) = cache.glob("*.blob")
    return blob


def test_what_was_proved_is_used_again(tmp_path: Path) -> None:
    """And only that: a file that nobody proved may be half of one."""
    proved = tmp_path / "a.blob"
    proved.write_bytes(b"model")
    compiled.prove(tmp_path)
    (tmp_path / "b.blob").write_bytes(b"mod")

    compiled.drop_damaged(tmp_path)

    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.blob", "a.blob.sha256"]


def test_a_flipped_bit_is_compiled_anew(tmp_path: Path) -> None:
    """The self-test need not notice it: the lengths would be wrong by some px."""
    opened(tmp_path)
    before = blob_of(tmp_path)
    data = bytearray(before.read_bytes())
    data[len(data) // 2] ^= 1
    before.write_bytes(data)

    opened(tmp_path)

    assert blob_of(tmp_path).read_bytes() != data
    compiled.drop_damaged(tmp_path)
    assert blob_of(tmp_path).exists()


@pytest.mark.parametrize("stuck", [False, True], ids=["emptied", "not to be emptied"])
def test_a_self_test_that_fails_is_tried_without_what_was_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stuck: bool
) -> None:
    """Memory that lost a bit while it was proved: no start would ever succeed again."""
    opened(tmp_path)
    tried: list[Runtime] = []
    self_test = bundle.self_test

    def once(made: Bundle, runtime: Runtime) -> None:
        tried.append(runtime)
        if len(tried) == 1:
            raise BundleError("found 0.000")
        self_test(made, runtime)

    monkeypatch.setattr(bundle, "self_test", once)
    if stuck:
        monkeypatch.setattr(compiled, "clear", lambda _: False)

    opened(tmp_path)

    assert len(tried) == 2


def test_a_bundle_that_is_wrong_stays_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled anew or not."""
    monkeypatch.setattr(bundle, "self_test", failing)

    with pytest.raises(BundleError, match=r"found 0\.000"):
        opened(tmp_path)
    with pytest.raises(BundleError, match=r"found 0\.000"):
        bundle.open_segmenter(ModelConfig(precision="f32"))


def failing(_made: Bundle, _runtime: Runtime) -> None:
    raise BundleError("found 0.000")


def test_a_folder_that_is_not_there_or_refuses_keeps_nothing_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in it is not used then."""
    gone = tmp_path / "gone"
    compiled.drop_damaged(gone)
    compiled.prove(gone)
    assert compiled.clear(gone)

    (tmp_path / "a.blob").write_bytes(b"model")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(compiled, "replace", refuse)
    compiled.drop_damaged(tmp_path)
    compiled.prove(tmp_path)
    assert not compiled.clear(tmp_path)
    monkeypatch.undo()
    shutil.rmtree(tmp_path)
