"""Models that are well-formed and meant to do harm: every command answers, soon, with little memory and in words."""

import json
import resource
import subprocess

import numpy as np
import onnx
import pytest

import bad_models
import hostile_models
import remodel

PROGRAM = str(remodel.PROGRAM.resolve())
SECONDS = 5  # of processor time, of one command
MEMORY = 4 << 30  # more than a second can fill

# What converting says, as a refusal or as the reason why the result was not run. None: it is harmless in spite of its
# looks, so it is converted.
WORDS = {
    "average_pool_with_a_huge_window": "a window of",
    "blackman_window": "of memory would be needed",
    "branches_nested_too_deeply": "more than 100 nested messages",
    "complex_from_integers": "stand in a field of integers",
    "constant_of_negative_shape": "negative",
    "constant_of_shape": "of memory would be needed",
    "constant_without_bytes": "is too large",
    "convolution_that_takes_years": "multiply-adds would take longer",
    "depth_to_space_with_a_huge_block": "blocks of size",
    "dilations_beyond_64_bits": "a dilation of",
    "einsum_of_everything": "multiply-adds would take longer",
    "endless_loop": "the loop never ends",
    "expand": "of memory would be needed",
    "expand_beyond_64_bits": "is too large",
    "expression_that_backtracks": None,
    "expression_that_grows": "no regular expression",
    "eye": "is too large",
    "fourier_transform": "of memory would be needed",
    "functions_in_a_circle": "the function calls itself",
    "functions_that_double": "call one another so often",
    "functions_with_deep_branches": "nested too deeply",
    "hash_of_sizes": None,
    "huge_input": "is too large",
    "long_chain": None,
    "long_chain_backwards": None,
    "long_chain_of_casts": None,
    "long_chain_of_constants": None,
    "long_cycle": "(a cycle)",
    "loop_of_very_many_steps": "the loop never ends",
    "loop_that_doubles": "'the_Loop'",
    "loop_while_something_grows": "it takes longer than 1 s",
    "loops_in_loops": "it takes longer than 1 s",
    "lrn_with_a_huge_size": None,
    "many_axes": None,
    "many_functions": None,
    "many_inputs": None,
    "many_large_values": "not run",
    "many_outputs": None,
    "matrices_that_take_years": "multiply-adds would take longer",
    "mel_weights": "is too large",
    "multinomial": "of memory would be needed",
    "names_of_odd_bytes": None,
    "nested_branches": "more than 100 nested messages",
    "odd_names": "the operator is unknown",
    "one_hot": "of memory would be needed",
    "outer_product": "not run",
    "pad": "is too large",
    "pad_both_ends_beyond_64_bits": "does not fit in 64 bits",
    "pad_by_reflection": "too long to be written down",
    "pool_with_a_huge_window": None,
    "random_numbers": "of memory would be needed",
    "range_in_tiny_steps": "a range of",
    "range_of_constants": "is too large",
    "range_of_nan": "a range of nan numbers",
    "reshape_beyond_64_bits": "does not fit in 64 bits",
    "resize_by_scales": "scaled by",
    "resize_to_sizes": "of memory would be needed",
    "roi_align_with_many_samples": "samples",
    "sizes_of_many_halves": None,
    "sizes_of_many_inputs": None,
    "sizes_that_square_themselves": "negative size",
    "sparse_huge_shape": "is too large for 2 values",
    "sparse_index_outside": "is outside the shape",
    "sparse_missing_indices": "2 values need 2 indices",
    "sparse_negative_index": "is outside the shape",
    "sparse_negative_shape": "negative size",
    "sparse_shape_beyond_64_bits": "is too large",
    "sparse_strings": "strings cannot be sparse",
    "split_into_many": None,
    "strings_that_are_missing": "has 1 elements",
    "tile": "of memory would be needed",
    "tile_beyond_64_bits": "does not fit in 64 bits",
    "tile_negative": "negative",
    "top_k": "the top 4611686018427387904",
    "transposed_convolution_with_huge_strides": "a stride of",
    "wide_node": None,
}


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def call(folder, *arguments):
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, preexec_fn=limit
    )
    assert done.returncode >= 0, f"{arguments[0]}: ended by signal {-done.returncode}"
    return done


