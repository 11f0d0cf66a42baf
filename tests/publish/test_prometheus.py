"""The rules and the dashboard that are shipped, tried on a real Prometheus that reads a line."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from inspector.broker import free_port
from inspector.publish.metrics import Metrics
from tests.publish.test_metrics import FAILED, MODEL, PASSED, Line, Served

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "inspector-alerts.yml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "inspector.json").read_text())
VARIABLES = {"$__rate_interval": "10s", "$site": ".*", "$line": ".*"}
pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Prometheus: apt-get install prometheus"
)


def filled(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query
    return query


QUERIES = [
    pytest.param(filled(target["expr"]), id=f"{panel['title']}-{target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]


class Prometheus:
    """Reads one line, and evaluates the rules. `read_at`: when it had read a line that judges."""

    read_at = 0.0

    def __init__(self, folder: Path, target: str) -> None:
        example = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.example.yml").read_text())
        job = example["scrape_configs"][0]
        job["static_configs"][0]["targets"] = [target]
        job["scrape_interval"] = "1s"
        (folder / "prometheus.yml").write_text(yaml.safe_dump(example))
        shutil.copy(RULES, folder)
        port = free_port()
        self._url = f"http://127.0.0.1:{port}/api/v1"
        command = [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def ask(self, path: str, **query: str) -> Any:
        url = f"{self._url}/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            told = json.load(answer)
        assert told["status"] == "success"
        return told["data"]

    def query(self, text: str, at: float | None = None) -> list[Any]:
        when = {} if at is None else {"time": str(at)}
        return self.ask("query", query=text, **when)["result"]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """It has read a line a few times that judges."""
    metrics = Metrics("plant-a", "line1", MODEL)
    line = Line(tmp_path_factory.mktemp("line"), metrics)
    served = Served(metrics, free_port())
    served.scrape.start()
    started = Prometheus(
        tmp_path_factory.mktemp("prometheus"), served.url.removeprefix("http://").split("/")[0]
    )
    line.publisher.connected = True
    line.publisher.alarm("restart_needed", "from the next start on: mqtt.port")
    deadline, count = time.monotonic() + 60, 0
    while count < 5:
        assert time.monotonic() < deadline
        metrics.add(FAILED)
        metrics.add(PASSED)
        time.sleep(0.5)
        try:
            found = started.query("sum(count_over_time(inspector_camera_up[1m]))")
        except OSError:
            continue
        count = int(found[0]["value"][1]) if found else 0
    started.read_at = datetime.now(UTC).timestamp()
    yield started
    started.close()
    served.scrape.stop()
    line.publisher._bell.close()
    line.outbox.close()


@pytest.mark.parametrize("query", QUERIES)
def test_each_panel_of_the_dashboard_shows_something(prometheus: Prometheus, query: str) -> None:
    """Its query is valid, and finds the line; asked of when parts passed, whenever this runs."""
    assert prometheus.query(query, at=prometheus.read_at)


def test_the_variables_of_the_dashboard_find_the_line(prometheus: Prometheus) -> None:
    """Site and line, from labels that are there."""
    for variable in DASHBOARD["templating"]["list"][1:]:
        name = re.search(r", (\w+)\)$", variable["definition"])[1]
        assert name in prometheus.query("inspector_build_info")[0]["metric"]


def test_the_rules_are_evaluated(prometheus: Prometheus) -> None:
    """Each one without an error, on the series of a real line."""
    deadline = time.monotonic() + 30
    while True:
        rules = prometheus.ask("rules")["groups"][0]["rules"]
        for rule in rules:
            prometheus.query(rule["query"])
        if prometheus.query('inspector_alarm{code="restart_needed"}'):
            break
        assert time.monotonic() < deadline
    assert len(rules) == len(yaml.safe_load(RULES.read_text())["groups"][0]["rules"])
    assert not [rule for rule in rules if rule.get("lastError")]


def test_the_rules_name_series_that_exist(prometheus: Prometheus) -> None:
    """A rule on a series that no line has would never fire."""
    known = set(prometheus.ask("label/__name__/values"))
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"\binspector_\w+", rule["expr"])}
    assert named
    assert named - known == set()


def test_the_rules_fire_when_they_should() -> None:
    """promtool plays lines that are well, and lines on which all goes wrong."""
    for command in (["check", "rules"], ["test", "rules"]):
        file = RULES.name if command[0] == "check" else "inspector-alerts.test.yml"
        done = subprocess.run(
            ["promtool", *command, file],
            cwd=RULES.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
