"""What happens to a server that runs for months: its files change, its disk is full, it is stopped and told to end."""

import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.http as triton_http
from grpc_health.v1 import health_pb2, health_pb2_grpc

from running import DEFAULT_MODEL, TEXT, Bystander, eventually, trusting

# a second of work for the default model
MUCH = {"inputs": [["a long day " * 100]] * 32, "model": "default", "truncate": True}


class Later:
    """A request in the background, and its answer."""

    def __init__(self, server, path, body, **options):
        self.answer = None
        self._thread = threading.Thread(target=self._run, args=[server, path, body, options], daemon=True)
        self._thread.start()

    def _run(self, server, path, body, options):
        try:
            self.answer = server.ask(path, body, timeout=60, **options)
        except Exception as failure:
            self.answer = (repr(failure), None, None)

    def get(self):
        self._thread.join(60)
        assert not self._thread.is_alive(), "a request hangs"
        return self.answer

    def running(self):
        return self._thread.is_alive()


def in_flight(server):
    """Waits until some of what was asked waits in the queue: then the rest is being computed."""
    eventually(lambda: server.metric("te_queue_size") > 0)


def state(server, model):
    _, _, index = server.ask("/v2/repository/index", {})
    return next(entry["state"] for entry in index if entry["name"] == model)


def certificate(folder, name):
    """A key and a certificate that it signs, for localhost."""
    key, chain = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-days", "30", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", key, "-out", chain],
        check=True,
        capture_output=True,
    )
    return chain, key


