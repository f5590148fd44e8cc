# Read by the other scripts: where our own engine lives. Nothing here touches another engine.
ENGINE_HOME="${JEJAK_ENGINE_HOME:-/var/lib/jejak-engine}"
ENGINE_RUN="${JEJAK_ENGINE_RUN:-/run/jejak-engine}"
ENGINE_SOCKET="$ENGINE_RUN/docker.sock"
ENGINE_PID="$ENGINE_RUN/docker.pid"
PACKAGES="docker.io debootstrap"

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

need() {
    command -v "$1" >/dev/null || fail "$1 is missing. On Debian: apt-get install $2"
}

need_root() {
    [ "$(id -u)" = 0 ] || fail "Setting up containers needs root."
}
