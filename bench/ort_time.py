"""Loads models in ONNX Runtime, one after another, and runs each on two sets of inputs, as the check does.

python bench/ort_time.py INPUTS.npz MODEL...        prints {"cpu": seconds, "wall": seconds, "error": of the range}
"""

import json
import sys
import time

import numpy as np
import onnxruntime


def session(path: str):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # waiting threads would count as work
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def main() -> None:
    first = dict(np.load(sys.argv[1]))
    second = {name: array.reshape(-1)[::-1].reshape(array.shape) for name, array in first.items()}
    cpu, wall = time.process_time(), time.perf_counter()
    results = []
    for path in sys.argv[2:]:
        runner = session(path)
        results.append([value for inputs in (first, second) for value in runner.run(None, inputs)])
        del runner
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    errors = [np.abs(a - b).max() / np.ptp(a) for other in results[1:] for a, b in zip(results[0], other)]
    print(json.dumps({"cpu": cpu, "wall": wall, "error": float(max(errors, default=0))}))


if __name__ == "__main__":
    main()
