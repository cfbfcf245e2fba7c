#!/usr/bin/env bash
# Makes the virtual environment with pinned, hashed packages. Usage: prepare.sh PYTHON VENV REQUIREMENTS [DEBIAN_PACKAGE ...]
# Missing Debian packages are installed when we are root, else named.
set -euo pipefail
python=$1 venv=$2 requirements=$3
shift 3

say() { printf '%s\n' "$*" >&2; }

install_debian() {
    say "installing Debian packages: $*"
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

need_debian() { # PACKAGE ... : install them, or say how and stop
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        install_debian "$@"
    else
        say "missing: $*"
        say "  -> run: sudo apt-get install $*"
        return 1
    fi
}

if [ -z "$python" ]; then
    need_debian python3 python3-venv
    python=python3
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    need_debian python3-venv
fi
for package in "$@"; do
    # Tests that lack a program skip and say so, so a user without root is told and goes on.
    case $package in
        openssh-server) [ -x /usr/sbin/sshd ] || need_debian "$package" || true ;;
        openssh-client) command -v ssh-keygen >/dev/null || need_debian "$package" || true ;;
    esac
done

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
say "installing pinned packages into $venv ($requirements); the first time takes a minute or two"
log="$venv/install.log"
if ! { "$venv/bin/python" -m pip install --disable-pip-version-check --require-hashes -r "$requirements" &&
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    say "the packages could not be installed"
    say "  -> read $log; is a package index reachable?"
    exit 1
fi
