"""A tiny random classifier in a folder, a service in a thread of its own, and requests to it."""

import asyncio
import http.client
import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch

from helpers.classification import BertForClassification
from helpers.encoder import Bert, BertConfig
from helpers.everyday import save_classifier
from helpers.serving import Limits, listen, load_service, serve
from helpers.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer
from tests.everyday.tables_of_texts import WORDS

# A request's head without its length.
HEAD = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
CLASSES = ("bad", "good", "neither – nor")


def small_folder(folder: Path, second: str | None = None) -> Path:
    """A classifier of three classes with random weights; second: it reads pairs. At most 24 tokens."""
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *WORDS])
    config = BertConfig(
        vocab_size=len(tokenizer.vocabulary), hidden_size=16, num_layers=2, num_heads=2, intermediate_size=32,
        max_positions=40, init_std=None,
    )  # fmt: skip
    torch.manual_seed(1)
    model = BertForClassification(Bert(config), len(CLASSES), labels=CLASSES).eval()
    torch.nn.init.normal_(model.classifier.weight)  # answers that differ from text to text
    settings = {"max_length": 24, "second": second, "merge_labels": False}
    save_classifier(folder, model, tokenizer, settings, "# A random classifier\n")
    return folder


def different_texts(count: int) -> list[str]:
    """As many texts, all different, of three to twelve words."""
    found = []
    for number in range(count):
        digits = [number % 13, number // 13 % 13, number // 169]
        found.append(" ".join([WORDS[digit] for digit in digits] + [WORDS[number % 7]] * (number % 10)))
    assert len(set(found)) == count
    return found


@contextmanager
def running(folder: Path, limits: Limits | None = None, change=lambda service: None, **options):
    """A service in a thread; yields its `Server`, with its `port`. change: called with the service before."""
    service = load_service(folder, limits or Limits(), **{"threads": 1, **options})
    change(service)
    ready, kept = threading.Event(), []

    def begin(server):
        kept.append(server)
        ready.set()

    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    thread = threading.Thread(target=lambda: asyncio.run(serve(service, listening, begin)))
    thread.start()
    with mock.patch("helpers.serving.running.QUIET", 0.05):  # stops take less time
        try:
            assert ready.wait(20)
            kept[0].port = port
            yield kept[0]
        finally:
            stop(kept[0])
            thread.join(20)
            assert not thread.is_alive()


def stop(server) -> None:
    if not server.should_exit:
        server._loop.call_soon_threadsafe(server.ask_to_stop)


def request(port: int, body=None, path="/classify", method="POST", **headers) -> tuple[int, dict, dict]:
    """Status, headers in lower case, and JSON of an answer. body: bytes as they are, else sent as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request(method, path, sent, {k: v for k, v in headers.items() if v is not None})
        response = connection.getresponse()
        content = response.read()
        return (
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            json.loads(content) if content else {},
        )
    finally:
        connection.close()


class Gate:
    """Stands before a service's work: holds it while shut, keeps the batches, fails at a text."""

    def __init__(self, fails_at=""):
        self.open, self.batches, self.fails_at = threading.Event(), [], fails_at
        self.open.set()

    def __call__(self, service):
        work = service.batcher._work

        def behind(pairs):
            assert self.open.wait(30)
            self.batches.append([pair.text for pair in pairs])
            if self.fails_at and any(self.fails_at in pair.text for pair in pairs):
                raise ValueError(f"cannot read {self.fails_at}")
            return work(pairs)

        service.batcher._work = behind


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def waiting(port):
    return request(port, path="/health", method="GET")[1:][1]["waiting"]
