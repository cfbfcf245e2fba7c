#!/usr/bin/env bash
# Makes the virtual environment of `make tensorrt`. Usage: prepare_tensorrt.sh PYTHON VENV
# The robot's test environment, NVIDIA's builder in it, and the bindings of other versions as files in VENV/bindings.
set -euo pipefail
python=$1 venv=$2
here=$(dirname "$0")

say() { printf '%s\n' "$*" >&2; }

bash "$here/prepare.sh" "$python" "$venv" "$here/robot-test.txt"
say "installing NVIDIA's builder (230 MB) into $venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$here/tensorrt.txt"
mkdir -p "$venv/bindings"
grep -v '^#' "$here/tensorrt-bindings.txt" | while read -r pin; do
    # They want exclusive libraries of one version each: one at a time, without them.
    "$venv/bin/python" -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$venv/bindings" "$pin" >&2 ||
        say "not to be had here: $pin; its test is skipped"
done
