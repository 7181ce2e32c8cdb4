"""The layout pass: the same results in any order, and the transposes that it leaves in whole models.

    python tests/oracle/layouts.py --models [--only swin]    transposes beside the goals (needs the evidence environment)
    python tests/oracle/layouts.py --cases                   the backend cases in the onnx wheel

Each model is laid out for a target with channels last, for one with channels first, and with an order drawn by chance
for each op, and is run in our executor before and after. `generated.py` does the same with random graphs.
"""

import argparse
import sys
from pathlib import Path

import corpus
import models
from layout_pass import faults, lay_out

# Transposes at most, with the interface kept; where images come with channels last, one less.
CLASSIFIERS = (
    "alexnet convnext_tiny densenet121 efficientnet_b0 efficientnet_v2_s googlenet inception_v3 mnasnet1_0 mobilenet_v2 "
    "mobilenet_v3_small regnet_y_400mf resnet18 resnet50 resnext50_32x4d shufflenet_v2_x1_0 squeezenet1_1"
).split()
GOALS = {
    **dict.fromkeys(CLASSIFIERS, 1),
    **dict.fromkeys(("deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large", "unet"), 2),
    **dict.fromkeys(("swin_t", "swin_v2_t", "vit_b_32"), 25),
    "maxvit_t": 45,
}


def backend_cases() -> list[Path]:
    return [path for group in corpus.GROUPS for path in sorted((corpus.DATA / group).glob("*/model.onnx"))]


def counts(only: str) -> int:
    print(f"{'model':38} {'boundary':>8} {'meaning':>8} {'layout':>8} {'all':>5} {'goal':>5} {'nhwc':>5} {'goal':>5} {'ms':>7}")
    bad = 0
    for name in (name for name in models.NAMES if only in name):
        stem, path = name.rsplit("-", 1)[0], models.export(name) / "model.onnx"
        row, nhwc = (lay_out([path], "--no-check", *options)[0] for options in ([], ["--nhwc"]))
        goal = GOALS.get(stem)
        over = goal is not None and (row.transposes > goal or nhwc.transposes > goal - 1)
        bad += over or row.check.startswith("ERROR")
        goals = ("", "") if goal is None else (goal, goal - 1)
        print(
            f"{name:38} {row.boundary:8} {row.meaning:8} {row.layout:8} {row.transposes:5} {goals[0]:>5} "
            f"{nhwc.transposes:5} {goals[1]:>5} {row.milliseconds:7.1f}{'  too many' if over else ''}",
            flush=True,
        )
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--cases", action="store_true")
    arguments = parser.parse_args()
    bad = 0
    if arguments.models:
        bad += counts(arguments.only)
    if arguments.cases:
        found = faults(backend_cases(), readable=False)
        print("\n".join(found))
        print(f"== backend cases: {len(backend_cases())}, wrong: {len(found)}")
        bad += len(found)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
