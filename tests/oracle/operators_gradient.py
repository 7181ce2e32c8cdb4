"""Gradient of ai.onnx.preview.training, against differences of the function itself."""

import numpy as np
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from operator_cases import Case, info, model_of

STEP = 1e-5
TRAINING = {"": 17, "ai.onnx.preview.training": 1}


def node(op: str, inputs: str, output: str, **attributes):
    return helper.make_node(op, inputs.split(), [output], name=output, **attributes)


def case(name: str, nodes: list, values: dict, variables: str, weights: dict | None = None, at: dict | None = None,
         others: str = ""):
    """The derivatives of y by the variables, where these and the others have the values `at` instead of their own."""
    xs, zs = variables.split(), others.split()
    inside = [numpy_helper.from_array(array, n) for n, array in (weights or {}).items()]
    names = [f"{x}@" if at and x in at else x for x in xs + zs]
    fed = {**values, **{f"{x}@": array for x, array in (at or {}).items()}}
    attributes = {"xs": xs, "y": "y", **({"zs": zs} if zs else {})}
    gradient = helper.make_node(
        "Gradient", names, [f"d{x}" for x in xs], name="gradient", domain="ai.onnx.preview.training", **attributes
    )
    infos = [info(n, array) for n, array in fed.items()]
    outputs = [helper.make_empty_tensor_value_info(f"d{x}") for x in xs]
    model = model_of(helper.make_graph([gradient, *nodes], "gradient", infos, outputs, inside), TRAINING)
    forward = helper.make_graph(
        nodes,
        "forward",
        [info(n, array) for n, array in values.items()],
        [helper.make_empty_tensor_value_info("y")],
        inside,
    )
    evaluator = ReferenceEvaluator(model_of(forward, {"": 17}))
    point = {**values, **(at or {})}
    expected = {f"d{x}": differences(evaluator, point, x) for x in xs}
    return Case(f"gradient_{name}", model, fed, expected)


def differences(evaluator, point: dict, variable: str) -> np.ndarray:
    result = np.zeros_like(point[variable])
    for index in np.ndindex(result.shape):
        sums = []
        for sign in (1, -1):
            moved = point[variable].copy()
            moved[index] += sign * STEP
            sums.append(evaluator.run(None, {**point, variable: moved})[0].sum())
        result[index] = (sums[0] - sums[1]) / (2 * STEP)
    return result


UNARY = "Neg Exp Log Sqrt Reciprocal Sin Cos Tanh Sigmoid Abs Relu Floor".split()


def cases() -> list[Case]:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (4,)) + 3
    column, matrix = rng.normal(0, 1, (3, 1)), rng.normal(0, 1, (4, 2))
    square = [node("Mul", "t t", "y")]
    found = [
        case(op.lower(), [node(op, "p", "t"), *square], {"p": np.abs(a) + 0.3}, "p") for op in UNARY
    ]
    for op in ("Add", "Sub", "Mul", "Div", "Pow"):
        values = {"p": np.abs(a) + 0.5, "q": b}
        found.append(case(f"{op.lower()}_row", [node(op, "p q", "t"), *square], values, "p q"))
        found.append(case(f"{op.lower()}_column", [node(op, "q p", "t"), *square], {"p": column**2 + 1, "q": b}, "p q"))
    for kind in ("ReduceSum", "ReduceMean"):
        axes = {"axes": np.array([1])} if kind == "ReduceSum" else None
        attributes = {} if axes else {"axes": [1]}
        inputs = "p axes" if axes else "p"
        reduce = node(kind, inputs, "s", keepdims=0, **attributes)
        found.append(case(kind.lower(), [reduce, node("Mul", "s s", "y")], {"p": a}, "p", axes))
    softmax = [node("Softmax", "p", "s", axis=1), node("Mul", "s q", "y")]
    log_softmax = [node("LogSoftmax", "p", "s", axis=0), node("Mul", "s q", "y")]
    product = [node("MatMul", "p q", "t"), node("Transpose", "t", "u", perm=[1, 0]), node("Mul", "u u", "y")]
    gemm = [node("Gemm", "p q", "t", transA=1, transB=1), *square]
    shapes = {"shape": np.array([2, 6]), "axes": np.array([1])}
    moved = [node("Reshape", "p shape", "s"), node("Unsqueeze", "s axes", "t"), *square]
    chosen = [node("Greater", "p q", "c"), node("Where", "c p q", "s"), node("Mul", "s p", "y")]
    loss = helper.make_node("SoftmaxCrossEntropyLoss", ["p", "labels", "w"], ["y"], name="y", ignore_index=1)
    labels = {"labels": np.array([2, 1, 0]), "w": b}
    found += [
        case("softmax", softmax, {"p": a, "q": b}, "p q"),
        case("log_softmax", log_softmax, {"p": a, "q": b}, "p q"),
        case("matmul", product, {"p": a, "q": matrix}, "p q"),
        case("gemm", gemm, {"p": a.T.copy(), "q": matrix.T.copy()}, "p q"),
        case("reshape", moved, {"p": a}, "p", shapes),
        case("where", chosen, {"p": a + 3, "q": b}, "p q"),
        case("loss", [loss], {"p": a}, "p", labels),
        case("elsewhere", product, {"p": a, "q": matrix}, "p q", at={"q": matrix * 2 + 1}),
        case("elsewhere_of_others", product, {"p": a, "q": matrix}, "p", at={"q": matrix * 2 + 1}, others="q"),
        case("inner", [node("Mul", "p p", "m"), node("Mul", "m p", "t"), *square], {"p": a}, "p"),
    ]
    return found
