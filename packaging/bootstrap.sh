#!/bin/sh
# Prepare everything that running and testing Tongke needs: `make setup`.
#
#   B1  Safe to repeat: what is present is skipped, an unchanged checkout is done in a second.
#   B2  Without root or sudo it goes on, and says which packages to ask the administrator for.
#   B3  It changes system packages, .venv, build/ and compiled words, nothing else.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }

# Name, `|` and another name for the same thing in newer releases, then the reason.
packages() {
    cat <<'LIST'
python3                 the interpreter
python3-venv            its private environments
libvlc5                 plays the lessons
vlc-plugin-base         codecs, containers, sound and frames into memory
libvlc-bin              vlc-cache-gen: opening the player takes 13 ms with its cache, up to 1.3 s without
fonts-noto-cjk          Chinese on every screen
fonts-wqy-microhei      Chinese in printed sheets: TrueType outlines, which a PDF can embed
libatomic1              Qt: its PDF reader
libegl1                 Qt
libgl1                  Qt
libfontconfig1          Qt
libdbus-1-3             Qt
libglib2.0-0|libglib2.0-0t64  Qt
libgssapi-krb5-2        Qt
libpulse0               Qt: sound of the fallback player
libxkbcommon-x11-0      Qt in a window
libxcb-cursor0          Qt in a window
libxcb-icccm4           Qt in a window
libxcb-image0           Qt in a window
libxcb-keysyms1         Qt in a window
libxcb-randr0           Qt in a window
libxcb-render-util0     Qt in a window
libxcb-shape0           Qt in a window
libxcb-xkb1             Qt in a window
ffmpeg                  makes the demo school and test clips
espeak-ng               speaks the demo lessons
xvfb                    tests: a screen where there is none
xauth                   tests: xvfb's key
x11-xserver-utils       tests: xrandr splits the screen in two displays
xdotool                 tests: real key presses
openbox                 tests: a window manager
faketime                tests: clocks that are decades off
iproute2                tests: network namespaces for links that break
nginx-light             tests: a web server in front of what a hub publishes
exfatprogs              tests: makes a stick's file system
exfat-fuse              tests: and mounts it
dbus-daemon|dbus        tests: a bus of their own
systemd                 asks over the bus whether a link is metered (busctl)
aria2                   bench: the downloader to be compared with
LIST
}

is_installed() {
    status=$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)
    [ "$status" = installed ]
}

missing_packages() {
    packages | while read -r names _; do
        found=no
        for name in $(echo "$names" | tr '|' ' '); do
            if is_installed "$name"; then found=yes; fi
        done
        [ $found = yes ] || echo "$names"
    done
}

# The first of a package's names that this release knows.
known_name() {
    for name in $(echo "$1" | tr '|' ' '); do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    say "no package $1 here" >&2
}

install_packages() {
    command -v dpkg-query >/dev/null 2>&1 || { say "no apt here: system packages are up to you"; return 0; }
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then as_root=""
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as_root="sudo"
    else
        say "not root: please ask the administrator to install" $missing
        return 0
    fi
    say "installing system packages"
    $as_root apt-get update -q >/dev/null || say "apt-get update failed, trying with the lists at hand"
    wanted=$(for names in $missing; do known_name "$names"; done)
    [ -n "$wanted" ] || return 0
    # shellcheck disable=SC2086 - one word for each package
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $wanted \
        >build/apt.log 2>&1 || { tail -n 20 build/apt.log; say "apt-get failed, see build/apt.log"; exit 1; }
}

find_python() {
    for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3; do
        path=$(command -v "$name" 2>/dev/null) || continue
        if "$path" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null &&
            "$path" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$path"
            return
        fi
    done
}

make_environment() {
    if ! .venv/bin/python -c '' 2>/dev/null; then
        python=$(find_python)
        [ -n "$python" ] || { say "Python 3.11, 3.12 or 3.13 with venv is needed"; exit 1; }
        say "making .venv with $("$python" --version)"
        rm -rf .venv
        "$python" -m venv .venv
    fi
    say "installing locked packages into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
}

# Without its list of plugins libvlc looks into each of 400 files whenever it is opened.
make_player_cache() {
    for plugins in /usr/lib/*/vlc/plugins /usr/lib/vlc/plugins; do
        maker=$(dirname "$plugins")/vlc-cache-gen
        if [ ! -x "$maker" ] || [ "$plugins/plugins.dat" -nt "$plugins" ]; then continue; fi
        [ ! -w "$plugins" ] || "$maker" "$plugins" >/dev/null 2>&1 || say "no player cache: it opens slowly"
    done
}

# A library that is missing shows here with its name, not in class.
try_libraries() {
    for module in QtWidgets QtSvg QtPdf QtPrintSupport QtMultimedia QtNetwork; do
        QT_LOGGING_RULES="*=false" .venv/bin/python -c "import PySide6.$module" || say "PySide6.$module does not load, see above"
    done
    .venv/bin/python -c 'import vlc; vlc.libvlc_get_version()' || say "libvlc does not load, see above"
}

make_demo_school() {
    [ -f packaging/make_demo.py ] || return 0
    want=$(cat packaging/*demo*.py assets/demo/* | sha256sum)
    [ "$(cat build/demo/.made-by 2>/dev/null)" != "$want" ] || return 0
    say "making the demo school"
    if QT_QPA_PLATFORM=offscreen .venv/bin/python packaging/make_demo.py build/demo >build/demo.log 2>&1; then
        echo "$want" >build/demo/.made-by
    else
        tail -n 5 build/demo.log
        say "no demo school, see build/demo.log"
    fi
}

mkdir -p build
stamp=build/setup.stamp
want=$(cat packaging/bootstrap.sh requirements-dev.lock | sha256sum)
if [ "$(cat $stamp 2>/dev/null)" != "$want" ] || ! .venv/bin/python -c 'import PySide6, babel' 2>/dev/null; then
    rm -f $stamp
    install_packages
    make_environment
    make_player_cache
    try_libraries
    echo "$want" >$stamp
fi
.venv/bin/python packaging/compile_words.py
make_demo_school
say "ready"
