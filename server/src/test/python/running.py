"""Servers for tests, and those who ask them while something happens."""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
from pathlib import Path
from select import select

import numpy as np
import tritonclient.grpc as triton

ROOT = Path(__file__).resolve().parents[4]
RESOURCES = ROOT / "server/src/test/resources/io/gatun/model"
DEFAULT_MODEL = ROOT / "server/src/main/resources/io/gatun/model/default.gguf"
TEXT = "I loved every minute of it."


def gatun(*arguments, **options):
    """Runs a command of scripts/gatun to its end."""
    command = [ROOT / "scripts/gatun", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, **options)


class Server:
    """scripts/gatun serve on free ports, in a process of its own."""

    def __init__(self, *arguments, log, environment=None):
        self.log = Path(log)
        command = [ROOT / "scripts/gatun", "serve", "--port", "0", "--grpc-port", "0", *map(str, arguments)]
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | (environment or {}),
                start_new_session=True,
            )
        try:
            self.line = self._ready_line()
            http, grpc = (re.search(rf"\b{door}s?://([^\s:]+):(\d+)", self.line) for door in ("http", "grpc"))
            assert http and grpc, f"both addresses in the ready line: {self.line!r}"
        except BaseException:
            self.kill()
            raise
        self.url = http.group()
        self.host = http.group(1)
        self.port = int(http.group(2))
        self.address = f"{self.host}:{self.port}"
        self.grpc_port = int(grpc.group(2))
        self.grpc_address = f"{grpc.group(1)}:{self.grpc_port}"

    def _ready_line(self):
        readable, _, _ = select([self.process.stdout], [], [], 600)
        line = self.process.stdout.readline().decode() if readable else ""
        assert line.startswith("ready "), f"no ready line but {line!r}; standard error: {self.errors()}"
        return line

    def errors(self):
        return self.log.read_text(errors="replace")

    def ask(self, path, body=None, *, method="POST", headers=None, timeout=30, context=None):
        """The status, the headers and the JSON of one request on a connection of its own."""
        if context:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                headers = {"Content-Type": "application/json"} | (headers or {})
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            content = response.read()
            return response.status, response.headers, json.loads(content) if content else None
        finally:
            connection.close()

    def get(self, path, **options):
        return self.ask(path, method="GET", **options)

    def metric(self, name):
        """A number of /metrics; of a series with several labels the sum."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)", text, re.MULTILINE)
        assert values, f"{name} is not among the metrics"
        return sum(map(float, values))

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, timeout=30):
        """Its exit status, when it ended by itself or by a signal that was sent before."""
        return self.process.wait(timeout)

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.end()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def ask_over_grpc(server, model, timeout=5):
    """A model's logits, on a connection of its own."""
    tensor = triton.InferInput("text", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([TEXT], dtype=object))
    own = [("grpc.use_local_subchannel_pool", 1)]
    with triton.InferenceServerClient(server.grpc_address, channel_args=own) as client:
        return 200, client.infer(model, [tensor], client_timeout=timeout).as_numpy("logits").tolist()


class Bystander:
    """Asks for one prediction again and again, each time on a new connection, while something happens to the server.

    When the block ends, it has been answered at least a few times, always with the same, and never after longer than
    `within` seconds. `ask` asks once and gives the status and the answer.
    """

    def __init__(self, server, within=5, ask=None, **options):
        self.ask = ask or (lambda: server.ask("/predict", {"inputs": TEXT}, timeout=within, **options)[::2])
        self.within = within
        self.answers = []
        self.failures = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._ended.is_set():
            start = time.monotonic()
            try:
                self.answers.append(self.ask())
            except Exception as failure:
                self.failures.append(f"{failure!r} after {time.monotonic() - start:.2f} s")
            self._ended.wait(0.02)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        deadline = time.monotonic() + self.within
        while not error and len(self.answers) < 3 and not self.failures and time.monotonic() < deadline:
            time.sleep(0.02)
        self._ended.set()
        self._thread.join(2 * self.within)
        if error:
            return
        assert not self._thread.is_alive(), "a request hangs"
        assert not self.failures, f"{len(self.failures)} of {len(self.answers)} requests failed: {self.failures[:3]}"
        assert len(self.answers) >= 3
        assert all(answer == self.answers[0] for answer in self.answers), set(map(str, self.answers))
        assert self.answers[0][0] == 200, self.answers[0]


def eventually(condition, within=10):
    """Waits until the condition holds, and fails when it does not in time."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within} s; at last {value!r}"
        time.sleep(0.02)
    return value


def trusting(certificate):
    """A context that trusts one certificate, whatever the host's name."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    return context
