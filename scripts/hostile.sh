#!/bin/sh
# Hostile input, in full, under AddressSanitizer and UndefinedBehaviorSanitizer: the C++ tests, damaged copies of every
# seed and of every model of the onnx wheel, and the models and mishaps of tests/oracle. With clang++ and a number of
# seconds, each fuzzer as well, for so long:
#
#   scripts/hostile.sh [COPIES [SECONDS]]      damaged copies of each kind for a file (25), seconds for a fuzzer (0)
set -eu
cd "$(dirname "$0")/.."
copies=${1:-25}
seconds=${2:-0}
targets="protobuf npy npz json jobs ir_text onnx tflite"

echo "-- build"
cmake --preset asan >/dev/null
cmake --build --preset asan | tail -1
ctest --preset asan | tail -3

python=.venv/bin/python
[ -x "$python" ] || python=.venv-evidence/bin/python
models=$($python -c 'import onnx, os; print(os.path.join(os.path.dirname(onnx.__file__), "backend/test/data"))')
list=build-asan/models.txt
find "$models" -name '*.onnx' | sort >"$list"

failed=0
for target in $targets; do
  echo "-- damaged seeds: $target"
  build-asan/fuzz_$target --copies 1000 tests/fuzz/corpus/$target || failed=1
done
echo "-- damaged models: $(wc -l <"$list") files"
half() { xargs -a "$list" build-asan/fuzz_onnx --copies "$copies" --shard "$1"/2; }
half 0 & first=$!
half 1 || failed=1
wait $first || failed=1

echo "-- ill-meant models, and what goes wrong in the middle"
REMODEL=build/remodel $python -m pytest -n 2 tests/oracle/test_hostile.py tests/oracle/test_failures.py || failed=1

if [ "$seconds" -gt 0 ]; then
  cmake --preset fuzz >/dev/null
  cmake --build --preset fuzz | tail -1
  for target in $targets; do
    echo "-- fuzzer: $target, $seconds s"
    found=build-fuzz/found/$target
    mkdir -p "$found"
    build-fuzz/fuzz_$target -max_total_time="$seconds" -max_len=65536 -timeout=5 -rss_limit_mb=2048 \
      -artifact_prefix="$found/crash-" -verbosity=0 -print_final_stats=1 "$found" tests/fuzz/corpus/$target || failed=1
  done
fi
exit $failed
