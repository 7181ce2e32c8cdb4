#!/bin/sh
# A clean Release build on two cores and rebuilds after a change to one op and to one row, without ccache: seconds that
# passed, and seconds of processor time, which a busy machine changes less.
set -eu
cd "$(dirname "$0")/.."
export CCACHE_DISABLE=1

# The line for one command: what it is, how long it took.
report() {
    what=$1
    shift
    start=$(date +%s.%N)
    spent=$("$@" > /dev/null && times)
    end=$(date +%s.%N)
    echo "$spent" | awk -v what="$what" -v start="$start" -v end="$end" '
        function seconds(text, parts) { split(text, parts, "[ms]"); return 60 * parts[1] + parts[2] }
        END { printf "%-52s %6.1f s, cpu %6.1f s\n", what, end - start, seconds($1) + seconds($2) }'
}

rebuild() {
    touch "$1"
    report "after a change of $1" ninja -C build-times -j 2 remodel
}

rm -rf build-times
cmake --preset release -B build-times > /dev/null
report "clean build, two jobs" ninja -C build-times -j 2 remodel
for file in ${*:-$(ls src/ops/*.h src/formats/onnx/rows/*.cpp | shuf -n 4 --random-source=/dev/zero)}; do
    rebuild "$file"
done
