"""deploy/mosquitto with a real Mosquitto: who gets in, and who may say and hear what."""

import ssl
import subprocess
import time

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from inspector.broker import find_mosquitto, free_port
from inspector.config import MqttConfig
from inspector.errors import BrokerError
from inspector.publish.connection import Connection
from tests.support.ports import is_listening
from tests.systemd.conftest import DEPLOY

ROOT = "inspector/v1/plant-a/line1"


class Site:
    """A broker with our configuration, and the people around it."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.passwords = {}

    def setup(self, *arguments):
        script = DEPLOY / "mosquitto" / "setup.sh"
        done = subprocess.run(
            [script, "--dir", self.folder, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def run_openssl(self, *arguments):
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def config(self, user, **changes):
        secret = self.folder / f"{user}.password"
        secret.write_text(self.passwords[user] + "\n")
        told = {"host": "localhost", "port": self.port, "username": user, "password_file": secret}
        return MqttConfig(**told | {"tls": {"ca_file": self.folder / "ca.crt"}} | changes)

    def publish(self, user, topic, retain=False):
        """What the broker answers: None when it takes the message."""
        connection = Connection(self.config(user), "", f"{ROOT}/none", "")
        connection.send(topic, "{}", retain=retain)
        answers = []
        while not answers:
            answers = connection.pump(1.0)
        connection.close()
        return answers[0].refusal

    def client(self, user):
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.tls_set_context(ssl.create_default_context(cafile=self.folder / "ca.crt"))
        if user is not None:
            client.username_pw_set(user, self.passwords[user])
        client.connect("localhost", self.port)
        return client

    def hears(self, user, topic, filters="inspector/v1/#"):
        """Whether a message to the topic, sent by its line, reaches a user who asked for all."""
        heard, ready = [], []
        client = self.client(user)
        client.on_connect = lambda *_: client.subscribe(filters, qos=1)
        client.on_subscribe = lambda *_: ready.append(True)
        client.on_message = lambda _c, _u, message: heard.append(message.topic)
        drive(client, lambda: ready)
        assert self.publish("plant-a.line1", topic) is None
        # What this user is sent arrives in order: after its own echo there is nothing to wait for.
        drive(client, lambda: heard, patience_s=1.0)
        client.disconnect()
        return topic in heard


def drive(client, condition, patience_s=10.0):
    until_s = time.monotonic() + patience_s
    while not condition() and time.monotonic() < until_s:
        client.loop(0.05)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    program = find_mosquitto()
    if program is None:
        pytest.skip("needs mosquitto, which is not installed")
    folder = tmp_path_factory.mktemp("mosquitto")
    site = Site(folder, free_port())
    site.setup("certificates", "localhost", "127.0.0.1")
    site.passwords["plant-a.line1"] = site.setup("line", "plant-a", "line1")
    site.passwords["plant-a.line2"] = site.setup("line", "plant-a", "line2")
    site.passwords["dashboard"] = site.setup("dashboard", "dashboard")
    text = (DEPLOY / "mosquitto" / "inspector.conf").read_text()
    text = text.replace("/etc/mosquitto/inspector", str(folder))
    text = text.replace("listener 8883", f"listener {site.port} 127.0.0.1")
    (folder / "inspector.conf").write_text(f"{text}\nuser root\n")
    with subprocess.Popen(
        [program, "-c", folder / "inspector.conf"], stderr=subprocess.PIPE, text=True
    ) as broker:
        until_s = time.monotonic() + 10
        while not is_listening(site.port):
            assert broker.poll() is None, broker.communicate()
            assert time.monotonic() < until_s
            time.sleep(0.02)
        yield site
        broker.terminate()
        broker.communicate()


@pytest.mark.parametrize("topic", ["result", "status", "alarm/camera"])
def test_a_line_writes_below_its_own_topic(site, topic):
    """Over TLS that the CA of the script vouches for."""
    assert site.publish("plant-a.line1", f"{ROOT}/{topic}") is None


@pytest.mark.parametrize(
    "topic",
    [
        "inspector/v1/plant-a/line2/result",
        "inspector/v1/plant-b/line1/result",
        "inspector/v1/plant-a/line1x/result",
        "inspector/v1/plant-a",
        "anything",
    ],
)
def test_a_line_writes_nowhere_else(site, topic):
    """The broker says so in its answer."""
    assert "Not authorized" in site.publish("plant-a.line1", topic)


def test_a_dashboard_reads(site):
    """Every line."""
    assert site.hears("dashboard", f"{ROOT}/result")


@pytest.mark.parametrize("retain", [False, True])
def test_a_dashboard_does_not_write(site, retain):
    """Neither a result nor a status that stays."""
    assert "Not authorized" in site.publish("dashboard", f"{ROOT}/status", retain)


def test_a_line_hears_itself_and_no_other(site):
    """`inspector watch` works on the line's PC; what other lines do is not its business."""
    assert site.hears("plant-a.line1", f"{ROOT}/result")
    assert not site.hears("plant-a.line2", f"{ROOT}/result")


