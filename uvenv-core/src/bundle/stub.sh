#!/bin/sh
# A bundle made by `cargo uvenv bundle`: an environment with its wheels, and the programs that install it.
# `sh BUNDLE run -- COMMAND`, `sh BUNDLE verify`; needs a Python, and nothing else.
set -eu
size=@SIZE@
start=@START@
length=@LENGTH@
if [ "$(wc -c <"$0")" -ne "$size" ]; then
    echo "error[damaged-bundle]: \`$0\` is not complete" >&2
    echo "help: copy it again" >&2
    exit 2
fi
home="${UVENV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/uvenv}/bundles"
launcher="$home/@LAUNCHER@"
if [ ! -x "$launcher" ]; then
    mkdir -p "$home"
    # Others may do the same at this moment.
    tail -c "+$start" "$0" | head -c "$length" >"$launcher.$$"
    chmod 755 "$launcher.$$"
    mv -f "$launcher.$$" "$launcher"
fi
exec "$launcher" uvenv open-bundle "$0" -- "$@"
