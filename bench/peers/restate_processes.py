"""Restate's two processes: its server, and the web server of the service; both on loopback, with their files in ours.

The server runs with its own defaults, which write and flush its log before a step counts as done. Its file of settings
says where it listens and that it must not report usage. A user who tunes it for a single small machine, with a
partition for each processor instead of 24, gains about half as much again at 64 in flight, and a fifth of the latency;
`--production` changed nothing.

The service is served by hypercorn with the settings that Restate's documentation has for production (no limits on
streams and connections). That has eight workers; here half of the processors have one each, for the server and the
clients run on the same machine, and more were slower.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from bench.peers.process_tree import end

_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.02
_HOST: Final = "127.0.0.1"

_SERVER: Final = """\
node-name = "bench"
listen-mode = "tcp"
bind-address = "{host}:{node}"
advertised-address = "http://{host}:{node}"
disable-telemetry = true
[admin]
bind-address = "{host}:{admin}"
[ingress]
bind-address = "{host}:{ingress}"
"""
_SERVICE: Final = """\
bind = "{host}:{service}"
h2_max_concurrent_streams = 2147483647
keep_alive_max_requests = 2147483647
keep_alive_timeout = 2147483647
workers = {workers}
"""


def _free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A free port for each; they are held until all are found, so that they differ."""
    with ExitStack() as held:
        sockets = [held.enter_context(closing(socket.socket())) for _ in names]
        for each in sockets:
            each.bind((_HOST, 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process as long as the block lasts; it writes to a file, and leaves nothing outside of that file's folder."""
    environment = {**os.environ, "TMPDIR": str(log.parent)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
    try:
        yield process
    finally:
        end(process)


def _until(ready: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something is answered.

    Raises:
        RuntimeError: the process has ended, or took too long; with the last it said.
    """
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            ready()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-2_000:]
                raise RuntimeError(f"{log.stem} does not answer ({error}); it said:\n{said}") from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def _asked(url: str, content: object = None) -> None:
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:
        response.read()


@contextmanager
def serving(program: str, directory: Path) -> Iterator[tuple[str, int]]:
    """Server and service, known to one another; gives the address that takes invocations."""
    ports = _free_ports(("node", "admin", "ingress", "service"))
    workers = max(1, (os.cpu_count() or 1) // 2)
    settings, hypercorn = directory / "restate.toml", directory / "hypercorn.toml"
    settings.write_text(_SERVER.format(host=_HOST, **ports))
    hypercorn.write_text(_SERVICE.format(host=_HOST, workers=workers, **ports))
    server_log, service_log = directory / "restate-server.log", directory / "hypercorn.log"
    server_command = [program, "--config-file", str(settings), "--base-dir", str(directory / "restate"), "--no-logo"]
    service_command = [sys.executable, "-m", "hypercorn", "--config", str(hypercorn), "bench.peers.restate_service:app"]
    with _running(server_command, server_log) as server, _running(service_command, service_log) as service:
        admin = f"http://{_HOST}:{ports['admin']}"
        _until(lambda: socket.create_connection((_HOST, ports["service"])).close(), service, service_log)
        _until(lambda: _asked(f"{admin}/health"), server, server_log)
        _until(lambda: _asked(f"http://{_HOST}:{ports['ingress']}/restate/health"), server, server_log)
        try:
            _asked(f"{admin}/deployments", {"uri": f"http://{_HOST}:{ports['service']}"})
        except urllib.error.HTTPError as refused:
            raise RuntimeError(
                f"the server refused the service: {refused.read().decode(errors='replace')}"
            ) from refused
        yield _HOST, ports["ingress"]
