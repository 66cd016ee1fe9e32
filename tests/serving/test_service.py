"""The service as its clients see it, over HTTP: answers, refusals, errors, and what the log holds."""

import asyncio
import csv
import http.client
import json
import logging
import socket
import time

import pytest

from helpers.everyday import InputError, load_classifier, predict, predict_pairs, write_table
from helpers.everyday.examples import Pair
from helpers.serving import Limits
from helpers.serving.log import WithoutMessages
from helpers.serving.running import listen
from tests.serving.small_service import CLASSES, HEAD, Gate, different_texts, request, running, small_folder
from tests.serving.test_reading_requests import REFUSED

SMALL = Limits(texts=3, characters=20, bytes=1_000, arrival=0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("classifier") / "random")


@pytest.fixture(scope="module")
def port(folder):
    with running(folder, SMALL) as server:
        yield server.port


def test_health(port, folder):
    status, headers, content = request(port, path="/health", method="GET")
    assert status == 200 and headers["content-type"] == "application/json"
    assert content["accepting"] and content["model"] == folder.name and not content["pairs"]
    assert content["classes"] == list(CLASSES)
    sums = (folder / "SHA256SUMS").read_text()
    assert f"{content['version']}" in sums and len(content["version"]) == 12
    assert request(port, path="/health", method="HEAD")[0] == 200


def test_an_answer(port):
    status, _, content = request(port, {"text": "a great film"})
    (answer,) = content["answers"]
    assert status == 200 and list(answer["probabilities"]) == list(CLASSES) and answer["cut"] is False
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=3e-6)
    assert answer["label"] == max(CLASSES, key=answer["probabilities"].get)
    assert answer["probability"] == answer["probabilities"][answer["label"]]


def test_a_text_that_is_read_in_part_says_so(folder):
    with running(folder) as server:
        _, _, content = request(server.port, {"texts": ["a " * 22, "a " * 23, "a"]})
    assert [answer["cut"] for answer in content["answers"]] == [False, True, False]


def test_no_answer_waits_for_an_acknowledgment():
    """An answer's head and body go out at once, one after the other: TCP_NODELAY, 40 ms a text without."""

    async def accepted() -> int:
        found = asyncio.get_running_loop().create_future()

        def note(reader, writer):
            connection = writer.get_extra_info("socket")
            found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listening = listen("127.0.0.1", 0)
        async with await asyncio.start_server(note, sock=listening):
            _, writer = await asyncio.open_connection(*listening.getsockname())
            writer.close()
            return await asyncio.wait_for(found, 10)

    assert asyncio.run(accepted()) != 0


def test_an_address_that_is_not_of_this_machine():
    with pytest.raises(InputError, match="there is no host '192.0.2.1' here"):  # RFC 5737: nobody's
        listen("192.0.2.1", 0)


