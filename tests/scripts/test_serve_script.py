"""scripts/serve.py as a program: a stop under load, signals, ports, folders, and what it prints."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts import serve as script
from tests.everyday.tables_of_texts import tiny_start
from tests.scripts.refusing import refusal
from tests.serving.small_service import different_texts, request, small_folder

ROOT = Path(__file__).resolve().parents[2]
# The program, with a model that takes a while for each batch.
SLOW = """
import sys, time
from helpers.serving import loading
from scripts import serve
answer_pairs = loading.answer_pairs

def slow(classifier, pairs):
    time.sleep(float(sys.argv[1]))
    return answer_pairs(classifier, pairs)

loading.answer_pairs = slow
sys.exit(serve.main(sys.argv[2:]))
"""
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("classifier") / "random")


class Program:
    """The program in a process of its own, on a free port; its log is read along."""

    def __init__(self, folder, *options, seconds=0.0):
        given = [str(folder), "--port", "0", "--threads", "1", *options]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SLOW, str(seconds), *given], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        self.log = [self.process.stderr.readline()]
        assert (found := re.search(r"listens on http://127\.0\.0\.1:(\d+)$", self.log[0])), self.log
        self.port = int(found[1])
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr))
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()

    def until_waiting(self, least):
        while request(self.port, path="/health", method="GET")[2]["waiting"] < least:
            time.sleep(0.01)

    def end(self):
        code = self.process.wait(30)
        self.reader.join()
        assert not [line for line in self.log if "Traceback" in line or "Error" in line], self.log
        return code


@POSIX
def test_a_stop_under_load_loses_nothing(folder):
    texts = different_texts(90)
    with (
        Program(folder, "--batch-size", "2", seconds=0.05) as program,
        ThreadPoolExecutor(len(texts)) as clients,
    ):
        early = [clients.submit(request, program.port, {"text": text}) for text in texts[:50]]
        program.until_waiting(40)
        program.process.send_signal(signal.SIGTERM)
        late = []
        for text in texts[50:]:
            late.append(clients.submit(request, program.port, {"text": text}))
            time.sleep(0.005)
        found = [each.result() for each in (*early, *late)]  # a broken connection would raise
        assert program.end() == 0
    statuses = [status for status, _, _ in found]
    assert set(statuses) <= {200, 503} and statuses[:50].count(200) >= 40 and 503 in statuses[50:]
    for status, headers, content in found:
        assert "answers" in content if status == 200 else headers["retry-after"] and "error" in content
    assert any("stopping: " in line for line in program.log)
    with pytest.raises(OSError):
        request(program.port, {"text": "a"})


@POSIX
def test_one_text_is_counted_as_one(folder):
    with Program(folder) as program:
        assert request(program.port, {"text": "a film"})[0] == 200
        program.process.send_signal(signal.SIGTERM)
        assert program.end() == 0
    assert program.log[-1].endswith(" stopped: 1 text was answered in 1 batch\n")


@POSIX
def test_a_second_signal_cuts_the_stop_short(folder):
    with (
        Program(folder, "--batch-size", "1", seconds=0.5) as program,
        ThreadPoolExecutor(20) as clients,
    ):
        asked = [clients.submit(request, program.port, {"text": text}) for text in different_texts(20)]
        program.until_waiting(18)
        program.process.send_signal(signal.SIGTERM)
        while request(program.port, path="/health", method="GET")[2]["accepting"]:
            time.sleep(0.01)
        program.process.send_signal(signal.SIGINT)
        statuses = [each.result()[0] for each in asked]
        assert program.end() == 128 + signal.SIGINT
    assert set(statuses) == {200, 503} and statuses.count(503) > 10


@POSIX
def test_ctrl_c_the_log_and_a_client_that_never_ends_its_request(folder):
    with Program(folder) as program, socket.create_connection(("127.0.0.1", program.port)) as client:
        assert request(program.port, {"text": "a film"})[0] == 200
        client.sendall(b"POST /classify HT")
        time.sleep(0.1)
        program.process.send_signal(signal.SIGINT)
        assert program.end() == 0  # the half request does not hold it up
    assert any(re.fullmatch(r"\d\d:\d\d:\d\d POST /classify 200, 1 text, \d+ ms\n", x) for x in program.log)
    assert not [line for line in program.log if "film" in line]


@POSIX
def test_the_reader_of_the_log_may_go_away(folder):
    command = [sys.executable, "-c", SLOW, "0", str(folder), "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    port = int(process.stderr.readline().rsplit(":", 1)[1])
    process.stderr.close()
    assert [request(port, {"text": "a film"})[0] for _ in range(3)] == [200] * 3
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_port_that_is_taken(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert script.main([str(folder), "--port", str(port)]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"error: port {port} of 127.0.0.1 can't be had") and "--port" in printed
    assert printed.count("\n") == 1


def test_a_host_that_there_is_not(folder, capsys):
    for host in ("no.such.host.invalid", "a" * 70, ""):
        assert script.main([str(folder), "--port", "0", "--host", host]) == 1, host
        printed = capsys.readouterr().err
        assert printed.startswith("error: there is no host") and printed.count("\n") == 1


def test_folders_that_can_not_be_served(tmp_path, capsys, folder):
    tiny_start(tmp_path / "encoder")
    (tmp_path / "empty").mkdir()
    damaged = small_folder(tmp_path / "damaged")
    (damaged / "classifier.json").write_text("{")
    cut = small_folder(tmp_path / "cut")
    (cut / "model.safetensors").write_bytes((cut / "model.safetensors").read_bytes()[:-100])
    for name, words in {
        "none": "there is no folder", "encoder": "no classifier", "empty": "empty", "damaged": "is damaged",
        "cut": "model.safetensors",
    }.items():  # fmt: skip
        assert script.main([str(tmp_path / name)]) == 1
        printed = capsys.readouterr().err
        assert printed.startswith("error: ") and words in printed and printed.count("\n") == 1, printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "70000"], "at most 65,535"),
        (["--batch-size", "0"], "at least 1"),
        (["--batch-size", "65"], "at most 64"),
        (["--wait", "-1"], "at least 0"),
        (["--wait", "nan"], "finite"),
        (["--max-texts", "100", "--max-waiting", "99"], "--max-waiting must be at least --max-texts"),
        ([], "required: FOLDER"),
    ],
)
def test_wrong_options(capsys, options, words):
    assert words in refusal(script.main, ["x", *options] if options else [], capsys)
