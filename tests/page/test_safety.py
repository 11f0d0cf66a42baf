"""What strangers, slow clients and faults may do to the page, and the page to the line."""

import asyncio
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
import trustme

from inspector.broker import free_port
from inspector.page import access, protocol, server
from inspector.page.desk import Desk
from inspector.secret import hashed
from tests.page.conftest import PIN
from tests.support.page import Browser, Judge, answers, result, served, until


def ask(browser: Browser, text: bytes) -> bytes:
    """What comes back for these bytes."""
    with socket.create_connection((browser.host, browser.port), 5) as connection:
        connection.sendall(text)
        return connection.recv(65536)


def read_on(connection: socket.socket) -> None:
    """Until it ends."""
    while connection.recv(1 << 16):
        pass


def is_open(connection: socket.socket) -> bool:
    """Whether one byte more is still taken."""
    connection.settimeout(0.01)
    try:
        connection.sendall(b"G")
        return connection.recv(10) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "", "127.0.0.1.evil.example"]
)
def test_a_foreign_name_for_this_pc_gets_nothing(browser: Browser, host: str) -> None:
    """DNS rebinding: a site's own name points to 127.0.0.1."""
    for path in ("/", "/events", "/live.mjpg", "/static/page.js"):
        assert browser.get(path, host=host)[0] == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"x_token": "guessed"},
        {"x_token": ""},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
    ids=str,
)
def test_another_site_changes_nothing(browser: Browser, headers: dict[str, str]) -> None:
    """Not even with the browser of somebody who has typed the PIN."""
    assert browser.post("/unlock", {"pin": PIN})[0] == 200

    assert browser.post("/limit", {"limit": 35}, **headers)[0] == 403


def test_a_plain_form_of_another_site_changes_nothing(browser: Browser) -> None:
    """A form needs no script to be sent; what it can send is not taken."""
    browser.post("/unlock", {"pin": PIN})

    for kind in ("text/plain", "multipart/form-data; boundary=x"):
        assert browser.post("/limit", b'{"limit": 35}', content_type=kind)[0] == 415


@pytest.mark.parametrize(
    "path",
    [
        "/static/../site.py",
        "/static/..%2fsite.py",
        "/static/%2e%2e/site.py",
        "/static/....//site.py",
        "/static//etc/passwd",
        "/static/page.css%00.py",
        "/parts/..%2f..%2fline.yaml",
        "/parts/..%2f..%2fpin.jpg",
        "/parts/%2fetc%2fpasswd.jpg",
        "/../../etc/passwd",
    ],
)
def test_no_address_becomes_a_path(browser: Browser, path: str) -> None:
    """Whatever is in it."""
    answer = ask(browser, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), answer[:100]


def test_answers_forbid_what_the_page_does_not_need(browser: Browser) -> None:
    """Nothing from elsewhere, in no frame, in no cache, no foreign site may show its pictures."""
    _, headers, _ = browser.get("/")

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_what_is_too_large_is_refused(browser: Browser) -> None:
    """Bodies and heads are bounded, and a body of unknown length is not read."""
    assert browser.post("/unlock", b"x" * 5000)[0] == 413
    head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 100_000
    assert ask(browser, head).startswith(b"HTTP/1.1 400")
    chunked = b"POST /unlock HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert ask(browser, chunked).startswith(b"HTTP/1.1 413")


def test_guessing_the_pin_takes_for_ever(browser: Browser) -> None:
    """After some wrong ones even the right one has to wait; parallel guesses count too."""
    guesses = [
        threading.Thread(target=browser.post, args=("/unlock", {"pin": f"{n:04}"}))
        for n in range(access.TRIES)
    ]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()

    status, _, body = browser.post("/unlock", {"pin": PIN})

    assert status == 403
    assert b"next try in" in body


