"""Many clients at once: whose answer is whose, full queues, errors beside others, and a stop."""

import math
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.everyday import load_classifier, predict_pairs
from helpers.everyday.examples import Pair
from helpers.serving import Limits
from tests.serving.small_service import (
    HEAD,
    Gate,
    different_texts,
    request,
    running,
    small_folder,
    stop,
    until,
    waiting,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small_folder(tmp_path_factory.mktemp("classifier") / "random")


def test_a_hundred_at_once_get_their_own_answers_in_batches(folder):
    texts = different_texts(300)
    requests = [texts[number * number % 100 * 3 :][: 1 + number % 3] for number in range(100)]
    classifier = load_classifier(folder)
    alone = {text: predict_pairs(classifier, [Pair(text)]).probabilities[0] for text in texts}
    assert len({tuple(row.round(5)) for row in alone.values()}) > 250  # a mixed-up answer would be seen
    gate = Gate()
    gate.open.clear()
    with running(folder, change=gate, batch_size=16) as server, ThreadPoolExecutor(100) as clients:
        asked = [clients.submit(request, server.port, {"texts": some}) for some in requests]
        total = sum(map(len, requests))
        until(lambda: waiting(server.port) == total)
        gate.open.set()
        for some, found in zip(requests, asked, strict=True):
            status, _, content = found.result()
            assert status == 200 and len(content["answers"]) == len(some)
            for text, answer in zip(some, content["answers"], strict=True):
                assert list(answer["probabilities"].values()) == pytest.approx(alone[text], abs=1e-5)
        _, _, health = request(server.port, path="/health", method="GET")
    assert health["answered"] == total and health["batches"] == len(gate.batches)
    assert Counter(map(len, gate.batches[1:-1])) == {16: len(gate.batches) - 2}
    assert len(gate.batches) <= math.ceil(total / 16) + 1


def test_a_full_queue(folder):
    gate = Gate()
    gate.open.clear()
    with running(folder, Limits(texts=3, waiting=8), change=gate) as server, ThreadPoolExecutor(3) as clients:
        asked = [clients.submit(request, server.port, {"texts": ["a", "b", "film"]}) for _ in range(2)]
        until(lambda: waiting(server.port) == 6)
        status, headers, content = request(server.port, {"texts": ["a", "b", "plot"]})
        assert status == 503 and int(headers["retry-after"]) >= 1
        assert "6 texts wait already, at most 8 may" in content["error"]
        asked.append(clients.submit(request, server.port, {"texts": ["a", "b"]}))
        until(lambda: waiting(server.port) == 8)
        gate.open.set()
        assert [found.result()[0] for found in asked] == [200, 200, 200]
        assert request(server.port, {"texts": ["a", "b", "plot"]})[0] == 200


def test_an_error_harms_its_own_request_alone(folder):
    gate = Gate(fails_at="dull")
    gate.open.clear()
    bodies = [{"text": "a film"}, {"texts": ["a plot", "a dull plot"]}, {"text": "great"}, {"text": "good"}]
    with running(folder, change=gate) as server, ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(request, server.port, body) for body in bodies]
        until(lambda: waiting(server.port) == 5)
        gate.open.set()
        found = [each.result() for each in asked]
    assert [status for status, _, _ in found] == [200, 500, 200, 200]
    assert "text 1, counted from 0, could not be classified" in found[1][2]["error"]
    assert "dull" not in found[1][2]["error"]


def test_weights_that_give_no_numbers_are_an_error(folder):
    def spoil(service):
        classifier = service.batcher._work.args[0]
        classifier.model.classifier.bias.data.fill_(float("nan"))

    with running(folder, change=spoil) as server:
        status, _, content = request(server.port, {"text": "a film"})
    assert status == 500 and "could not be classified" in content["error"]


def test_who_goes_away_is_not_computed(folder):
    gate = Gate()
    gate.open.clear()
    with running(folder, change=gate, batch_size=1) as server, ThreadPoolExecutor(1) as clients:
        first = clients.submit(request, server.port, {"text": "the first film"})
        until(lambda: waiting(server.port) == 1)
        body = b'{"texts": ["gone", "gone too"]}'
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            until(lambda: waiting(server.port) == 3)
        until(lambda: waiting(server.port) == 1)
        gate.open.set()
        assert first.result()[0] == 200 and request(server.port, {"text": "the last film"})[0] == 200
    assert gate.batches == [["the first film"], ["the last film"]]


def test_a_stop_answers_what_waits_and_refuses_what_comes(folder):
    gate = Gate()
    gate.open.clear()
    with running(folder, change=gate, batch_size=4) as server, ThreadPoolExecutor(20) as clients:
        asked = [clients.submit(request, server.port, {"text": text}) for text in different_texts(20)]
        until(lambda: waiting(server.port) == 20)
        stop(server)
        until(lambda: not request(server.port, path="/health", method="GET")[2]["accepting"])
        status, headers, content = request(server.port, {"text": "late"})
        assert (status, headers["retry-after"], headers["connection"]) == (503, "5", "close")
        assert "is stopping" in content["error"]
        assert request(server.port, path="/health", method="GET")[0] == 503
        gate.open.set()
        found = [each.result() for each in asked]
        assert {status for status, _, _ in found} == {200}
        assert {headers["connection"] for _, headers, _ in found} == {"close"}
    assert sum(map(len, gate.batches)) == 20


def test_a_stop_that_takes_too_long_says_so_to_those_who_wait(folder):
    gate = Gate()
    gate.open.clear()
    with running(folder, Limits(stop=0.05), change=gate, batch_size=1) as server:
        with ThreadPoolExecutor(3) as clients:
            asked = [clients.submit(request, server.port, {"text": text}) for text in different_texts(3)]
            until(lambda: waiting(server.port) == 3)
            stop(server)
            until(lambda: sum(each.done() for each in asked) == 2)
            gate.open.set()
            assert sorted(each.result()[0] for each in asked) == [200, 503, 503]
