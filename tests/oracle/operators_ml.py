"""Operators of ai.onnx.ml, as exporters of classical models write them."""

from dataclasses import replace

import numpy as np
from onnx import numpy_helper

from operator_cases import Case, single

ML = {"ai.onnx.ml": 1, "": 17}


def at(version: int) -> dict:
    return {"ai.onnx.ml": version, "": 17}


def texts(*values: str) -> np.ndarray:
    return np.array(values, object)


def cases() -> list[Case]:
    rng = np.random.default_rng(3)
    return [*features(rng), *labels(rng), *trees(rng), *classifiers(rng), *machines(rng), *linear(rng), *kept(rng)]


def features(rng) -> list[Case]:
    x = rng.normal(0, 2, (4, 5)).astype(np.float32)
    whole = rng.integers(-3, 4, (4, 5))
    scale, offset = rng.normal(1, 0.3, 5).tolist(), rng.normal(0, 1, 5).tolist()
    x[1, 2] = 0.5
    zero_row = np.where(np.arange(4)[:, None] == 2, np.float32(0), x)
    with_nan = np.where(np.arange(5) == 3, np.float32(np.nan), x)
    found = [
        single("ml_extract_vector", "ArrayFeatureExtractor", [x[0], np.array([3, 0], np.int64)], ML),
        single("ml_extract_matrix", "ArrayFeatureExtractor", [whole, np.array([[3, 0, 1]], np.int64)], ML),
        single("ml_binarizer", "Binarizer", [x], ML, threshold=0.5),
        single("ml_scaler_one", "Scaler", [x], ML, scale=[1.7], offset=[0.4]),
        single("ml_imputer", "Imputer", [x], ML, imputed_value_floats=[9.0], replaced_value_float=0.5),
        single("ml_imputer_nan", "Imputer", [with_nan], ML, imputed_value_floats=offset, replaced_value_float=np.nan),
        single("ml_imputer_int", "Imputer", [whole], ML, imputed_value_int64s=[7], replaced_value_int64=-1),
        single("ml_vectorizer", "FeatureVectorizer", [x, x * 2], ML, inputdimensions=[5, 5]),
    ]
    for dtype in (np.float32, np.float64, np.int64, np.int32):
        fed = x.astype(dtype) if dtype != np.float32 else x
        found.append(single(f"ml_scaler_{dtype.__name__}", "Scaler", [fed], ML, scale=scale, offset=offset))
    found += [
        single("ml_scaler_symbolic", "Scaler", [x], ML, symbolic=True, scale=scale, offset=offset),
        single("ml_normalizer_symbolic", "Normalizer", [x], ML, symbolic=True, norm="L2"),
        single("ml_imputer_symbolic", "Imputer", [whole], ML, symbolic=True, imputed_value_int64s=[7]),
        single("ml_extract_symbolic", "ArrayFeatureExtractor", [x, np.array([[1, 1]], np.int64)], ML, symbolic=True),
    ]
    for norm in ("MAX", "L1", "L2"):
        found.append(single(f"ml_normalizer_{norm}", "Normalizer", [zero_row], ML, norm=norm))
        found.append(single(f"ml_normalizer_{norm}_double", "Normalizer", [x.astype(np.float64)], ML, norm=norm))
        found.append(single(f"ml_normalizer_{norm}_vector", "Normalizer", [x[0]], ML, norm=norm))
    return found