def test_a_session_is_hidden_from_scripts_and_other_sites(browser: Browser) -> None:
    """Its cookie has the port in its name: cookies know no ports, and lines share PCs."""
    _, headers, _ = browser.post("/unlock", {"pin": PIN})

    cookie = headers["set-cookie"]
    assert cookie.startswith(f"inspector-{browser.port}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_behind_a_proxy_it_takes_a_login_and_the_proxy_s_own_address(tmp_path: Path) -> None:
    """The proxy speaks TLS and hands on its name; what comes by another one gets nothing."""
    (tmp_path / "password").write_text(hashed("correct horse"))
    settings = {"password_file": "password", "proxy": "https://panel.example"}
    with served(tmp_path, **settings) as (_, browser, _page):
        until(lambda: answers(browser))
        assert browser.get("/", host="panel.example")[0] == 303
        assert browser.get("/events", host="panel.example")[0] == 401
        assert browser.get("/", host="evil.example")[0] == 421
        form = browser.get("/login", host="panel.example")[2].decode()
        token = form.partition('name="token" value="')[2].partition('"')[0]
        body = f"password=correct+horse&token={token}".encode()

        def log_in(origin: str) -> int:
            return browser.post(
                "/login", body, host="panel.example", origin=origin,
                content_type="application/x-www-form-urlencoded",
            )[0]  # fmt: skip

        assert log_in(browser.origin) == 403
        assert log_in("https://evil.example") == 403
        assert log_in("https://panel.example") == 303
        assert f"__Host-inspector-{browser.port}" in browser.cookies


def test_without_a_pin_nothing_can_be_changed(tmp_path: Path) -> None:
    """The page is for looking at."""
    with served(tmp_path) as (_, browser, _page):
        until(lambda: answers(browser))
        browser.page()
        assert browser.post("/unlock", {"pin": ""})[0] == 403
        assert browser.post("/limit", {"limit": 35})[0] == 403


def test_beyond_this_machine_it_takes_tls_and_a_login(tmp_path: Path) -> None:
    """Nothing but the form is there before; the cookie never leaves TLS."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    (tmp_path / "password").write_text(hashed("correct horse"))
    settings = {
        "listen": f"0.0.0.0:{free_port()}",
        "password_file": "password",
        "tls": {"cert_file": "cert.pem", "key_file": "key.pem"},
    }
    with served(tmp_path, context=context, **settings) as (_, browser, _page):
        browser.host, port = "127.0.0.1", browser.port
        browser.origin = f"https://127.0.0.1:{port}"
        until(lambda: answers(browser))
        assert browser.get("/")[:1] == (303,)
        for path in ("/events", "/live.mjpg", "/whatif?limit=3", "/parts/x"):
            assert browser.get(path)[0] == 401
        form = browser.get("/login")[2].decode()
        token = form.partition('name="token" value="')[2].partition('"')[0]

        def log_in(password: str) -> int:
            body = f"password={password}&token={token}".encode()
            kind = "application/x-www-form-urlencoded"
            return browser.post("/login", body, content_type=kind)[0]

        assert log_in("wrong") == 403
        assert browser.get("/")[0] == 303
        assert log_in("correct+horse") == 303
        assert f"__Host-inspector-{port}" in browser.cookies
        assert 'id="live"' in browser.page()
        plain = Browser(f"127.0.0.1:{port}")
        with pytest.raises(OSError, match=r".+"):
            plain.get("/")


def test_a_slow_request_is_cut_off(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte now and then keeps no connection open, before or after a whole request."""
    monkeypatch.setattr(protocol, "REQUEST_S", 0.6)
    whole = b"GET /static/icon.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for before in (b"", whole):
        with socket.create_connection((browser.host, browser.port), 5) as connection:
            connection.sendall(before)
            if before:
                assert connection.recv(65536)
            start_s = time.monotonic()
            while is_open(connection):
                assert time.monotonic() - start_s < 4
                time.sleep(0.05)


def test_a_slow_reader_is_cut_off_and_holds_up_nobody(
    judge: Judge, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads nothing of the live picture; others see it all the same."""
    monkeypatch.setattr(protocol, "SEND_S", 1.0)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect((browser.host, browser.port))
    slow.sendall(b"GET /live.mjpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    quick = browser.connect()
    quick.request("GET", "/live.mjpg")
    stream = quick.getresponse()
    received = 0
    end_s = time.monotonic() + 8
    while received < 3_000_000 and time.monotonic() < end_s:
        judge.judge(result(50))
        received += len(stream.read1(1 << 20))
        time.sleep(0.05)
    quick.close()

    assert received > 500_000
    slow.settimeout(5)
    with pytest.raises(ConnectionResetError):
        read_on(slow)
    slow.close()


def test_fifty_viewers_see_it_at_once(judge: Judge, browser: Browser) -> None:
    """Each has a picture and changes; the picture is encoded once for all of them."""
    streams = []
    for path in ["/live.mjpg", "/events"] * 50:
        connection = browser.connect()
        connection.request("GET", path)
        streams.append((path, connection, connection.getresponse()))
    judge.judge(result(50))

    for path, connection, stream in streams:
        assert stream.status == 200
        text = b""
        wanted = b"\xff\xd9" if path == "/live.mjpg" else b'data-verdict=\\"fail'
        while wanted not in text:
            text += stream.read1(1 << 16)
        connection.close()


def test_a_taken_port_is_an_alarm_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line does not wait for it; once the port is free the page is there."""
    monkeypatch.setattr(server, "AGAIN_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with served(tmp_path, listen=where) as (judge, browser, _):
            until(lambda: judge.alarms["page"])
            assert "expected a free port" in judge.alarms["page"]
            taken.close()
            until(lambda: answers(browser))
            until(lambda: judge.alarms["page"] is None)


def test_a_secret_that_is_none_is_an_alarm(tmp_path: Path) -> None:
    """A page whose password cannot be read is not open to everybody: there is none."""
    (tmp_path / "pin").write_text("2468")
    with served(tmp_path, pin_file="pin") as (judge, browser, _):
        until(lambda: judge.alarms["page"])
        assert "expected what `inspector secret` writes" in judge.alarms["page"]
        assert "2468" not in judge.alarms["page"]
        assert not answers(browser)


def test_a_crash_of_the_page_is_an_alarm_and_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge goes on meanwhile, and the page comes back with what it said."""
    monkeypatch.setattr(server, "AGAIN_S", 0.5)
    crash = threading.Event()
    real = Desk._round

    async def round_(desk: Desk) -> None:
        if crash.is_set():
            raise RuntimeError("broken")
        await real(desk)

    monkeypatch.setattr(Desk, "_round", round_)
    with served(tmp_path) as (judge, browser, _):
        until(lambda: answers(browser))
        crash.set()
        until(lambda: judge.alarms["page"])
        assert "RuntimeError: broken" in judge.alarms["page"]
        judge.judge(result(50))
        crash.clear()
        until(lambda: answers(browser))
        until(lambda: 'data-verdict="fail"' in browser.page())
        until(lambda: judge.alarms["page"] is None)


def test_a_page_that_hangs_is_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it, neither the judge nor the end."""
    monkeypatch.setattr(server, "SILENT_S", 0.5)
    monkeypatch.setattr(server, "STOP_S", 0.2)
    release = threading.Event()

    async def hang(_: Desk) -> None:
        await asyncio.sleep(0)
        release.wait(20)

    with served(tmp_path) as (judge, browser, _):
        until(lambda: answers(browser))
        monkeypatch.setattr(Desk, "_round", hang)
        until(lambda: judge.alarms["page"])
        start_s = time.monotonic()
        judge.judge(result(50))
        assert time.monotonic() - start_s < 1
    release.set()


def test_what_nobody_reads_is_bounded(tmp_path: Path) -> None:
    """A line whose page has died shows it parts for ever."""
    judge = Judge(_line(tmp_path))
    for _ in range(700):
        judge.judge(result(50))

    parts, pictures = judge.feed.take()

    assert (len(parts), len(pictures)) == (512, 3)
    assert parts[-1].message.seq == 700
    assert judge.feed.take() == ([], {})


def _line(folder: Path):
    from inspector import lines

    path = folder / "line.yaml"
    path.write_text("site: a\nline: b\ncamera: {source: 'folder:x'}\n")
    return lines.read(path)
