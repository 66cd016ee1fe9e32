"""An index of this computer's own, a cache for one test, and a package "tiny" in the catalogue."""

import base64
import http.server
import json
import os
import threading
import time
from pathlib import Path

import pytest
from small_packages import TEXT, make_wheel, package_for

from helpers import data


@pytest.fixture
def packages(tmp_path, monkeypatch) -> Path:
    """A folder that stands for the package index, and a cache of this test's own."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_TIMEOUT", "5")
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path / "my cache"))  # a space, as in many home folders
    return folder


@pytest.fixture
def catalogue(monkeypatch):
    """Put one package into the catalogue under the name "tiny"."""
    return lambda package: monkeypatch.setitem(data.CATALOGUE, "tiny", package)


@pytest.fixture
def tiny(packages, catalogue) -> Path:
    """A wheel with one text file, in the index and in the catalogue."""
    wheel = make_wheel(packages, {"tiny/text.txt": TEXT, "tiny/other.txt": b"not kept"})
    catalogue(package_for(wheel))
    return wheel


class HalfServer(http.server.BaseHTTPRequestHandler):
    """A package index that breaks off, or falls silent, in the middle of the wheel."""

    archive: bytes
    silent = False

    def do_GET(self):
        is_file = self.path.endswith(".whl")
        link = '<a href="/tiny_text-1.0-py3-none-any.whl">tiny_text-1.0-py3-none-any.whl</a>'
        body = self.archive if is_file else f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if is_file else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_file else body)
        self.wfile.flush()
        if is_file and self.silent:
            time.sleep(20)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def half_server(packages, tiny, monkeypatch):
    handler = type("Handler", (HalfServer,), {"archive": tiny.read_bytes()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield handler
    server.shutdown()
    server.server_close()


class Index(http.server.BaseHTTPRequestHandler):
    """A package index, or a proxy to one: it notes what it is asked for, and may ask for a password."""

    folder: Path
    asked: list
    password = None  # "name:password"
    as_json = False

    def do_GET(self):
        self.asked.append(self.path)
        wanted = f"Basic {base64.b64encode((self.password or '').encode()).decode()}"
        if self.password and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.end_headers()
            return
        names = [path.name for path in self.folder.iterdir()]
        kind = "application/octet-stream"
        if (name := self.path.split("/")[-1]) in names:
            body = (self.folder / name).read_bytes()
        elif self.as_json:
            files = [{"filename": name, "url": f"../../files/{name}", "hashes": {}} for name in names]
            body = json.dumps({"meta": {"api-version": "1.0"}, "name": "tiny-text", "files": files}).encode()
            kind = "application/vnd.pypi.simple.v1+json"
        else:
            links = "".join(f'<a href="../../files/{name}">{name}</a>' for name in names)
            body, kind = f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def index(packages, monkeypatch):
    """The packages behind an index on this computer; `index.port` is its port."""
    handler = type("Handler", (Index,), {"folder": packages, "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.port = server.server_port
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{handler.port}/simple")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield handler
    server.shutdown()
    server.server_close()