def labels(rng) -> list[Case]:
    words = texts("b", "a", "zz", "c")
    numbers = np.array([[3, 5], [4, -1]], np.int64)
    reals = np.array([0.5, np.nan, -0.0, 2.0], np.float32)
    keys = ["a", "b", "c"]
    tensors = {
        "keys_tensor": numpy_helper.from_array(np.array([1.5, np.nan, 4.0], np.float64)),
        "values_tensor": numpy_helper.from_array(np.array([7, 8, 9], np.float64)),
        "default_tensor": numpy_helper.from_array(np.array([-5], np.float64)),
    }
    return [
        single("ml_label_1_text", "LabelEncoder", [words], ML, classes_strings=keys, default_int64=9),
        single("ml_label_1_int", "LabelEncoder", [numbers], ML, classes_strings=[*keys, "d"], default_string="?"),
        single("ml_label_int_text", "LabelEncoder", [numbers], at(2), keys_int64s=[3, 4], values_strings=["x", "y"]),
        single("ml_label_float_int", "LabelEncoder", [reals], at(2), keys_floats=[0.0, 2.0], values_int64s=[1, 2]),
        single("ml_label_text_float", "LabelEncoder", [words], at(2), keys_strings=keys, values_floats=[1.0, 2.0, 3.5]),
        single("ml_label_other_float", "LabelEncoder", [numbers], at(2), keys_int64s=[3], values_floats=[1.5], default_float=0.25),
        single("ml_label_tensors", "LabelEncoder", [np.array([4.0, 1.5, np.nan, 0.1])], at(4), **tensors),
        single("ml_category_text", "CategoryMapper", [words], ML, cats_strings=keys, cats_int64s=[4, 5, 6]),
        single("ml_category_int", "CategoryMapper", [numbers], ML, cats_strings=keys, cats_int64s=[4, 5, 6]),
        single("ml_one_hot_int", "OneHotEncoder", [numbers], ML, cats_int64s=[5, 4, 3], zeros=1),
        single("ml_one_hot_float", "OneHotEncoder", [np.array([3.0, 4.7], np.float32)], ML, cats_int64s=[5, 4, 3]),
        single("ml_one_hot_text", "OneHotEncoder", [words], ML, cats_strings=keys, zeros=1),
    ]


class Forest:
    """Random trees in the form before version 5."""

    MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")

    def __init__(self, rng, trees: int, depth: int, features: int, modes=MODES[:4]):
        self.rng, self.features, self.modes = rng, features, modes
        self.nodes, self.leaves = [], []
        for tree in range(trees):
            self.grow(tree, 0, depth, [0])

    def grow(self, tree: int, number: int, depth: int, last: list) -> None:
        leaf = depth == 0 or (number > 0 and self.rng.random() < 0.2)
        mode = "LEAF" if leaf else str(self.rng.choice(self.modes))
        split = float(np.float32(self.rng.integers(-4, 5) / 2))
        row = [tree, number, int(self.rng.integers(self.features)), mode, split, 0, 0, int(self.rng.random() < 0.5)]
        self.nodes.append(row)
        if leaf:
            self.leaves.append((tree, number))
            return
        row[5], row[6] = last[0] + 1, last[0] + 2
        last[0] += 2
        self.grow(tree, row[5], depth - 1, last)
        self.grow(tree, row[6], depth - 1, last)

    def attributes(self) -> dict:
        names = "treeids nodeids featureids modes values truenodeids falsenodeids missing_value_tracks_true".split()
        return {f"nodes_{name}": list(column) for name, column in zip(names, zip(*self.nodes))}

    def votes(self, word: str, ids, positive: bool = False) -> dict:
        """ids: the targets that each leaf votes for."""
        rows = [(tree, node, i, self.weight(positive)) for tree, node in self.leaves for i in ids]
        columns = list(zip(*rows))
        names = (f"{word}_treeids", f"{word}_nodeids", f"{word}_ids", f"{word}_weights")
        return {name: list(column) for name, column in zip(names, columns)}

    def weight(self, positive: bool) -> float:
        return float(self.rng.random() / 4 if positive else self.rng.normal())


def grid(rng, rows: int, features: int, dtype=np.float32) -> np.ndarray:
    """Values that often equal a split, and some NaN."""
    x = (rng.integers(-5, 6, (rows, features)) / 2).astype(dtype)
    if np.dtype(dtype).kind == "f":
        x[rng.random(x.shape) < 0.1] = np.nan
    return x


