"""TLS is real, and a password stays where it is."""

import subprocess

import pytest
import trustme

from inspector.config import MqttConfig
from inspector.errors import BrokerError
from inspector.publish.connection import Connection
from tests.publish.conftest import until

SECRET = "swordfish-4711"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """The files of a CA, of one that nobody trusts, and what the first one signed."""
    folder = tmp_path_factory.mktemp("certificates")
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    other.cert_pem.write_to_path(folder / "other-ca.pem")
    for name, host in (("server", "localhost"), ("stranger", "example.org"), ("client", "line1")):
        issued = ca.issue_cert(host)
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    return folder


@pytest.fixture
def secure(mosquitto, certificates):
    """Starts a Mosquitto with TLS that shows the named certificate."""

    def start(name="server", *extra):
        files = {"cafile": "ca.pem", "certfile": f"{name}.pem", "keyfile": f"{name}.key"}
        return mosquitto(*(f"{key} {certificates / file}" for key, file in files.items()), *extra)

    return start


def tls(folder, ca="ca.pem", client=None):
    files = {"ca_file": folder / ca}
    if client:
        files |= {"cert_file": folder / f"{client}.pem", "key_file": folder / f"{client}.key"}
    return files


def connect(broker, **config):
    config = MqttConfig(host="localhost", port=broker.port, **config)
    connection = Connection(config, "tester", "status", "{}")
    connection.close()


def test_results_travel_over_tls(line, secure, certificates):
    """With the right CA and the right name everything is delivered."""
    broker = secure()
    line.record(5)
    publisher = line.publish(host="localhost", port=broker.port, tls=tls(certificates))
    until(lambda: publisher.delivered == 5)
    assert publisher.stop(5.0)


def test_a_client_certificate_is_shown_where_it_is_asked_for(secure, certificates):
    """A broker that wants one refuses us without and accepts us with it."""
    broker = secure("server", "require_certificate true")
    connect(broker, tls=tls(certificates, client="client"))
    with pytest.raises(BrokerError):
        connect(broker, tls=tls(certificates))


@pytest.mark.parametrize(
    ("server", "ca", "complaint"),
    [
        ("server", "other-ca.pem", "certificate verify failed"),
        ("stranger", "ca.pem", "Hostname mismatch"),
    ],
    ids=["wrong CA", "wrong host"],
)
def test_a_broker_that_cannot_be_trusted_gets_nothing(
    line, secure, certificates, caplog, server, ca, complaint
):
    """The connection ends in the handshake, and the results wait."""
    broker = secure(server)
    line.record(5)
    publisher = line.publish(host="localhost", port=broker.port, tls=tls(certificates, ca))
    until(lambda: complaint in caplog.text)
    assert not publisher.connected
    assert not publisher.stop(1.0)
    assert line.outbox.depth() == 5


def test_plain_text_to_a_tls_port_and_the_reverse_fail(secure, mosquitto, certificates):
    """There is no way down to an unprotected connection."""
    with pytest.raises(BrokerError):
        connect(secure())
    with pytest.raises(BrokerError):
        connect(mosquitto(), tls=tls(certificates))


def test_files_that_are_missing_are_named(secure, certificates):
    """A CA or a password that cannot be read is an error of the connection, with its reason."""
    with pytest.raises(BrokerError, match=r"mqtt\.tls\.ca_file: .*none\.pem: No such file"):
        connect(secure(), tls=tls(certificates, ca="none.pem"))
    (certificates / "garbage.pem").write_text("garbage")
    with pytest.raises(BrokerError, match=r"garbage\.pem: "):
        connect(secure(), tls=tls(certificates, ca="garbage.pem"))
    with pytest.raises(BrokerError, match=r"mqtt\.tls\.cert_file: .*none\.pem: No such file"):
        connect(secure(), tls=tls(certificates, client="none"))
    with pytest.raises(BrokerError, match=r"none\.txt"):
        connect(
            secure(),
            tls=tls(certificates),
            username="line1",
            password_file=certificates / "none.txt",
        )


@pytest.mark.parametrize("version", [5, "3.1.1"])
def test_a_password_opens_and_is_never_shown(mosquitto, tmp_path, line, caplog, version):
    """The file's last newline is not part of it; a wrong one is refused; no log or repr tells."""
    caplog.set_level("DEBUG")
    users, good, bad = tmp_path / "users", tmp_path / "good", tmp_path / "bad"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "line1", SECRET], check=True)
    good.write_text(SECRET + "\n")
    bad.write_text(SECRET + "?\n")
    broker = mosquitto("allow_anonymous false", f"password_file {users}")
    login = {"version": version, "username": "line1"}
    connect(broker, **login, password_file=good)
    with pytest.raises(BrokerError, match="refused us"):
        connect(broker, **login, password_file=bad)
    publisher = line.publish(port=broker.port, **login, password_file=bad)
    until(lambda: "refused us" in caplog.text)
    assert not publisher.connected
    assert SECRET not in caplog.text
    assert SECRET not in repr(vars(publisher))
