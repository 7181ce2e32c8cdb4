"""Reductions without axes, with none of them, and with sizes kept unless told otherwise."""

from dataclasses import replace

import numpy as np

from operator_cases import Case, Const, single

KINDS = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare".split()


def cases() -> list[Case]:
    x = np.random.default_rng(24).uniform(0.3, 1.7, (2, 3, 4)).astype(np.float32)
    axes, found = Const(np.array([-1, 0])), []
    for kind in KINDS:
        op, name = f"Reduce{kind}", f"reduce_{kind.lower()}"
        found += [
            replace(single(f"{name}_kept", op, [x, axes], {"": 18}), old=11),
            single(f"{name}_all", op, [x], {"": 18}, keepdims=0),
            single(f"{name}_none", op, [x], {"": 18}, noop_with_empty_axes=1),
            single(f"{name}_none_listed", op, [x, Const(np.zeros(0, np.int64))], {"": 18}, noop_with_empty_axes=1, keepdims=0),
            replace(single(f"{name}_all_11", op, [x], {"": 11}), old=18),
            single(f"{name}_some_11", op, [x], {"": 11}, axes=[1], keepdims=0),
        ]
    for op in ("ArgMax", "ArgMin"):
        found.append(single(f"{op.lower()}_kept", op, [x], {"": 13}, axis=1))
    return found
