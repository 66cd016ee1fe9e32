"""scripts/dev/local_server.py: waited for, stopped in the end, and what one without an answer gets."""

import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from scripts.dev import local_server


def test_a_server_answers_inside_of_the_block_alone(tmp_path):
    port = local_server.free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with local_server.running(command, address, tmp_path / "log.txt", 30, cwd=tmp_path):
        assert urllib.request.urlopen(address, timeout=5).status == 200
    assert "GET / HTTP" in (tmp_path / "log.txt").read_text()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)


@pytest.mark.parametrize(
    ("program", "patience", "words"),
    [
        ("import sys; sys.exit('no such folder')", 30, "ended: no such folder"),
        ("import time; print('working', flush=True); time.sleep(60)", 2, "does not answer: working"),
    ],
)
def test_one_that_gives_no_answer(tmp_path, program, patience, words):
    address, begun = f"http://127.0.0.1:{local_server.free_port()}/", time.monotonic()
    with pytest.raises(SystemExit, match=words):
        with local_server.running([sys.executable, "-c", program], address, tmp_path / "log.txt", patience):
            raise AssertionError("the block must not begin")
    assert time.monotonic() - begun < 30


def test_it_is_stopped_when_the_block_fails(tmp_path, monkeypatch):
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[0])
    port = local_server.free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with pytest.raises(ZeroDivisionError):
        with local_server.running(command, address, tmp_path / "log.txt", 30, cwd=tmp_path):
            raise ZeroDivisionError
    assert started[0].poll() is not None
