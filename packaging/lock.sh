#!/bin/sh
# Write requirements.lock and requirements-dev.lock: what a fresh environment gets from the pins.
# Run it after changing requirements*.txt, look at the difference, commit it with its reason.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

lock() { # <requirements> <lock>
    "${PYTHON:-python3}" -m venv "$work/$2"
    "$work/$2/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1"
    {
        echo "# Made by packaging/lock.sh from $1: do not edit by hand."
        "$work/$2/bin/python" -m pip freeze --disable-pip-version-check --all |
            grep -v -i -E '^(pip|setuptools|wheel)==' | sort -f | sed \
                -e 's/^\(SecretStorage==.*\)$/\1 ; sys_platform == "linux"/' \
                -e 's/^\(jeepney==.*\)$/\1 ; sys_platform == "linux"/' \
                -e 's/^\(uvloop==.*\)$/\1 ; sys_platform != "win32"/'
        echo 'colorama==0.4.6 ; sys_platform == "win32"'
        echo 'pywin32-ctypes==0.2.3 ; sys_platform == "win32"'
    } >"$2"
}

lock requirements.txt requirements.lock
lock requirements-dev.txt requirements-dev.lock
