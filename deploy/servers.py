"""Redis, nginx and daphne on loopback, each as a child of this process.

daphne is stock, or ``manage.py mcp serve``.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

DEPLOY = Path(__file__).resolve().parent
ROOT = DEPLOY.parent
HOST = "127.0.0.1"
START_S = 60.0
STOP_S = 15.0
POLL_S = 0.05
# Below the ports that the kernel gives to connections, which could otherwise
# take one of ours while its server is down.
PORTS = range(20_000, 32_000)
BACKLOG = 2048


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    for port in random.sample(PORTS, len(PORTS)):
        if is_free(port):
            return port
    raise RuntimeError(f"no port of {HOST} from {PORTS.start} is free")


def is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


class Process(ABC):
    """A server on ``port`` of loopback, and what can befall it.

    It is the leader of a process group of its own: what is done to it is done to
    its children, and a key pressed in our terminal does not reach it. Its output
    is appended to the file ``log``, over all its starts.
    """

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0

    @abstractmethod
    def spawn(self, output: BinaryIO) -> subprocess.Popen[bytes]:
        """Start the program, in a new process group."""

    @abstractmethod
    def serves(self) -> bool:
        """Tell whether it answers by now. Raises OSError if not yet."""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self} was never started")
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def launch(self) -> None:
        """Start it on its port; ``await_service`` says when it serves.

        Raises RuntimeError if its program is not installed.
        """
        with self.log.open("ab") as output:
            self._said_before = output.tell()
            self._process = self.spawn(output)

    def await_service(self) -> None:
        """Stay until it serves.

        Raises RuntimeError, with its output, if it ends or START_S go by.
        """
        deadline = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # not yet
                if self.serves():
                    return
            time.sleep(POLL_S)
        said = self.log.read_bytes()[self._said_before :].decode(errors="replace")
        raise RuntimeError(f"{self} did not start:\n{said}")

    def stop(self) -> None:
        """End it in peace, or by force after STOP_S; nothing if it has ended."""
        self.process.send_signal(signal.SIGCONT)  # paused, it would not hear us
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash would: nothing of it runs any more."""
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(STOP_S)

    def restart(self) -> None:
        """Start it again on its port, whether it runs or was killed."""
        self.stop()
        self.launch()
        self.await_service()

    def pause(self) -> None:
        """Stop its clock; return once it stands still."""
        os.killpg(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def __str__(self) -> str:
        return f"{type(self).__name__} on port {self.port}"


@contextlib.contextmanager
def running(processes: Iterable[Process]) -> Iterator[None]:
    """Start all at once, and stop them in the opposite order.

    Raises RuntimeError, with its output, for the first that does not start.
    """
    with contextlib.ExitStack() as stack:
        launched: list[Process] = []
        for process in processes:
            process.launch()
            stack.callback(process.stop)
            launched.append(process)
        for process in launched:
            process.await_service()
        yield


class Served(Process):
    """A server that speaks HTTP."""

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"


class Daphne(Served):
    """An ASGI application, by its dotted path.

    It finds its port in the environment variable ``PORT``, unless ``environ``,
    which is all of its environment, has another.
    """

    def __init__(
        self,
        application: str,
        port: int,
        log: Path,
        *,
        environ: Mapping[str, str],
        python: Path = Path(sys.executable),
        cwd: Path = ROOT,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__(port, log)
        self.environ = {"PORT": str(port), **environ}
        self._python = python
        self._cwd = cwd
        self._arguments = [*options, application]

    def command(self, fd: int) -> list[str]:
        """Return what serves the listening socket ``fd``."""
        return [str(self._python), "-m", "daphne", "--fd", str(fd), *self._arguments]

    def spawn(self, output: BinaryIO) -> subprocess.Popen[bytes]:
        # Bound here and handed down: what comes before daphne has loaded the
        # application waits, and the backlog is ours.
        with socket.create_server((HOST, self.port), backlog=BACKLOG) as listener:
            fd = listener.fileno()
            return subprocess.Popen(
                self.command(fd),
                cwd=self._cwd,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[fd],
                process_group=0,
            )

    def serves(self) -> bool:
        try:
            urllib.request.urlopen(self.origin, timeout=START_S).close()
        except urllib.error.HTTPError as answer:
            answer.close()
        return True


class McpServe(Daphne):
    """The same by ``manage.py mcp serve``; ``environ`` names Django's settings."""

    def command(self, fd: int) -> list[str]:
        *options, application = self._arguments
        command = [str(self._python), "-m", "django", "mcp", "serve", "--fd", str(fd)]
        return [*command, *options, "--application", application]


class Redis(Process):
    """A Redis with the settings of redis.conf and its data in ``directory``."""

    def __init__(self, port: int, directory: Path) -> None:
        super().__init__(port, directory / "redis.log")
        self.directory = directory

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def spawn(self, output: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                program("redis-server"),
                str(DEPLOY / "redis.conf"),
                *("--port", str(self.port)),
                *("--dir", str(self.directory.resolve())),
            ],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    def serves(self) -> bool:
        """Answer for this very process: another could hold the port."""
        once = Retry(NoBackoff(), 0)
        with redis.Redis(HOST, self.port, socket_timeout=1, retry=once) as client:
            try:
                server = client.info("server")
            # Nobody listens yet, or it is still loading.
            except (redis.ConnectionError, redis.TimeoutError):
                return False
        return bool(server["process_id"] == self.pid)


NGINX_TEMPORARY = """\
client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    scgi_temp_path temp;
    uwsgi_temp_path temp;"""
NGINX_MAIN = """\
{user}
pid nginx.pid;
error_log stderr warn;
worker_processes 1;
worker_shutdown_timeout 5s;
events {{ worker_connections 8192; }}
http {{
    include nginx-http.conf;
    access_log access.log mcp;
    {temporary}
    server {{
        listen {host}:{port};
        include nginx-locations.conf;
    }}
}}
"""


class Nginx(Served):
    """nginx in front of ``upstreams``, by the rules of nginx-*.conf, without TLS."""

    def __init__(self, port: int, directory: Path, upstreams: Sequence[Served]) -> None:
        super().__init__(port, directory / "nginx.log")
        self.directory = directory
        self.access_log = directory / "access.log"
        self.upstreams = upstreams

    def configure(self) -> None:
        """Write its configuration, which is all in ``directory``."""
        for name in ("nginx-http.conf", "nginx-locations.conf"):
            shutil.copy(DEPLOY / name, self.directory)
        (self.directory / "nginx-servers.conf").write_text(
            "".join(
                f"server {HOST}:{upstream.port} max_fails=0;\n"
                for upstream in self.upstreams
            )
        )
        (self.directory / "nginx.conf").write_text(self.main_file())

    def main_file(self) -> str:
        return NGINX_MAIN.format(
            user=self.user(), temporary=NGINX_TEMPORARY, host=HOST, port=self.port
        )

    def user(self) -> str:
        """Return what keeps its workers ours: nobody else may read here."""
        return "user root;" if os.geteuid() == 0 else ""

    def spawn(self, output: BinaryIO) -> subprocess.Popen[bytes]:
        self.configure()
        prefix = self.directory.resolve()
        return subprocess.Popen(
            [
                program("nginx"),
                *("-p", f"{prefix}/"),
                *("-c", str(prefix / "nginx.conf")),
                *("-e", "stderr"),
                *("-g", "daemon off;"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    def serves(self) -> bool:
        """Answer for this very process: it listens before it says who it is."""
        said = self.directory / "nginx.pid"
        return said.exists() and said.read_text().strip() == str(self.pid)


def program(name: str) -> str:
    """Return the path of a program; Debian keeps some where only root looks.

    Raises RuntimeError if it is not installed.
    """
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed")
    return found
