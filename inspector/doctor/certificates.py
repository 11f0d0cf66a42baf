"""Until when certificates hold: those in files, and the one that a broker shows."""

import shutil
import socket
import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from inspector.config import MqttConfig, TlsConfig

TIMEOUT_S = 5.0


def ca_end(ca_file: Path) -> datetime:
    """When the last CA of the file ends: from then on it trusts nobody.

    Raises:
        OSError: it cannot be read, or holds no CA.
    """
    found = ssl.create_default_context(cafile=ca_file).get_ca_certs()
    if not found:
        raise OSError(f"{ca_file}: expected the certificate of a CA, found none")
    return max(_end(str(certificate["notAfter"])) for certificate in found)


def own_end(cert_file: Path) -> datetime | None:
    """When the first certificate of the file ends; None where `openssl` is not installed.

    Raises:
        OSError: it cannot be read, or holds no certificate.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    done = subprocess.run(
        [openssl, "x509", "-noout", "-enddate", "-in", str(cert_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    name, _, end = done.stdout.strip().partition("=")
    if done.returncode or name != "notAfter":
        raise OSError(f"{cert_file}: expected a certificate that can be read, found none")
    return _end(end)


def broker_end(config: MqttConfig, tls: TlsConfig) -> datetime:
    """When the certificate that the broker shows ends.

    Raises:
        OSError: nobody listens, or the certificate cannot be trusted; the message says why.
    """
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    with (
        socket.create_connection((config.host, config.port), timeout=TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=config.host) as secure,
    ):
        shown = secure.getpeercert()
    return _end(str((shown or {})["notAfter"]))


def _end(told: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(told), UTC)
