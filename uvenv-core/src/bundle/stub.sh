#!/bin/sh
set -eu
size=@SIZE@
start=@START@
length=@LENGTH@
sha256=@SHA256@
fail() {
    printf 'error[%s]: %s\nhelp: %s\n' "$1" "$2" "$3" >&2
    exit 2
}
case $0 in
    */*) bundle=$0 ;;
    *) bundle=$(command -v -- "$0" || printf './%s' "$0") ;;
esac
found=$(wc -c <"$bundle") || found=0
[ "$((found))" -eq "$((size))" ] || fail damaged-bundle "\`$bundle\` is not complete" "copy it again"

# A bundle made by `cargo uvenv bundle`: an environment with its wheels, and the programs that install it.
# `sh BUNDLE run -- COMMAND`, `sh BUNDLE verify`; needs a Python, and nothing else.

# Where uvenv itself keeps things.
case ${XDG_CACHE_HOME:-} in
    /*) cache=$XDG_CACHE_HOME/uvenv ;;
    *) cache=${HOME:+$HOME/.cache/uvenv} ;;
esac
if [ -n "${UVENV_CACHE_DIR:-}" ]; then
    cache=$UVENV_CACHE_DIR
    # Beside the environment, so that files can be linked.
    export UV_CACHE_DIR="${UV_CACHE_DIR:-$cache/uv-cache}"
fi
choose="choose another directory with \`UVENV_CACHE_DIR\`"
[ -n "$cache" ] || fail bundle-io "there is no place to unpack to" "set \`HOME\` or \`UVENV_CACHE_DIR\`"
home=$cache/bundles
launcher=$home/cargo-uvenv-$sha256

has_launcher() {
    [ -x "$launcher" ] && [ "$(($(wc -c <"$launcher")))" -eq "$length" ]
}

unpack() {
    unpacked=$(mktemp "$launcher.XXXXXX") || return 1
    tail -c "+$start" <"$bundle" | head -c "$length" >"$unpacked"
    if [ "$(($(wc -c <"$unpacked")))" -ne "$length" ]; then
        rm -f "$unpacked"
        return 1
    fi
    if command -v sha256sum >/dev/null && [ "$(sha256sum <"$unpacked" | head -c 64)" != "$sha256" ]; then
        rm -f "$unpacked"
        fail damaged-bundle "\`$bundle\` was changed" "copy it again"
    fi
    chmod 755 "$unpacked" && mv -f "$unpacked" "$launcher"
}

if ! has_launcher; then
    mkdir -p -- "$home" || fail bundle-io "\`$home\` cannot be made" "$choose"
    # One of several processes does it, where there is flock.
    exec 9>"$home/launcher.lock" || fail bundle-io "\`$home\` cannot be written to" "$choose"
    if command -v flock >/dev/null; then flock 9; fi
    has_launcher || unpack || fail bundle-io "\`$launcher\` cannot be written" "$choose"
    exec 9>&-
fi
# The bundle is one profile, in its own place.
unset UV_PROJECT UV_PROJECT_ENVIRONMENT UV_NO_SYNC UVENV_PROFILE UVENV_BACKEND UVENV_VENDORED
exec "$launcher" uvenv open-bundle "$bundle" -- "$@"
