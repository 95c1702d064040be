"""Pages against bare views with as many rows, and a large company's against a small one's: p95 as wrk sees it.

Two companies are made by `bench.population`, each in a data folder of its own with its own PostgreSQL: BENCH_LARGE
customers (a million) and BENCH_SMALL (ten thousand). Folders that were filled before are taken from BENCH_FOLDER and
stay there; without it all is made in a temporary folder, which needs 25 GB for a million. Each company is served as the
product is, by gunicorn, and once more by `bench.bare`, a project with nothing but the bare views. Every round
measures all four by turns. Needs wrk (apt-get install wrk).
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from bench.harness import ROUNDS, Outcome, Race

LARGE = int(os.environ.get("BENCH_LARGE", "1000000"))
SMALL = int(os.environ.get("BENCH_SMALL", "10000"))
AGAINST_BARE, AGAINST_SMALL = 1.5, 1.2
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
ENOUGH = 10
PATIENCE = 60
#: Tells wrk to print what we want of it: the 95th percentile in microseconds, the answers that were no page, and all.
SCRIPT = """done = function(summary, latency)
  print('p95', latency:percentile(95), summary.errors.status, summary.requests)
end
"""


@dataclass(frozen=True)
class Company:
    """A company of so many customers, being served: as the product and by the bare views."""

    customers: int
    sessions: tuple[str, str]
    pages: dict[str, tuple[str, str]]
    headers: dict[str, list[str]]
    ours: int
    bare: int


def outcomes() -> Iterator[Outcome]:
    """For each page: ours against the bare view at both sizes, and ours at the large size against the small one."""
    if shutil.which("wrk") is None:
        sys.exit("The page races need wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        script = Path(folder) / "p95.lua"
        script.write_text(SCRIPT)
        at = Path(os.environ.get("BENCH_FOLDER", folder))
        small, large = (stack.enter_context(company(at / str(size), size)) for size in (SMALL, LARGE))
        for name in small.pages:
            yield from _measured(name, small, large, script)


def _measured(name: str, small: Company, large: Company, script: Path) -> Iterator[Outcome]:
    turns = [(company, which) for company in (small, large) for which in (0, 1)]
    times: dict[tuple[int, int], list[float]] = {(company.customers, which): [] for company, which in turns}
    for company, which in turns:
        _p95(company, name, which, script, 1)
    for place in range(ROUNDS):
        for company, which in turns if place % 2 else reversed(turns):
            times[company.customers, which].append(_p95(company, name, which, script, SECONDS))
    for company in (small, large):
        ours, bare = times[company.customers, 0], times[company.customers, 1]
        yield Outcome(_race(f"{name}, {company.customers:,} customers", "the bare view", AGAINST_BARE), ours, bare)
    race = _race(f"{name}, {large.customers:,} customers", f"at {small.customers:,}", AGAINST_SMALL)
    yield Outcome(race, times[large.customers, 0], times[small.customers, 0])


def _race(name: str, floor: str, goal: float) -> Race:
    """What `_measured` has measured already."""
    return Race(name, floor, ours=lambda: None, floor=lambda: None, goal=goal, units=1)


def _p95(company: Company, name: str, which: int, script: Path, seconds: int) -> float:
    """Seconds within which 95 of 100 answers were there; one visitor, who asks again as soon as there is an answer.

    For so many seconds, or as long as it takes to have enough of them.
    """
    url = f"http://127.0.0.1:{(company.ours, company.bare)[which]}{company.pages[name][which]}"
    headers = [f"Cookie: {settings.SESSION_COOKIE_NAME}={company.sessions[which]}", *company.headers.get(name, ())]
    asked = [part for header in headers for part in ("-H", header)]
    command = ["wrk", "-t1", "-c1", f"-d{seconds}s", "--timeout", "60s", "-s", str(script), *asked, url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    _, microseconds, errors, answers = next(line for line in told.splitlines() if line.startswith("p95")).split()
    if errors != "0":
        raise RuntimeError(f"{url} answered with errors:\n{told}")
    if int(answers) < ENOUGH:
        return _p95(company, name, which, script, 2 * seconds)
    return float(microseconds) / 1e6


@contextmanager
def company(folder: Path, customers: int) -> Iterator[Company]:
    """The company in a data folder, made if there is none, and served until the block ends."""
    environment = {**os.environ, "DATA_DIR": str(folder), "DEMO": "0", "DATABASE_URL": ""}
    environment |= {"PUBLIC_URL": "http://localhost", "WEB_WORKERS": "1", "RETENTION_NOW": ""}
    made = folder / "made"
    if not made.exists():
        _python(environment, "bench.population", str(customers))
        made.touch()
    visits = json.loads(_python(environment, "bench.visits"))
    with _served(environment, "retention.settings") as ours, _served(environment, "bench.bare.settings") as bare:
        sessions = (visits["sessions"][0], visits["sessions"][1])
        yield Company(customers, sessions, visits["pages"], visits["headers"], ours, bare)


def _python(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


@contextmanager
def _served(environment: dict[str, str], module: str) -> Iterator[int]:
    """The port on which gunicorn answers with a project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**environment, "DJANGO_SETTINGS_MODULE": module, "PORT": str(port)}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:retention.gunicorn", "retention.wsgi"]
    with subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR) as process:
        try:
            _wait_for(f"http://127.0.0.1:{port}/", process)
            yield port
        finally:
            process.terminate()


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url)
        except urllib.error.HTTPError:
            return
        except urllib.error.URLError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{url} does not answer")
