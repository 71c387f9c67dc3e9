# Shared by the scripts in etc/. Sourced with the working directory at the top of the tree.

# Tests must not be led astray by a proxy or a home directory of the machine they run on.
export HOME="${HOME:-/root}"
export LC_ALL=C.UTF-8
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
JOBS="${JOBS:-2}"

say() {
    printf '%s\n' "$*"
}

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# show_help "$@": for -h or --help, what stands at the top of the script, and no more
show_help() {
    case "${1:-}" in
    -h | --help)
        sed -n '2,/^set /s/^# \{0,1\}//p' "etc/$(basename "$0")"
        exit
        ;;
    esac
}

# as_root COMMAND ...: needs no sudo on a machine where we are root already
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@" || fail "cannot become root without a password for: $*"
    else
        fail "needs root (or sudo) for: $*"
    fi
}

# quietly LOG COMMAND ...: runs it, and shows what it wrote only when it fails
quietly() {
    local log="$1"
    shift
    mkdir -p "$(dirname "$log")"
    if ! "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        fail "failed: $* (all of it in $log)"
    fi
}

# hash_of FILE ...: one hash over names and contents; an absent file counts by its name
hash_of() {
    local file
    for file in "$@"; do
        printf '%s\n' "$file"
        cat "$file" 2>/dev/null || true
    done | sha256sum | cut -d' ' -f1
}