def trees(rng) -> list[Case]:
    found = []
    for kind in ("SUM", "AVERAGE", "MIN", "MAX"):
        forest = Forest(rng, 5, 4, 3)
        found.append(
            single(
                f"ml_tree_regressor_{kind}",
                "TreeEnsembleRegressor",
                [grid(rng, 40, 3)],
                ML,
                aggregate_function=kind,
                n_targets=1,
                **forest.attributes(),
                **forest.votes("target", [0]),
            )
        )
    equal = Forest(rng, 3, 3, 2, Forest.MODES)
    symbolic = Forest(rng, 3, 3, 3)
    columns = {**symbolic.attributes(), **symbolic.votes("target", [0])}
    found += [
        single("ml_tree_symbolic", "TreeEnsembleRegressor", [grid(rng, 9, 3)], ML, symbolic=True, n_targets=1, **columns),
        single(
            "ml_tree_regressor_targets",
            "TreeEnsembleRegressor",
            [grid(rng, 40, 2)],
            at(3),
            n_targets=3,
            base_values=[0.5, -1.0, 2.0],
            post_transform="SOFTMAX",
            **equal.attributes(),
            **equal.votes("target", [0, 1, 2]),
        )
    ]
    for dtype in (np.float32, np.float64):
        forest = Forest(rng, 4, 3, 4)
        found.append(
            single(
                f"ml_tree_regressor_{np.dtype(dtype).name}",
                "TreeEnsembleRegressor",
                [grid(rng, 30, 4, dtype)],
                ML,
                n_targets=2,
                post_transform="LOGISTIC",
                **forest.attributes(),
                **forest.votes("target", [0, 1]),
            )
        )
    doubles = Forest(rng, 4, 3, 3)
    columns = {**doubles.attributes(), **doubles.votes("target", [0])}
    for name in ("nodes_values", "target_weights"):
        columns[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(columns.pop(name), np.float64))
    x = grid(rng, 30, 3, np.float64)
    found.append(single("ml_tree_regressor_as_tensor", "TreeEnsembleRegressor", [x], at(3), n_targets=1, **columns))
    return found


def classifiers(rng) -> list[Case]:
    found = []
    for ids, classes in (([0], 2), ([0, 1], 2), ([1], 2), ([0, 1, 2], 3)):
        for positive in (True, False):
            for transform in ("NONE", "LOGISTIC", "SOFTMAX"):
                forest = Forest(rng, 4, 3, 3)
                values = [0.3] if ids == [0] else [0.2, -0.4, 0.1] if classes == 3 else []
                base = {"base_values": values} if values and len(found) % 2 else {}
                labels = {"classlabels_int64s": [0, 1] if len(ids) == 2 else [4, 2, 9][:classes]}
                if transform == "SOFTMAX":
                    labels = {"classlabels_strings": ["no", "yes", "so"][:classes]}
                found.append(
                    single(
                        f"ml_tree_classifier_{''.join(map(str, ids))}_{'positive' if positive else 'mixed'}_{transform}",
                        "TreeEnsembleClassifier",
                        [grid(rng, 40, 3)],
                        ML,
                        2,
                        post_transform=transform,
                        **base,
                        **labels,
                        **forest.attributes(),
                        **forest.votes("class", ids, positive),
                    )
                )
    return found


