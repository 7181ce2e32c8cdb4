# A thin front of CMakePresets.json. `make demo` and `make test` are all that a bare Debian 12 needs.
.PHONY: demo build test sanitize sanitize-wire evidence bench format check-format clean

SOURCES = $(shell git ls-files '*.cpp' '*.h')

demo: build
	build/remodel demo/shapes.onnx build/shapes.tflite
	build/remodel build/shapes.tflite build/shapes.onnx
	build/remodel score demo/shapes.onnx demo/shapes.npz
	build/remodel score build/shapes.tflite demo/shapes.npz
	build/remodel score build/shapes.onnx demo/shapes.npz

build:
	scripts/setup.sh build
	cmake --preset release
	cmake --build --preset release --target remodel

test:
	scripts/setup.sh test
	$(MAKE) check-format build
	cmake --build --preset release
	ctest --preset release
	$(MAKE) sanitize-wire
	.venv/bin/python -m pytest -n 2

# The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize:
	scripts/setup.sh build
	cmake --preset asan
	cmake --build --preset asan
	ctest --preset asan

# What of it has to do with bytes alone, the parsers of files: quick enough for every run of the tests.
sanitize-wire:
	cmake --preset asan
	cmake --build --preset asan --target remodel_wire_tests fuzz_wire
	ctest --preset asan -L wire

# Every number of docs/evidence.md, or those of one list item: make evidence LIST=2
evidence: build
	scripts/setup.sh evidence
	cmake --build --preset release --target remodel_layout
	.venv-evidence/bin/python tests/oracle/evidence.py $(LIST)

# Speed and memory beside `cp` and the peers.
bench: build
	scripts/setup.sh evidence
	.venv-evidence/bin/python bench/bench.py

format:
	scripts/setup.sh format
	clang-format -i $(SOURCES)

check-format:
	clang-format --dry-run -Werror $(SOURCES)

clean:
	rm -rf build build-debug build-asan build-fuzz build-times
