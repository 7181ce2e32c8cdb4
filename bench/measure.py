"""What a process costs: processor time, wall time and the memory that is its own."""

import os
import re
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

DEVICES = ("/dev/", "pipe:", "socket:", "anon_inode:")


class Failed(Exception):
    """The process did not end well."""


@dataclass
class Cost:
    cpu: float  # user and system seconds, children included
    wall: float
    text: str  # standard output


@dataclass
class Watched:
    peak: int = 0  # bytes, anonymous and shared; sampled, so a lower bound
    written: set[str] = field(default_factory=set)  # files that were open for writing


def run(command: list, watch: Watched | None = None) -> Cost:
    start = time.perf_counter()
    words = list(map(str, command))
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if watch:
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                look(process.pid, watch)
                time.sleep(0.001)
        text, errors = process.stdout.read(), process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = (errors + text).decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise Failed(f"{Path(words[0]).name} ended with {process.returncode}: {lines[-1]}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - start, text.decode())


def look(process: int, watch: Watched) -> None:
    try:
        status = Path(f"/proc/{process}/status").read_text()
        sizes = [int(size) << 10 for size in re.findall(r"^Rss(?:Anon|Shmem):\s*(\d+) kB", status, re.M)]
        watch.peak = max(watch.peak, sum(sizes))
        folder = Path(f"/proc/{process}/fd")
        for descriptor in os.listdir(folder):
            target = os.readlink(folder / descriptor)
            if not target.startswith(DEVICES) and (folder / descriptor).lstat().st_mode & 0o200:
                watch.written.add(target)
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended meanwhile


def available_memory() -> int:
    """Bytes that may be taken without swapping."""
    return int(re.search(r"^MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text(), re.M)[1]) << 10


def median(costs: list[Cost]) -> tuple[float, float]:
    return statistics.median(cost.cpu for cost in costs), statistics.median(cost.wall for cost in costs)
