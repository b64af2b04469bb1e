"""Clients that take and give nothing: others are answered, and when they are gone nothing is left of them."""

import json
import os
import resource
import selectors
import socket
import threading
import time

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton

from running import DEFAULT_MODEL, TEXT, Bystander, Server, ask_over_grpc, eventually


@pytest.fixture(scope="module")
def server(small_model, tmp_path_factory):
    server = Server(
        "--model",
        f"small={small_model}",
        "--model",
        f"default={DEFAULT_MODEL}",
        log=tmp_path_factory.mktemp("abuse") / "log",
        environment={"GATUN_JAVA_OPTIONS": "-Xmx128m"},  # half of what it usually has
    )
    yield server
    assert server.stop() == 0
    assert not server.errors()


@pytest.fixture(autouse=True)
def as_before(server):
    """Every test leaves the server as it was: nothing waits, and it takes no more files than a few."""
    yield
    eventually(lambda: server.metric("te_queue_size") == 0)
    assert server.ask("/predict", {"inputs": TEXT})[0] == 200
    eventually(lambda: open_files(server) < 200)


@pytest.fixture
def sockets():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    opened = []
    yield opened
    for one in opened:
        one.close()


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def resident_mebibytes(server):
    with open(f"/proc/{server.process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def connect(server, door):
    return socket.create_connection((server.host, server.port if door == "http" else server.grpc_port), timeout=20)


def bystander(server, door):
    if door == "http":
        return Bystander(server)
    return Bystander(server, ask=lambda: ask_over_grpc(server, "small"))


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_ten_thousand_clients_that_say_nothing(server, sockets, door):
    with bystander(server, door):
        for _ in range(10_000):
            sockets.append(connect(server, door))
        # and a while with all of them
        time.sleep(1)
    assert resident_mebibytes(server) < 512


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_more_silent_clients_than_the_server_holds(small_model, sockets, tmp_path, door):
    """The limit is for those who have something to say."""
    server = Server("--model", f"small={small_model}", "--max-connections", 500, log=tmp_path / "log")
    try:
        with bystander(server, door):
            for _ in range(1500):
                sockets.append(connect(server, door))
                time.sleep(0.001)  # or who has something to say is not read before 500 others have come
        assert server.stop() == 0
    finally:
        server.kill()


def test_a_thousand_clients_that_send_a_byte_a_second(server, sockets):
    body = json.dumps({"inputs": TEXT}).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    forms = [
        # in its head, in its body, in HTTP/2's preface
        ("http", b"", head % len(body)),
        ("http", head % len(body), body),
        ("grpc", b"", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ]
    with Bystander(server):
        clients = []
        for index in range(1000):
            door, at_once, slowly = forms[index % len(forms)]
            sockets.append(connect(server, door))
            sockets[-1].sendall(at_once)
            clients.append((sockets[-1], slowly))
        for second in range(6):
            start = time.monotonic()
            for one, slowly in clients:
                one.send(slowly[second : second + 1])
            time.sleep(max(0, start + 1 - time.monotonic()))
    assert resident_mebibytes(server) < 512


def test_slow_readers_of_large_answers(server, sockets):
    body = json.dumps({"inputs": "word " * 500, "model": "default"}).encode()
    request = (
        b"POST /embed_all HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(body), body)
    )
    with Bystander(server), selectors.DefaultSelector() as selector:
        for _ in range(24):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.settimeout(20)
            one.connect((server.host, server.port))
            one.sendall(request)
            sockets.append(one)
            selector.register(one, selectors.EVENT_READ)
        # Each reads a kilobyte every 50 ms of an answer of megabytes, or is refused.
        started = set()

        def read_a_little():
            time.sleep(0.05)
            for key, _ in selector.select(0):
                if key.fileobj.recv(1024):
                    started.add(key.fileobj)
                else:
                    selector.unregister(key.fileobj)
            return len(started) == len(sockets)

        eventually(read_a_little, within=60)
        for _ in range(20):
            read_a_little()
        assert len(selector.get_map()) > 3, "some are being answered"
        status, _, answer = server.ask("/embed", {"inputs": TEXT, "model": "default"}, timeout=10)
        assert status == 200 and len(answer[0]) == 768
    assert resident_mebibytes(server) < 512


def test_a_thousand_cancelled_calls(server):
    tensor = triton.InferInput("text", [8], "BYTES")
    tensor.set_data_from_numpy(np.array(["a long day " * 100] * 8, dtype=object))
    with triton.InferenceServerClient(server.grpc_address) as client, Bystander(server):
        ended = threading.Semaphore(0)
        codes = []

        def note(result, error):
            codes.append("answered" if error is None else error.status())
            ended.release()

        for index in range(1000):
            call = client.async_infer("default", [tensor], note)
            if index % 100 == 0:
                time.sleep(0.05)  # some are cancelled while they wait or are computed
            call.cancel()
        for _ in range(1000):
            assert ended.acquire(timeout=30)
        assert codes.count("StatusCode.CANCELLED") > 900, {code: codes.count(code) for code in set(codes)}
        assert set(codes) <= {"StatusCode.CANCELLED", "StatusCode.RESOURCE_EXHAUSTED", "answered"}
        # the connection that they shared still serves, and at once
        start = time.monotonic()
        assert client.infer("small", [tensor], client_timeout=5, parameters={"truncate": True})
        assert time.monotonic() - start < 5


def test_a_thousand_streams_of_one_connection(server):
    """More streams at once than a connection is allowed wait their turn or are refused; the others are answered."""
    tensor = triton.InferInput("text", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([TEXT], dtype=object))
    with triton.InferenceServerClient(server.grpc_address) as client, Bystander(server):
        ended = threading.Semaphore(0)
        errors = []

        def note(result, error):
            if error:
                errors.append(error.status())
            ended.release()

        for _ in range(1000):
            client.async_infer("small", [tensor], note)
        for _ in range(1000):
            assert ended.acquire(timeout=60)
        assert set(errors) <= {"StatusCode.RESOURCE_EXHAUSTED"}
        assert len(errors) < 1000


def test_garbage_on_both_ports(server):
    with Bystander(server):
        for door in ("http", "grpc"):
            for garbage in (b"\x00" * 4096, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n\xff\r\n\r\n"):
                for _ in range(20):
                    with connect(server, door) as one:
                        one.sendall(garbage)
        channel = grpc.insecure_channel(f"{server.host}:{server.port}")
        with pytest.raises(grpc.RpcError):
            channel.unary_unary("/inference.GRPCInferenceService/ServerLive")(b"", timeout=5)
        channel.close()
