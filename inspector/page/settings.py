"""Where the page listens, who may see it, and who may change something on it. Pure."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from inspector.strictyaml import FilePath, Section, list_to_tuple

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine, which nobody else reaches by them."""
SHIFT = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")

Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.\-]+(:[0-9]{1,5})?$")]


def address(listen: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; an IPv6 address stands in brackets."""
    host, _, port = listen.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_address(listen: str) -> str:
    host, port = address(listen)
    if not 0 < port < 1 << 16 or not host:
        raise ValueError("expected HOST:PORT with a port from 1 to 65535")
    return listen


HOST_PORT = r"^\S+:\d{1,5}$"
Listen = Annotated[str, Field(pattern=HOST_PORT), AfterValidator(_is_address)]


def _ascend(shifts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(SHIFT.fullmatch, shifts)) or list(shifts) != sorted(set(shifts)):
        raise ValueError('expected times as "06:00", each once, the earliest first')
    return shifts


class PageTlsConfig(Section):
    """The certificate that the page shows, and its key."""

    cert_file: FilePath
    key_file: FilePath


class PageConfig(Section):
    """The operator's page; `configs/lines/folder.yaml` says what each key does.

    `pin_file` and `password_file` hold what `inspector secret` made of a PIN and a password.
    `proxy` is the address at which browsers reach the page through a proxy that speaks TLS.
    """

    listen: Listen = "127.0.0.1:8080"
    language: Literal["auto", "en", "de", "zh"] = "auto"
    shifts: Annotated[
        tuple[str, ...],
        BeforeValidator(list_to_tuple),
        Field(min_length=1, max_length=24),
        AfterValidator(_ascend),
    ] = ("06:00", "14:00", "22:00")
    pin_file: FilePath | None = None
    password_file: FilePath | None = None
    tls: PageTlsConfig | None = None
    proxy: Annotated[str, Field(pattern=r"^https://[a-z0-9.\-]+(:[0-9]{1,5})?$")] | None = None
    framed_by: Annotated[tuple[Origin, ...], BeforeValidator(list_to_tuple)] = ()

    @model_validator(mode="after")
    def _nobody_beyond_this_machine_without_login(self) -> Self:
        beyond = self.proxy is not None or address(self.listen)[0] not in LOOPBACK
        if beyond and self.password_file is None:
            where = self.proxy or self.listen
            raise ValueError(f"expected password_file for a page beyond this machine ({where})")
        if beyond and self.tls is None and self.proxy is None:
            raise ValueError(
                f"expected tls, or the https:// address of a proxy, for {self.listen}: a password "
                "must not cross the network in plain text"
            )
        return self