def machines(rng) -> list[Case]:
    x, found = rng.normal(0, 1, (6, 4)).astype(np.float32), []
    for kernel, parameters in (("LINEAR", [0.0] * 3), ("RBF", [0.3, 0, 0]), ("POLY", [0.4, 1.2, 3]), ("SIGMOID", [0.2, 0.1, 0])):
        for one_class in (0, 1):
            vectors = {"n_supports": 5, "support_vectors": rng.normal(0, 1, 20).tolist()}
            numbers = {"coefficients": rng.normal(0, 1, 5).tolist(), "rho": [0.25], "one_class": one_class}
            attributes = {"kernel_type": kernel, "kernel_params": [float(p) for p in parameters], **vectors, **numbers}
            found.append(single(f"ml_svm_{kernel}_{one_class}", "SVMRegressor", [x], ML, **attributes))
    for classes, transforms in ((2, ("NONE", "LOGISTIC")), (3, ("NONE", "LOGISTIC", "SOFTMAX")), (4, ("NONE",))):
        for transform in transforms:
            each = [2, 3, 1, 2][:classes]
            count, pairs = sum(each), classes * (classes - 1) // 2
            numbers = {
                "support_vectors": rng.normal(0, 1, count * 4).tolist(),
                "coefficients": rng.normal(0, 1, count * (classes - 1)).tolist(),
                "rho": rng.normal(0, 0.3, pairs).tolist(),
            }
            attributes = {"kernel_type": "RBF", "kernel_params": [0.3, 0.0, 0.0], "vectors_per_class": each, **numbers}
            labels = {"classlabels_ints": [4, 2, 9, 0][:classes]}
            if classes == 3:
                labels = {"classlabels_strings": ["a", "b", "c"]}
            name = f"ml_svm_classifier_{classes}_{transform}"
            found.append(single(name, "SVMClassifier", [x], ML, 2, post_transform=transform, **attributes, **labels))
    flat = {"coefficients": [0.5, -1.0, 2.0, 0.1], "rho": [0.3], "kernel_params": [0.0] * 3}
    found.append(single("ml_svm_no_vectors", "SVMRegressor", [x], ML, **flat))
    return found


def linear(rng) -> list[Case]:
    x, found = rng.normal(0, 1, (6, 4)).astype(np.float32), []
    for targets, transforms in ((1, ("NONE", "LOGISTIC")), (3, ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"))):
        for transform in transforms:
            numbers = {
                "coefficients": rng.normal(0, 1, 4 * targets).tolist(),
                "intercepts": rng.normal(0, 1, targets).tolist(),
                "post_transform": transform,
            }
            labels = [5, 7, 9][: max(targets, 2)]
            name = f"{targets}_{transform}"
            found.append(
                single(f"ml_classifier_{name}", "LinearClassifier", [x], ML, 2, classlabels_ints=labels, **numbers)
            )
            if targets > 1 or transform == "NONE":
                found.append(single(f"ml_linear_{name}", "LinearRegressor", [x], ML, targets=targets, **numbers))
    words = {"classlabels_strings": ["a", "b", "c"], "coefficients": rng.normal(0, 1, 12).tolist(), "multi_class": 1}
    found.append(single("ml_classifier_text", "LinearClassifier", [x], ML, 2, intercepts=[0.1, 0.2, -0.3], **words))
    return found


def kept(rng) -> list[Case]:
    """What ONNX Runtime makes of these is not what ONNX says, or not to be told from the file."""
    x, forest = grid(rng, 20, 3), Forest(rng, 3, 3, 3)
    single_score = {**forest.attributes(), **forest.votes("target", [0])}
    one_class = {**forest.attributes(), **forest.votes("class", [0, 1])}
    row = {"coefficients": [0.5, -1.0, 2.0], "intercepts": [0.3]}
    vector = {"coefficients": [0.5, -1.0, 2.0], "rho": [0.3], "kernel_params": [0.0] * 3}
    pair = {"vectors_per_class": [1, 1], "support_vectors": [0.5, 1.0, -1.0, 2.0, 0.1, 0.3], "rho": [0.2]}
    pair |= {"coefficients": [0.7, -0.4], "kernel_params": [0.0] * 3, "classlabels_ints": [3, 5]}
    chances = {"prob_a": [-1.3], "prob_b": [0.2]}
    found = [
        single("ml_kept_tree", "TreeEnsembleRegressor", [x], ML, n_targets=1, post_transform="LOGISTIC", **single_score),
        single("ml_kept_classes", "TreeEnsembleClassifier", [x], ML, 2, classlabels_int64s=[3, 5], **one_class),
        single("ml_kept_svm", "SVMRegressor", [np.nan_to_num(x)], ML, post_transform="LOGISTIC", **vector),
        single("ml_kept_chances", "SVMClassifier", [np.nan_to_num(x)], ML, 2, **pair, **chances),
        single("ml_kept_linear", "LinearRegressor", [x], ML, post_transform="SOFTMAX", **row),
    ]
    return [replace(case, kept=True) for case in found]