def test_without_a_name_nobody_gets_in(site):
    """Nor with a wrong password."""
    reasons = []
    client = site.client(None)
    client.on_connect = lambda _c, _u, _f, reason, _p: reasons.append(str(reason))
    drive(client, lambda: reasons)
    assert reasons == ["Not authorized"]
    site.passwords["stranger"] = "guessed"
    with pytest.raises(BrokerError, match="refused us"):
        site.publish("stranger", f"{ROOT}/result")


def test_there_is_no_way_in_without_tls_or_with_an_old_one(site):
    """Plain text and TLS 1.1 end before the first byte of MQTT."""
    with pytest.raises(BrokerError):
        Connection(site.config("plant-a.line1", tls=None, host="127.0.0.1"), "", "t", "")
    old = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-tls1_1"],
        check=False,
        input="",
        capture_output=True,
        text=True,
    )
    assert old.returncode != 0
    assert "Cipher is (NONE)" in old.stdout


def test_who_is_there_already_gets_a_new_password_and_no_second_entry(site):
    """The script can be run again."""
    before = (site.folder / "acl").read_text()
    site.setup("line", "plant-a", "line2")
    assert (site.folder / "acl").read_text() == before
    ca = (site.folder / "ca.crt").read_text()
    site.setup("certificates", "elsewhere")
    assert (site.folder / "ca.crt").read_text() == ca


def test_a_certificate_that_cannot_be_made_leaves_the_old_one(site, tmp_path):
    """With its key; and a CA whose key lies elsewhere, as it should, is not replaced by another."""
    ours = ("ca.crt", "server.crt", "server.key")
    before = [(site.folder / name).read_bytes() for name in ours]
    for hosts, what in (
        (("a,DNS:b",), "expected the broker's names, found: a,DNS:b"),
        (("broker..plant", "300.1.1.1"), "no certificate could be made for broker..plant"),
    ):
        with pytest.raises(subprocess.CalledProcessError) as caught:
            site.setup("certificates", *hosts)
        assert what in caught.value.stderr
    (site.folder / "ca.key").rename(tmp_path / "ca.key")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        site.setup("certificates", "localhost")
    (tmp_path / "ca.key").rename(site.folder / "ca.key")

    assert "expected ca.key beside ca.crt" in caught.value.stderr
    assert [(site.folder / name).read_bytes() for name in ours] == before


def test_a_broker_may_have_a_long_name(site):
    """One whose name does not fit the CN; the connection is held against the other names."""
    name = ".".join(["h" * 60, "plant-a", "example"])
    site.setup("certificates", name, "localhost")
    shown = site.run_openssl("x509", "-noout", "-ext", "subjectAltName", "-in", "server.crt")

    assert f"DNS:{name}, DNS:localhost" in shown
    keys = (
        ("x509", "-pubkey", "-noout", "-in", "server.crt"),
        ("pkey", "-pubout", "-in", "server.key"),
    )
    certified, kept = (site.run_openssl(*arguments) for arguments in keys)
    assert certified == kept


@pytest.mark.parametrize("name", ["+", "#", "a/b", "Line", "a.b", "a\nuser x"])
def test_names_that_would_mean_more_than_a_line_are_refused(site, name):
    """Nothing is written."""
    before = (site.folder / "acl").read_text()
    with pytest.raises(subprocess.CalledProcessError):
        site.setup("line", "plant-a", name)
    assert (site.folder / "acl").read_text() == before


def test_secrets_are_not_for_everybody(site):
    """Keys and passwords have no rights for others, the CA's key none for the broker."""
    modes = {name: (site.folder / name).stat().st_mode & 0o777 for name in SECRETS}
    assert modes == SECRETS


SECRETS = {"ca.key": 0o600, "server.key": 0o640, "passwords": 0o640, "acl": 0o640}