def common_name(server, port, context):
    with socket.create_connection((server.host, port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as one:
            return dict(entry[0] for entry in one.getpeercert()["subject"])["commonName"]


def replace(source, target):
    """As tools that know their work do it: whole, in one step."""
    shutil.copy(source, f"{target}.new")
    os.replace(f"{target}.new", target)


def test_a_certificate_replaced_under_load(serve, small_model, tmp_path):
    old, old_key = certificate(tmp_path, "old")
    new, new_key = certificate(tmp_path, "new")
    chain, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    both = tmp_path / "both.pem"
    both.write_bytes(old.read_bytes() + new.read_bytes())
    replace(old, chain)
    replace(old_key, key)
    server = serve("--model", f"small={small_model}", "--tls-cert", chain, "--tls-key", key)
    assert server.line.startswith("ready https://")
    context = trusting(both)

    def names():
        return {common_name(server, port, context) for port in (server.port, server.grpc_port)}

    assert names() == {"old"}
    tensor = triton.InferInput("text", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([TEXT], dtype=object))
    address = f"localhost:{server.grpc_port}"
    with triton.InferenceServerClient(address, ssl=True, root_certificates=both) as client:
        with Bystander(server, within=5, context=context):
            assert client.infer("small", [tensor])
            # What is no certificate, and one without its key, leave the old pair in force
            chain.write_text("no certificate")
            time.sleep(1.5)
            assert names() == {"old"}
            replace(new, chain)
            time.sleep(1.5)
            assert names() == {"old"}
            replace(new_key, key)
            eventually(lambda: names() == {"new"}, within=20)
            assert client.infer("small", [tensor])
    with triton.InferenceServerClient(address, ssl=True, root_certificates=new) as client:
        assert client.infer("small", [tensor])
    # ALPN: a client that offers HTTP/2 and HTTP/1.1 is served
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert common_name(server, server.port, context) == "new"
    # plain text on a port of TLS harms nobody
    with socket.create_connection((server.host, server.port), timeout=10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with Bystander(server, within=5, context=trusting(new)):
        pass


def test_stopped_and_continued(serve, small_model):
    server = serve("--model", f"default={DEFAULT_MODEL}", "--model", f"small={small_model}")
    later = Later(server, "/predict", MUCH)
    in_flight(server)
    server.signal(signal.SIGSTOP)
    waiting = [Later(server, "/predict", {"inputs": TEXT, "model": "small"}) for _ in range(50)]
    time.sleep(2)
    assert all(one.running() for one in waiting)
    server.signal(signal.SIGCONT)
    assert [one.get()[0] for one in waiting] == [200] * 50
    assert later.get()[0] == 200
    with Bystander(server):
        pass
    assert server.metric("te_queue_size") == 0


def test_a_full_disk(serve, small_model, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system that can be filled")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        model = disk / "small.gguf"
        shutil.copy(small_model, model)
        # The cache, the temporary files and the log all lie on the disk that is full.
        environment = {"GATUN_CACHE": str(disk / "cache"), "TMPDIR": str(disk)}
        environment["GATUN_JAVA_OPTIONS"] = f"-Djava.io.tmpdir={disk}"
        models = ["--model", f"default={DEFAULT_MODEL}", "--model", f"small={model}"]
        server = serve(*models, "--access-log", log=disk / "log", environment=environment)
        fill = disk / "fill"
        with pytest.raises(OSError), open(fill, "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        with triton_http.InferenceServerClient(server.address) as client:
            with Bystander(server):
                # A model can come and go.
                client.unload_model("small")
                client.load_model("small")
                assert server.ask("/predict", {"inputs": TEXT, "model": "small"})[0] == 200
                assert server.ask("/predict", "{", headers={"Content-Type": "application/json"})[0] >= 400
                eventually(lambda: shutil.disk_usage(disk).free < 4096)
            fill.unlink()
            written = server.log.stat().st_size
            assert server.ask("/predict", {"inputs": TEXT, "model": "small"})[0] == 200
            eventually(lambda: server.log.stat().st_size > written)
        assert server.stop() == 0
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_log_that_nobody_reads(serve, small_model, tmp_path):
    log = tmp_path / "pipe"
    os.mkfifo(log)
    pipe = os.open(log, os.O_RDWR)
    try:
        server = serve("--model", f"small={small_model}", "--access-log", log=log)
        with Bystander(server):
            for _ in range(1000):
                assert server.ask("/predict", {"inputs": TEXT})[0] == 200
        waiting = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]
        assert waiting > 60_000, "the pipe is full"
        assert server.stop() == 0
    finally:
        os.close(pipe)


@pytest.mark.parametrize("way", ["renamed", "written over"])
def test_a_model_file_replaced_while_it_is_loaded(serve, small_model, tmp_path, way):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(small_model.read_bytes()[:-4096])
    file = tmp_path / "served.gguf"
    shutil.copy(small_model, file)
    server = serve("--model", f"default={DEFAULT_MODEL}", "--model", f"changing={file}")
    put = replace if way == "renamed" else shutil.copyfile
    ended = threading.Event()

    def change():
        sources = [DEFAULT_MODEL, broken, small_model]  # the first takes long enough to be caught at it
        while not ended.is_set():
            put(sources[0], file)
            sources.append(sources.pop(0))

    changing = threading.Thread(target=change, daemon=True)
    outcomes = []
    with Bystander(server):
        changing.start()
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            server.ask("/v2/repository/models/changing/unload", {})
            status, _, answer = server.ask("/v2/repository/models/changing/load", {})
            outcomes.append(status)
            assert status < 500 and (status == 200 or answer["error"]), (status, answer)
            server.ask("/predict", {"inputs": TEXT, "model": "changing"})
        ended.set()
        changing.join()
    assert len(outcomes) > 5
    put(small_model, file)
    server.ask("/v2/repository/models/changing/unload", {})
    assert server.ask("/v2/repository/models/changing/load", {})[0] == 200
    status, _, answer = server.ask("/predict", {"inputs": TEXT, "model": "changing"})
    assert status == 200 and answer


def test_requests_in_flight_when_their_model_is_unloaded_finish(serve, small_model):
    server = serve("--model", f"small={small_model}", "--model", f"default={DEFAULT_MODEL}")
    before = server.metric("gatun_native_bytes")
    with Bystander(server):
        laters = [Later(server, "/predict", MUCH) for _ in range(2)]
        in_flight(server)
        unloading = Later(server, "/v2/repository/models/default/unload", {})
        # nothing new is taken, while what was taken is still computed
        eventually(lambda: state(server, "default") != "READY", within=5)
        assert server.ask("/models/default", {"inputs": TEXT, "parameters": {}})[0] == 404
        assert all(later.running() for later in laters)
        answers = [later.get() for later in laters]
        assert [answer[0] for answer in answers] == [200] * 2
        assert [len(answer[2]) for answer in answers] == [32] * 2
        assert unloading.get()[0] == 200
        eventually(lambda: server.metric("gatun_native_bytes") < before / 2)
        assert server.ask("/v2/repository/models/default/load", {})[0] == 200
        assert server.metric("gatun_native_bytes") == before
    assert server.ask("/predict", {"inputs": TEXT, "model": "default"})[0] == 200


def test_sigterm_drains(serve):
    server = serve("--model", f"default={DEFAULT_MODEL}", "--drain-timeout", "60s")
    kept = socket.create_connection((server.host, server.port), timeout=30)

    def health():
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return kept.recv(4096).split(b"\r\n", 1)[0]

    assert health() == b"HTTP/1.1 200 OK"
    tensor = triton.InferInput("text", [32], "BYTES")
    tensor.set_data_from_numpy(np.array(["a long day " * 100] * 32, dtype=object))
    with grpc.insecure_channel(server.grpc_address) as channel:
        with triton.InferenceServerClient(server.grpc_address) as client:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
            assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
            over_http = Later(server, "/predict", MUCH)
            over_grpc = []
            ended = threading.Event()

            def note(result, error):
                over_grpc.append(error or result.as_numpy("logits").shape)
                ended.set()

            client.async_infer("default", [tensor], note)
            in_flight(server)
            start = time.monotonic()
            server.signal(signal.SIGTERM)
            assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
            assert time.monotonic() - start < 2
            eventually(lambda: server.ask("/health", method="GET")[0] == 503, within=2)
            assert over_http.running(), "the request in flight ended too soon to tell anything"
            status, _, answer = server.ask("/predict", {"inputs": TEXT})
            assert status == 503 and answer["error_type"] == "Unhealthy"
            assert server.ask("/v2/health/ready", method="GET")[0] == 503
            with pytest.raises(Exception, match="(?i)unavailable|drain|shut"):
                client.infer("default", [tensor])
            status, _, answer = over_http.get()
            assert status == 200 and len(answer) == 32
            assert ended.wait(60) and over_grpc == [(32, 2)]
    kept.close()
    assert server.end(timeout=30) == 0
    assert not server.errors()


def test_a_drain_that_takes_too_long_ends_all_the_same(serve):
    server = serve("--model", f"default={DEFAULT_MODEL}", "--drain-timeout", "1s")
    # half of a request that never comes
    with socket.create_connection((server.host, server.port), timeout=30) as half:
        half.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        laters = [Later(server, "/predict", MUCH) for _ in range(4)]
        in_flight(server)
        start = time.monotonic()
        server.signal(signal.SIGTERM)
        server.end(timeout=15)
        assert time.monotonic() - start < 8
        for later in laters:
            later.get()
