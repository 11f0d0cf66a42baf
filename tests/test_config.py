"""A line's YAML: what is right becomes values, what is wrong is named with its line."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.config import LineConfig, Source, parse, settings
from inspector.errors import ConfigError

MINIMAL = "site: plant-a\nline: line1\ncamera: {source: 'folder:pictures'}\n"
FILE = Path("/etc/inspector/lines/line1.yaml")
EXAMPLES = sorted((Path(__file__).parent.parent / "configs" / "lines").glob("*.yaml"))


def test_only_site_line_and_source_have_no_default() -> None:
    """The shortest file is three keys; the rest is as DESIGN promises."""
    config = parse(MINIMAL, path=FILE)

    assert config.camera.source == Source("folder", "/etc/inspector/lines/pictures")
    assert config.limits.min_scratch_px == 40
    assert (config.mqtt.host, config.mqtt.port, config.mqtt.version) == ("127.0.0.1", 1883, 5)
    assert config.state_dir == Path("/etc/inspector/lines/state/line1")
    assert config.page is not None


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_the_examples_are_valid(path: Path) -> None:
    """Each example in configs/lines validates as it is."""
    assert isinstance(parse(path.read_text(), path=path), LineConfig)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("video:clip.avi", Source("video", "/etc/inspector/lines/clip.avi")),
        ("v4l2:/dev/v4l/by-id/usb-cam", Source("v4l2", "/dev/v4l/by-id/usb-cam")),
        ("rtsp://user:secret@cam/1", Source("rtsp", "rtsp://user:secret@cam/1")),
    ],
)
def test_every_kind_of_source(source: str, expected: Source) -> None:
    """Paths are relative to the file; addresses stay as they are."""
    text = MINIMAL.replace("folder:pictures", source)

    assert parse(text, path=FILE).camera.source == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "extra: 1\n", ":4: extra: expected a known key"),
        (MINIMAL + "limits: {min_scratch: 40}\n", ":4: limits.min_scratch: expected a known key"),
        (
            MINIMAL + "site: b\n",
            ":4: site: expected each key once, found it again (first on line 1)",
        ),
        ("line: a\ncamera: {source: 'folder:x'}\n", ":1: site: expected this key, found none"),
        (MINIMAL + "limits:\n  min_scratch_px: .nan\n", ":5: limits.min_scratch_px: expected"),
        (MINIMAL + "limits:\n  min_scratch_px: .inf\n", ":5: limits.min_scratch_px: expected"),
        (MINIMAL + "limits: {min_scratch_px: 0}\n", ":4: limits.min_scratch_px: expected"),
        (MINIMAL + "limits: {min_scratch_px: 'forty'}\n", "found 'forty'"),
        (
            "site: a\nline: b\ncamera: {source: 'folder:x', roi: [0, 0, 800, 9], size: [760, 9]}\n",
            ":3: camera: expected a roi within frames of 760 × 9",
        ),
        (
            MINIMAL + "page: {listen: '127.0.0.1:9'}\nmetrics: {listen: '127.0.0.1:9'}\n",
            "expected page and metrics at two addresses (127.0.0.1:9)",
        ),
        (MINIMAL + "limits: {min_scratch_px: true}\n", "found true"),
        (MINIMAL + "limits: {min_scratch_px: null}\n", ":4: limits: expected at least one limit"),
        (MINIMAL.replace("}", ", roi: [0, 0, 70000, 9]}"), ":3: camera.roi.2: expected"),
        (MINIMAL.replace("}", ", size: [9, 70000]}"), ":3: camera.size.1: expected"),
        (MINIMAL.replace("}", ", frozen_after: 1}"), ":3: camera.frozen_after: expected 0, or"),
        (MINIMAL + "sight: {brightness: [9, 8]}\n", ":4: sight.brightness: expected the lowest"),
        (MINIMAL + "sight: {min_sharpness: .nan}\n", ":4: sight.min_sharpness: expected"),
        (MINIMAL + "sight: {blur: 1}\n", ":4: sight.blur: expected a known key"),
        (MINIMAL + "sight: {reference: {at: [1, 2]}}\n", ":4: sight.reference.picture: expected"),
        (MINIMAL + "mqtt: {port: 65536}\n", ":4: mqtt.port: expected"),
        (MINIMAL + "mqtt: {version: 4}\n", ":4: mqtt.version: expected 5 or '3.1.1', found 4"),
        (MINIMAL + "mqtt: {host: broker.plant-a}\n", "expected tls.ca_file"),
        (MINIMAL + "model: {runtime: tensorrt}\n", ":4: model.runtime: expected 'auto'"),
        (MINIMAL.replace("line1", "no"), None),
        (MINIMAL.replace("line1", "Line 1"), ":2: line: expected 1 to 64 of a…z, 0…9, _ and -"),
        (MINIMAL + "page: {listen: x}\n", ":4: page.listen: expected HOST:PORT, as 127.0.0.1:8080"),
        (
            MINIMAL + "page: {listen: '0.0.0.0:8080'}\n",
            "expected password_file for a page beyond this machine (0.0.0.0:8080)",
        ),
        (
            MINIMAL + "page: {listen: '0.0.0.0:8080', password_file: /etc/hostname}\n",
            "expected tls, or the https:// address of a proxy, for 0.0.0.0:8080",
        ),
        (
            MINIMAL + "page: {proxy: 'https://panel.example'}\n",
            "expected password_file for a page beyond this machine (https://panel.example)",
        ),
        (
            MINIMAL + "page: {proxy: 'http://panel.example', password_file: /etc/hostname}\n",
            "page.proxy: expected",
        ),
        (MINIMAL + "page: {shifts: 6}\n", ":4: page.shifts: expected a list, found 6"),
        (MINIMAL + "mqtt: {port: 1.5}\n", ":4: mqtt.port: expected a whole number, found 1.5"),
        (MINIMAL.replace("}", ", loop: 7}"), ":3: camera.loop: expected true or false, found 7"),
        (
            MINIMAL + "limits: {zones: [{name: z, polygon: [[0, 0], [9, 9]], limits: none}]}\n",
            ":4: limits.zones.0.polygon: expected a list of at least 3, found [[0, 0], [9, 9]]",
        ),
        (MINIMAL + "limits: {guard: 5}\n", ":4: limits.guard: expected keys with values of their"),
        (MINIMAL + "state_dir: 5\n", ":4: state_dir: expected a path, found 5"),
        (MINIMAL.replace("line1", "010"), ":2: line: expected text, found 10"),
        (MINIMAL.replace("folder:pictures", "ftp:x"), ":3: camera.source: expected folder:DIR"),
        (MINIMAL.replace("folder:pictures", "folder:"), ":3: camera.source: expected folder:DIR"),
        *[
            (text, f"{key}: expected UTF-8 without zero bytes in '/etc/inspector/lines/a\\{code}'")
            for code in ("x00", "ud800")
            for key, text in (
                ("camera.source", MINIMAL.replace("'folder:pictures'", f'"folder:a\\{code}"')),
                ("state_dir", MINIMAL + f'state_dir: "a\\{code}"\n'),
                ("model.bundle", MINIMAL + f'model: {{bundle: "a\\{code}"}}\n'),
                ("mqtt.password_file", MINIMAL + f'mqtt: {{password_file: "a\\{code}"}}\n'),
            )
        ],
        ("", "expected a mapping of keys, found nothing"),
        ("- a\n", "expected a mapping of keys"),
        ("a: [1,", "expected YAML"),
        ("a: &x 1\nb: *x\n", ":2: expected no aliases"),
        ("a: !!python/name:os.system\n", ":1: expected plain YAML, found the tag"),
        *[
            (
                f"a: 1\nb: !!{tag} abc\n",
                f":2: expected plain YAML, found the tag tag:yaml.org,2002:{tag}",
            )
            for tag in ("int", "float", "bool", "timestamp", "binary", "null")
        ],
        ("[" * 3000, "levels"),
        ("a: " + "x" * 300_000, "characters"),
        ("a: \x00\n", "expected YAML"),
        (MINIMAL + f"limits:\n  min_scratch_px: {'9' * 5000}\n", ":5: expected at most 100 digits"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str | None) -> None:
    """Each defect is refused with file, line, key, expected, found (`no` is a word, and fine)."""
    if message is None:
        parse(text, path=FILE)
        return
    with pytest.raises(ConfigError) as caught:
        parse(text, path=FILE)

    assert message in str(caught.value)
    assert str(caught.value).startswith(str(FILE))


def test_a_folder_whose_name_is_no_text_is_refused() -> None:
    """What lies in it is named in messages, which have to be UTF-8."""
    with pytest.raises(ConfigError, match=r"camera\.source: expected UTF-8 without zero bytes in"):
        parse(MINIMAL, path=Path(os.fsdecode(b"/etc/Linien-\xfc/line1.yaml")))


def test_all_defects_are_told_at_once() -> None:
    """Nobody wants to fix a file one error at a time."""
    with pytest.raises(ConfigError) as caught:
        parse("site: 1\nline: 2\ncamera: {}\n", path=FILE)

    assert len(str(caught.value).splitlines()) == 3


def test_each_value_knows_where_it_comes_from() -> None:
    """`check` can say which line set a value, and which are defaults."""
    text = MINIMAL + "limits:\n  min_scratch_px: 25\n"
    origin = {s.key: s.line for s in settings(parse(text, path=FILE), text)}

    assert origin["site"] == 1
    assert origin["limits.min_scratch_px"] == 5
    assert origin["mqtt.port"] is None


@given(st.text(max_size=200))
def test_any_text_is_accepted_or_refused_with_a_sentence(text: str) -> None:
    """No text makes the parser fail in any other way."""
    with suppress(ConfigError):
        parse(text, path=FILE)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=4,
    ),
    st.sampled_from(["site", "camera", "limits", "mqtt", "model", "page", "state_dir"]),
)
def test_any_value_in_any_place_is_accepted_or_refused(value: object, key: str) -> None:
    """A wrong type anywhere is a ConfigError, never a crash or a limit that is not finite."""
    tree = f"{MINIMAL}{key if key != 'site' else 'extra'}: {value!r}\n"
    try:
        config = parse(tree, path=FILE)
    except ConfigError:
        return
    assert config.limits.min_scratch_px is None or config.limits.min_scratch_px > 0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://cam/stream1", "rtsp://cam/stream1"),
        ("rtsp://u:p@cam:8554/a/b", "rtsp://cam:8554/a/b"),
        ("rtsps://u:p/w@cam/a", "rtsps://cam/a"),
        ("rtsp://u:p?w#x@[::1]:1/a", "rtsp://[::1]:1/a"),
        ("rtsp://cam/a?user=u&password=p", "rtsp://cam/a"),
        ("rtsp://cam/a?user=u@b&password=p", "rtsp://b&password=***"),
        ("rtsp://cam/user=u&password=p&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("rtsp://cam/user=u_password=p_w_channel=1", "rtsp://cam/user=***_password=***_channel=1"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, shown: str) -> None:
    """Wherever cameras want the password, it is not shown."""
    assert str(Source("rtsp", url)) == shown