def test_another_address_of_a_name_is_tried(monkeypatch):
    known = socket.getaddrinfo("127.0.0.1", 0, type=socket.SOCK_STREAM)
    strange = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **options: strange + known)
    with listen("localhost", 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_the_answers_are_those_of_classify_predict(folder, tmp_path):
    texts = [*different_texts(60), "a " * 100, "GREAT!!", "café 😀", "'; --", "x" * 3_000]
    write_table(tmp_path / "t.csv", ["text"], [[text] for text in texts])
    predict(folder, tmp_path / "t.csv", tmp_path / "a.csv", "text", say=lambda line: None)
    with open(tmp_path / "a.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with running(folder, Limits(texts=len(texts))) as server:
        _, _, content = request(server.port, {"texts": texts})
    for row, answer in zip(rows, content["answers"], strict=True):
        assert row["predicted_label"] == answer["label"]
        assert float(row["probability"]) == pytest.approx(answer["probability"], abs=1e-5)
        for name in CLASSES:
            expected = float(row[f"probability_{name}"])
            assert answer["probabilities"][name] == pytest.approx(expected, abs=1e-5)


def test_pairs(tmp_path):
    folder = small_folder(tmp_path / "pairs", second="other")
    classifier = load_classifier(folder)
    pairs = [Pair("a film", "a plot"), Pair("a plot", "a film")]
    expected = predict_pairs(classifier, pairs).probabilities
    with running(folder) as server:
        assert request(server.port, path="/health", method="GET")[2]["pairs"]
        _, _, many = request(server.port, {"texts": ["a film", "a plot"], "seconds": ["a plot", "a film"]})
        _, _, one = request(server.port, {"text": "a film", "second": "a plot"})
        status, _, content = request(server.port, {"text": "a film"})
    assert status == 422 and "add the field second" in content["error"]
    for answer, row in zip([*many["answers"], *one["answers"]], [*expected, expected[0]], strict=True):
        assert list(answer["probabilities"].values()) == pytest.approx(row, abs=1e-5)
    assert abs(expected[0] - expected[1]).max() > 1e-3


@pytest.mark.parametrize("name", REFUSED)
def test_nasty_bodies(port, name):
    body, expected, words = REFUSED[name]
    status, headers, content = request(port, body)
    assert status == expected and headers["content-type"] == "application/json"
    assert list(content) == ["error"] and words in content["error"]


@pytest.mark.parametrize(
    ("call", "status", "words"),
    [
        (lambda port: request(port, {"text": "a"}, path="/clasify"), 404, "POST /classify or GET /health"),
        (lambda port: request(port, {"text": "a"}, path="/classify/"), 404, "no such address"),
        (lambda port: request(port, path="/", method="GET"), 404, "no such address"),
        (lambda port: request(port, method="GET"), 405, "use POST"),
        (lambda port: request(port, {"text": "a"}, method="PUT"), 405, "use POST"),
        (lambda port: request(port, {"text": "a"}, path="/health"), 405, "use GET"),
        (lambda port: request(port, {"text": "a"}, Content_Type=None), 415, "Content-Type is missing"),
        (lambda port: request(port, {"text": "a"}, Content_Type="text/plain"), 415, "application/json"),
        (lambda port: request(port, {"text": "a"}, Content_Encoding="gzip"), 415, "compressed"),
        (lambda port: request(port, {"text": "a" * 2_000_000}), 413, "more than 1,000 bytes"),
    ],
)
def test_wrong_addresses_methods_and_heads(port, call, status, words):
    found, headers, content = call(port)
    assert found == status and words in content["error"]
    assert status != 405 or headers["allow"] in ("POST", "GET, HEAD")


def raw(port, *parts, pause=0.0):
    """What comes back for bytes, until the service ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        found = b""
        while part := connection.recv(65_536):
            found += part
    return found


def test_bodies_in_chunks(port):
    good = raw(
        port,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b'd\r\n{"text": "a f\r\n',
        b'5\r\nilm"}\r\n0\r\n\r\n',
    )
    assert b"200 OK" in good and b'"label"' in good
    parts = [b"3e8\r\n" + b" " * 1_000 + b"\r\n"] * 5
    long = raw(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *parts, b"0\r\n\r\n")
    assert b"413" in long.split(b"\r\n")[0] and b"more than 1,000 bytes" in long


def test_a_refusal_is_heard_by_who_still_sends(port):
    """The connection ends with the answer, so one that came before the body was read would be lost."""
    for head, expected in ((HEAD, b"413"), (HEAD.replace(b"application/json", b"text/csv"), b"415")):
        parts = [b" " * 100_000] * 30
        found = raw(port, head + b"Content-Length: 3000000\r\n\r\n", *parts, pause=0.005)
        assert expected in found.split(b"\r\n")[0] and b'"error"' in found


def test_who_asks_before_sending_is_answered_before(port):
    found = raw(port, HEAD + b"Content-Length: 3000000\r\nExpect: 100-continue\r\n\r\n")
    assert b"413" in found.split(b"\r\n")[0]
    head = HEAD + b"Content-Length: 13\r\nExpect: 100-continue\r\n\r\n"
    found = raw(port, head, b'{"text": "a"}', pause=0.1)
    assert found.startswith(b"HTTP/1.1 100 ") and b"200 OK" in found


def test_a_body_that_does_not_come(port):
    found = raw(port, HEAD.replace(b"close", b"keep-alive") + b"Content-Length: 20\r\n\r\n", b'{"text"')
    assert b"408" in found.split(b"\r\n")[0] and b"within 0.3 seconds" in found
    assert b"400" in raw(port, b"not HTTP\r\n\r\n").split(b"\r\n")[0]


def test_a_connection_is_used_again_after_a_refusal(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    kept = None
    for body, expected in ((b"no JSON", 400), (b"[" + b" " * 5_000 + b"]", 413), (b'{"text": "a"}', 200)):
        connection.request("POST", "/classify", body, {"Content-Type": "application/json"})
        kept = kept or connection.sock
        response = connection.getresponse()
        assert response.status == expected and json.loads(response.read())
        assert connection.sock is kept
    connection.close()


@pytest.fixture
def log():
    """Everything that is logged, as the program writes it."""
    lines = []

    class Keeping(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Keeping()
    handler.setFormatter(WithoutMessages("%(message)s"))
    loggers = [logging.getLogger(name) for name in ("helpers.serving", "uvicorn", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel("DEBUG")
    yield lines
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_the_log_holds_no_text(folder, log, monkeypatch):
    import helpers.serving.application as application

    gate = Gate(fails_at="secret dull")
    with running(folder, change=gate) as server:
        assert request(server.port, {"texts": ["secret film", "film"]})[0] == 200
        assert request(server.port, {"text": "secret dull"})[0] == 500
        assert request(server.port, {"secret": "secret"})[0] == 422
        assert request(server.port, path="/secret?text=secret", method="GET")[0] == 404
        assert request(server.port, {"text": "a"}, path="/classify?secret", method="SECRET")[0] == 405

        def broken(*_):
            raise KeyError("secret")

        monkeypatch.setattr(application, "pairs_in", broken)
        status, _, content = request(server.port, {"text": "secret"})
        assert status == 500 and "an error inside the service" in content["error"]
    assert not [line for line in log if "secret" in line.lower()]
    assert any(line.startswith("POST /classify 200, 2 texts, ") for line in log)
    assert any(line.startswith("text 0 of a request: ValueError in ") for line in log)
    assert any(line.startswith("GET another address 404, ") for line in log)
    assert any(line.startswith("another method /classify 405, ") for line in log)
    assert any(line.startswith("a request: KeyError in ") for line in log)