@pytest.mark.parametrize("name", sorted(hostile_models.ALL))
def test_model_of_ill_will(name, tmp_path):
    (tmp_path / "in.onnx").write_bytes(hostile_models.ALL[name]())
    inspected = call(tmp_path, "inspect", "in.onnx")
    assert inspected.returncode in (0, 1), inspected.stderr
    converted = call(tmp_path, "in.onnx", "out.onnx", "--json", "--time-limit", "1")
    report = json.loads(converted.stdout)
    assert converted.returncode in (0, 1), report["errors"]
    if converted.returncode == 1:
        said = " ".join(report["errors"])
        assert WORDS[name].encode() in inspected.stderr + inspected.stdout
        assert not (tmp_path / "out.onnx").exists()
    else:
        said = " ".join(f"{output['verdict']}: {output.get('reason', '')}" for output in report["check"]["outputs"])
        onnx.checker.check_model(str(tmp_path / "out.onnx"))
    assert report["peak_memory"] < MEMORY
    if WORDS[name]:
        assert WORDS[name] in said, said
    else:
        assert converted.returncode == 0 and report["check"]["status"] != "failed", said


def test_every_model_has_its_words():
    assert set(WORDS) == set(hostile_models.ALL)


def test_run_ends_when_its_time_is_up(tmp_path):
    (tmp_path / "in.onnx").write_bytes(hostile_models.loop_while_something_grows())
    np.savez(tmp_path / "in.npz", x=np.float32(1))
    done = call(tmp_path, "run", "in.onnx", "in.npz", "out.npz", "--time-limit", "1")
    assert done.returncode == 4
    assert b"it takes longer than 1 s (allow more with --time-limit)" in done.stderr
    assert not (tmp_path / "out.npz").exists()


def test_run_refuses_what_no_memory_could_hold(tmp_path):
    (tmp_path / "in.onnx").write_bytes(hostile_models.expand())
    np.savez(tmp_path / "in.npz", x=np.ones((2, 3), np.float32))
    done = call(tmp_path, "run", "in.onnx", "in.npz", "out.npz")
    assert done.returncode == 4 and b"26.4 TB of memory would be needed" in done.stderr


def test_names_cannot_play_with_the_terminal(tmp_path):
    (tmp_path / "in.onnx").write_bytes(hostile_models.odd_names())
    said = call(tmp_path, "in.onnx", "out.onnx").stderr
    assert b"'evil\\x1b[2J\\x1b]0;owned\\x07\\x0aerror: for\\xffed line 'x''" in said
    assert said.count(b"\n") == 1


@pytest.mark.parametrize("way", ["through a link", "through a linked folder", "a folder", "two dots behind a link"])
def test_external_data_that_leaves_the_folder(tmp_path, way):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir(), inside.mkdir()
    (outside / "secret.bin").write_bytes(bytes(64))
    location = {"through a link": "w.bin", "through a linked folder": "sub/secret.bin", "a folder": "sub", "two dots behind a link": "sub/../outside/secret.bin"}[way]
    if way == "through a link":
        (inside / "w.bin").symlink_to("../outside/secret.bin")
    elif way == "a folder":
        (inside / "sub").mkdir()
    else:
        (inside / "sub").symlink_to(outside)
    (inside / "in.onnx").write_bytes(external_model(location))
    done = call(inside, "in.onnx", "out.onnx")
    assert done.returncode == 1, done.stderr
    assert (b"is not a file" if way == "a folder" else b"leaves the model's folder through a symbolic link") in done.stderr


@pytest.mark.parametrize(
    "entries",
    [
        {"offset": "18446744073709551615", "length": "64"},
        {"offset": "64", "length": "18446744073709551615"},
        {"offset": "18446744073709551600", "length": "32"},
        {"offset": "-64", "length": "64"},
        {"offset": "99999999999999999999999", "length": "64"},
        {"offset": "64"},
        {"length": "63"},
    ],
    ids=str,
)
def test_external_data_of_impossible_places(tmp_path, entries):
    (tmp_path / "w.bin").write_bytes(bytes(64))
    (tmp_path / "in.onnx").write_bytes(external_model("w.bin", **entries))
    done = call(tmp_path, "in.onnx", "out.onnx")
    assert done.returncode == 1 and done.stderr.startswith(b"error: in.onnx: tensor 'w': "), done.stderr


def external_model(location, **entries):
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4, 4], data_location=onnx.TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    nodes = [onnx.helper.make_node("Add", ["x", "w"], ["y"], name="sum")]
    return bad_models.build(nodes, [bad_models.info("x", [4, 4])], [bad_models.info("y", [4, 4])], [tensor])
