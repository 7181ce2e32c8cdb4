#!/bin/sh
# Installs what is missing for a task: scripts/setup.sh build|test|evidence|format
# Debian packages come from apt (through sudo where needed), Python packages into .venv and .venv-evidence.
set -eu
cd "$(dirname "$0")/.."

build_packages="cmake g++ libcli11-dev libflatbuffers-dev libfmt-dev libgtest-dev libprotozero-dev libre2-dev ninja-build nlohmann-json3-dev zlib1g-dev"
test_packages="$build_packages clang-format python3-venv qemu-user"
evidence_packages="$test_packages clang libclang-rt-14-dev"
python=${PYTHON:-/usr/bin/python3}

install_packages() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    echo "installing$missing" >&2
    if [ "$(id -u)" = 0 ]; then root=; else root=sudo; fi
    $root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing >&2
}

# An environment remembers the requirements that it was made from.
install_venv() {
    venv=$1 wanted=$(cat tests/oracle/requirements.txt ${2:-})
    [ "$(cat "$venv/requirements" 2>/dev/null)" = "$wanted" ] && return
    echo "making $venv" >&2
    "$python" -m venv --clear "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r "${2:-tests/oracle/requirements.txt}"
    echo "$wanted" > "$venv/requirements"
}

case ${1:-build} in
    build) install_packages $build_packages ;;
    format) install_packages clang-format ;;
    test)
        install_packages $test_packages
        install_venv .venv
        ;;
    evidence)
        install_packages $evidence_packages
        install_venv .venv-evidence tests/oracle/requirements-evidence.txt
        ;;
    *)
        echo "usage: scripts/setup.sh build|test|evidence|format" >&2
        exit 2
        ;;
esac
