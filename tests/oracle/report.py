"""What the command-line tools share: results, tables of counts, a pool of two."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ort_worker import OrtWorker


@dataclass(frozen=True)
class Result:
    name: str
    verdict: str
    detail: str = ""


class WorkerPerThread:
    """One child with a runtime for each thread that asks."""

    def __init__(self, kind=OrtWorker):
        self._kind = kind
        self._local = threading.local()
        self._all = []

    def get(self):
        if not hasattr(self._local, "worker"):
            self._local.worker = self._kind()
            self._all.append(self._local.worker)
        return self._local.worker

    def close(self) -> None:
        for worker in self._all:
            worker.close()


def run_all(check, items, jobs: int = 2) -> list:
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(check, items))


def run_beside(check, items, jobs: int = 2, quiet=("right",), show=lambda result: None, kind=OrtWorker) -> list[Result]:
    """What check(item, worker) gives for all items, several results each. Those that are not quiet show at once."""
    workers = WorkerPerThread(kind)

    def one(item) -> list[Result]:
        results = check(item, workers.get())
        for result in results:
            if result.verdict not in quiet:
                show(result)
        return results

    try:
        return [result for results in run_all(one, items, jobs) for result in results]
    finally:
        workers.close()


def print_results(title: str, results: list[Result], quiet=("right",)) -> None:
    for result in results:
        if result.verdict not in quiet:
            print(f"{result.verdict:10} {result.name}  {result.detail}")
    counts = Counter(result.verdict for result in results)
    summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    print(f"== {title}: {len(results)} cases: {summary}", flush=True)
