"""Attributes of ai.onnx.ml that are left out or differ from their defaults, and trees in the form of version 5."""

from dataclasses import replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

from operator_cases import Case, single
from operators_ml import ML, Forest, at, grid, texts


def cases() -> list[Case]:
    rng = np.random.default_rng(29)
    return [*features(rng), *categories(), *linear(rng), *machines(rng), *old_trees(rng), *new_trees(rng)]


def left_out(name: str, op: str, operands: list, opsets: dict, given: dict, outputs: int = 1, **attributes) -> Case:
    """Against the same with the attributes that are left out, which ONNX Runtime asks for."""
    case = single(name, op, operands, opsets, outputs, **attributes)
    return replace(case, reference=single(name, op, operands, opsets, outputs, **attributes, **given).model)


def floats(rng, *shape) -> np.ndarray:
    return rng.normal(0, 1, shape).astype(np.float32)


def features(rng) -> list[Case]:
    x = floats(rng, 4, 3)
    x[1, 2] = 0
    whole = np.array([[3, 0, -1], [0, 2, 5]])
    return [
        single("ml_binarizer_usual", "Binarizer", [x], ML),
        single("ml_normalizer_usual", "Normalizer", [np.abs(x)], ML),
        left_out("ml_scaler_scale", "Scaler", [x], ML, {"offset": [0.0] * 3}, scale=[0.5, 2.0, -1.5]),
        left_out("ml_scaler_offset", "Scaler", [x], ML, {"scale": [1.0] * 3}, offset=[0.5, 2.0, -1.5]),
        left_out("ml_vectorizer_usual", "FeatureVectorizer", [x, x * 2], ML, {"inputdimensions": [3, 3]}),
        single("ml_imputer_usual", "Imputer", [x], ML, imputed_value_floats=[7.0, 8.0, 9.0]),
        single("ml_imputer_int_usual", "Imputer", [whole], ML, imputed_value_int64s=[7, 8, 9]),
    ]


def categories() -> list[Case]:
    words, numbers = texts("b", "a", "zz", "c"), np.array([[3, 5], [4, -1]], np.int64)
    both = {"cats_strings": ["a", "b", "c"], "cats_int64s": [4, 5, 6]}
    return [
        single("ml_category_text_other", "CategoryMapper", [words], ML, default_int64=77, **both),
        single("ml_category_int_other", "CategoryMapper", [numbers], ML, default_string="none", **both),
        single("ml_label_1_text_usual", "LabelEncoder", [words], ML, classes_strings=["a", "b"]),
        single("ml_label_1_int_usual", "LabelEncoder", [numbers], ML, classes_strings=["a", "b", "c", "d"]),
        single("ml_label_text_text", "LabelEncoder", [words], at(2), keys_strings=["a"], values_strings=["x"], default_string="?"),
        single("ml_label_text_usual", "LabelEncoder", [words], at(2), keys_strings=["a"], values_strings=["x"]),
        single("ml_label_int_other", "LabelEncoder", [words], at(2), keys_strings=["a"], values_int64s=[5], default_int64=6),
        single("ml_label_int_usual", "LabelEncoder", [words], at(2), keys_strings=["a"], values_int64s=[5]),
        single("ml_label_float_usual", "LabelEncoder", [words], at(2), keys_strings=["a"], values_floats=[5.5]),
        single("ml_one_hot_all_known", "OneHotEncoder", [numbers], ML, cats_int64s=[5, 4, 3, -1], zeros=0),
        single("ml_one_hot_usual", "OneHotEncoder", [numbers], ML, cats_int64s=[5, 4, 3]),
    ]


def linear(rng) -> list[Case]:
    x = floats(rng, 5, 4)
    row = floats(rng, 4).tolist()
    return [
        single("ml_linear_usual", "LinearRegressor", [x], ML, coefficients=row),
        single("ml_linear_two", "LinearRegressor", [x], ML, coefficients=row * 2, targets=2, post_transform="LOGISTIC"),
        left_out(
            "ml_classifier_usual",
            "LinearClassifier",
            [x],
            ML,
            {"intercepts": [0.0]},
            2,
            coefficients=row,
            classlabels_ints=[3, 5],
        ),
    ]


