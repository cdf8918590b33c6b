#!/bin/sh
# What has to come from the operating system: Python, a compiler for the two
# packages that are built here, git, and the libraries that Qt opens a window with.
#
# Looks for the things themselves and not for packages, whose names change from
# release to release. Installs what is missing on Debian and its children when run
# as root; anywhere else it prints the one command that does, and stops.
set -eu

PYTHON=${PYTHON:-python3}
PATH=$PATH:/usr/sbin:/sbin # where Debian keeps ldconfig from ordinary users

# What is looked for, and the package that has it in Debian, in Fedora and in Arch.
# The libraries are those that Qt's core, its xcb and its Wayland plug-in link to;
# what these packages bring along themselves is left out.
needs='
python                        -                   -                    -
command:git                   git                 git                  git
command:c++                   build-essential     gcc-c++              base-devel
library:libEGL.so.1           libegl1             libglvnd-egl         libglvnd
library:libGL.so.1            libgl1              libglvnd-glx         libglvnd
library:libdbus-1.so.3        libdbus-1-3         dbus-libs            dbus
library:libfontconfig.so.1    libfontconfig1      fontconfig           fontconfig
library:libglib-2.0.so.0      libglib2.0-0        glib2                glib2
library:libxkbcommon-x11.so.0 libxkbcommon-x11-0  libxkbcommon-x11     libxkbcommon-x11
library:libxcb-cursor.so.0    libxcb-cursor0      xcb-util-cursor      xcb-util-cursor
library:libxcb-icccm.so.4     libxcb-icccm4       xcb-util-wm          xcb-util-wm
library:libxcb-keysyms.so.1   libxcb-keysyms1     xcb-util-keysyms     xcb-util-keysyms
library:libxcb-shape.so.0     libxcb-shape0       libxcb               libxcb
library:libwayland-cursor.so.0 libwayland-cursor0 libwayland-cursor    wayland
fonts                         fonts-dejavu-core   dejavu-sans-fonts    ttf-dejavu
'

# Python with what Debian splits off it: venv's pip, and the headers.
python_is_whole() {
    "$PYTHON" -c '
import ensurepip, os, sysconfig, venv
os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null
}

present() {
    case $1 in
    python) python_is_whole ;;
    command:*) command -v "${1#*:}" >/dev/null ;;
    library:*) ldconfig -p | grep -q "${1#*:} " ;;
    fonts)
        find -L /usr/share/fonts /usr/local/share/fonts "${XDG_DATA_HOME:-$HOME/.local/share}/fonts" \
            -name '*.[ot]t[fc]' 2>/dev/null | grep -q .
        ;;
    esac
}

# Debian names these packages after the version: python3.11-venv.
debian_python() {
    name=${PYTHON##*/}
    version='import sys; print("python%d.%d" % sys.version_info[:2])'
    ! command -v "$PYTHON" >/dev/null || name=$("$PYTHON" -c "$version")
    echo "$name $name-venv $name-dev"
}

stop() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

python_is_new_enough() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || stop "\
Commonplace needs Python 3.11 or newer, and $PYTHON is $("$PYTHON" --version 2>&1).
If a newer one is installed, name it:  make run PYTHON=python3.12"
}

# Before anything else: a machine that cannot run the program is not changed.
! command -v "$PYTHON" >/dev/null || python_is_new_enough

if [ "$(uname)" = Darwin ]; then # Qt's packages for macOS bring all else along
    command -v c++ >/dev/null && python_is_whole && exit 0
    stop 'A compiler or Python is missing. Run:  xcode-select --install  and install Python 3.11 or newer.'
fi

missing=''
debian='' fedora='' arch=''
while read -r need in_debian in_fedora in_arch; do
    if [ -z "$need" ] || present "$need"; then continue; fi
    missing="$missing ${need#*:}"
    if [ "$need" = python ]; then
        missing="$missing (as $PYTHON, with venv and headers)"
        in_debian=$(debian_python) in_fedora=python3-devel in_arch=python
    fi
    debian="$debian $in_debian" fedora="$fedora $in_fedora" arch="$arch $in_arch"
done <<END
$needs
END
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null; then
    if [ "$(id -u)" != 0 ]; then
        stop "Missing:$missing. Run this once, then the same make again:
  sudo apt-get install --no-install-recommends$debian"
    fi
    echo "==> Installing from the system's packages:$debian"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of words
    { apt-get update -q && apt-get install -qy --no-install-recommends $debian; } ||
        stop 'apt-get could not install them (its reason is above). Run the same make again once it can.'
    python_is_new_enough
elif command -v dnf >/dev/null; then
    stop "Missing:$missing. Run this once, then the same make again:
  sudo dnf install$fedora"
elif command -v pacman >/dev/null; then
    stop "Missing:$missing. Run this once, then the same make again:
  sudo pacman -S --needed$arch"
else
    stop "Missing:$missing. Install what has them (in Debian:$debian), then run the same make again."
fi
