"""Names of the MQTT topics. Pure."""

from dataclasses import dataclass

ROOT = "inspector/v1"


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one line; `config` keeps the names free of MQTT's wildcards."""

    site: str
    line: str

    @property
    def root(self) -> str:
        return f"{ROOT}/{self.site}/{self.line}"

    @property
    def status(self) -> str:
        return f"{self.root}/status"

    @property
    def birth(self) -> str:
        return f"{self.root}/birth"

    @property
    def result(self) -> str:
        return f"{self.root}/result"

    @property
    def count(self) -> str:
        return f"{self.root}/count"

    @property
    def stats(self) -> str:
        return f"{self.root}/stats"

    def alarm(self, code: str) -> str:
        return f"{self.root}/alarm/{code}"
