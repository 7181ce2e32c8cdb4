#!/bin/sh
# A clean Release build and a rebuild after a change to one op and to one row, without ccache, in seconds.
set -eu
cd "$(dirname "$0")/.."
export CCACHE_DISABLE=1

seconds() {
    start=$(date +%s.%N)
    "$@" > /dev/null
    date +%s.%N | awk -v start="$start" '{printf "%.1f", $1 - start}'
}

rebuild() {
    touch "$1"
    printf '%-44s %s s\n' "after a change of $1" "$(seconds ninja -C build-times -j 2 remodel)"
}

rm -rf build-times
cmake --preset release -B build-times > /dev/null
printf '%-44s %s s\n' "clean build, two jobs" "$(seconds ninja -C build-times -j 2 remodel)"
for file in ${*:-$(ls src/ops/*.h src/formats/onnx/rows/*.cpp | shuf -n 4 --random-source=/dev/zero)}; do
    rebuild "$file"
done