def machines(rng) -> list[Case]:
    x, found = floats(rng, 6, 4), []
    vectors = {"support_vectors": floats(rng, 20).tolist()}
    plain = {"kernel_params": [0.0] * 3}
    single_score = {"n_supports": 5, "coefficients": floats(rng, 5).tolist(), **vectors}
    found += [
        left_out("ml_svm_usual", "SVMRegressor", [x], ML, plain, rho=[0.3], **single_score),
        single("ml_svm_polynomial", "SVMRegressor", [x], ML, rho=[-0.3], kernel_type="POLY", kernel_params=[0.3, 0.5, 2.0], **single_score),
    ]
    classes = {"vectors_per_class": [2, 3], "coefficients": floats(rng, 5).tolist(), "rho": [0.2], **vectors}
    labels = {"classlabels_ints": [4, 2]}
    found.append(left_out("ml_svm_classifier_usual", "SVMClassifier", [x], ML, plain, 2, **classes, **labels))
    for name, options in (
        ("linear", {"kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 0.0]}),
        ("sigmoid", {"kernel_type": "SIGMOID", "kernel_params": [0.2, 0.1, 0.0]}),
        ("polynomial", {"kernel_type": "POLY", "kernel_params": [0.3, 0.5, 3.0]}),
    ):
        found.append(single(f"ml_svm_classifier_{name}", "SVMClassifier", [x], ML, 2, **classes, **labels, **options))
    return found


def old_trees(rng) -> list[Case]:
    x, found = grid(rng, 30, 3), []
    for name, change in (("usual", ()), ("hits", ("nodes_hitrates",)), ("no_missing", ("nodes_missing_value_tracks_true",))):
        forest = Forest(rng, 3, 3, 3)
        columns = forest.attributes()
        for key in change:
            if key in columns:
                del columns[key]
            else:
                columns[key] = rng.uniform(0, 9, len(columns["nodes_treeids"])).tolist()
        votes = forest.votes("target", [0])
        one = {"n_targets": 1}
        found.append(left_out(f"ml_tree_regressor_{name}", "TreeEnsembleRegressor", [x], ML, one, **columns, **votes))
        for labels in ({"classlabels_strings": ["a", "b", "c"]}, {"classlabels_int64s": [7, 3, 5]}):
            votes = forest.votes("class", [0, 1, 2])
            name_of = f"ml_tree_classifier_{name}_{next(iter(labels))}"
            found.append(single(name_of, "TreeEnsembleClassifier", [x], ML, 2, **columns, **votes, **labels))
    forest = Forest(rng, 3, 3, 3)
    columns = {**forest.attributes(), **forest.votes("target", [0, 1])}
    doubles = {"base_values_as_tensor": numpy_helper.from_array(np.array([0.5, -1.25]))}
    for name in ("nodes_values", "target_weights"):
        doubles[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(columns.pop(name), np.float64))
    doubles["nodes_hitrates_as_tensor"] = numpy_helper.from_array(np.ones(len(columns["nodes_treeids"])))
    x = grid(rng, 20, 3, np.float64)
    found.append(single("ml_tree_regressor_doubles", "TreeEnsembleRegressor", [x], at(3), n_targets=2, **columns, **doubles))
    columns = {**forest.attributes(), **forest.votes("class", [0, 1, 2])}
    doubles["base_values_as_tensor"] = numpy_helper.from_array(np.array([0.5, -1.25, 0.75]))
    for name in ("nodes_values", "class_weights"):
        doubles[f"{name}_as_tensor"] = numpy_helper.from_array(np.array(columns.pop(name), np.float64))
    del doubles["target_weights_as_tensor"]
    labels = {"classlabels_int64s": [7, 3, 5]}
    found.append(single("ml_tree_classifier_doubles", "TreeEnsembleClassifier", [x], at(3), 2, **columns, **doubles, **labels))
    del doubles["nodes_hitrates_as_tensor"]
    found.append(single("ml_tree_classifier_no_hits", "TreeEnsembleClassifier", [x], at(3), 2, **columns, **doubles, **labels))
    return found


def new_trees(rng) -> list[Case]:
    """Two trees: 0 (1 (leaf 0, leaf 1), leaf 2) and 2 (leaf 3, 3 (leaf 4, leaf 5))."""
    nodes = {
        "tree_roots": [0, 2],
        "nodes_featureids": [0, 1, 2, 0],
        "nodes_truenodeids": [1, 0, 3, 4],
        "nodes_trueleafs": [0, 1, 1, 1],
        "nodes_falsenodeids": [2, 1, 3, 5],
        "nodes_falseleafs": [1, 1, 0, 1],
    }
    found = []
    for dtype in (np.float32, np.float64):
        x = grid(rng, 40, 3, dtype)
        splits, weights = np.array([0.5, -1, 0, 1.5], dtype), rng.normal(0, 1, 6).astype(dtype)
        tensors = {"nodes_splits": splits, "leaf_weights": weights, "nodes_modes": np.array([0, 1, 3, 2], np.uint8)}
        # ONNX asks for hit rates in f32, which ONNX Runtime does not take with f64.
        hits = {"nodes_hitrates": numpy_helper.from_array(np.ones(4, dtype))} if dtype == np.float32 else {}
        tensors = {key: numpy_helper.from_array(value) for key, value in tensors.items()}
        for name, options in (
            ("usual", {}),
            ("average", {"aggregate_function": 0, "n_targets": 2}),
            ("least", {"aggregate_function": 2, "nodes_missing_value_tracks_true": [1, 0, 1, 0]}),
            ("most", {"aggregate_function": 3, **hits}),
        ):
            targets = [0, 1, 0, 1, 0, 1] if options.get("n_targets") == 2 else [0] * 6
            tag = f"ml_trees_{name}_{np.dtype(dtype).name}"
            columns = {"leaf_targetids": targets, **nodes, **tensors, **options}
            given = {} if "n_targets" in columns else {"n_targets": 1}
            found.append(left_out(tag, "TreeEnsemble", [x], at(5), given, **columns))
        for word, name in ((1, "Softmax"), (2, "Sigmoid")):
            columns = {"leaf_targetids": [0, 1, 0, 1, 0, 1], "n_targets": 2, **nodes, **tensors}
            tag = f"ml_trees_{name.lower()}_{np.dtype(dtype).name}"
            case = single(tag, "TreeEnsemble", [x], at(5), post_transform=word, **columns)
            found.append(replace(case, reference=followed(single(tag, "TreeEnsemble", [x], at(5), **columns).model, name)))
    return found


def followed(model: onnx.ModelProto, op: str) -> onnx.ModelProto:
    """ONNX Runtime takes the numbers of the two transforms the other way round."""
    model.graph.node[0].output[0] = "scores"
    model.graph.node.append(helper.make_node(op, ["scores"], ["y0"]))
    return model
