#!/bin/sh
# Build jejak/base, jejak/kafka and jejak/postgres on the engine that DOCKER_HOST names (or ours).
# From Debian's packages and the broker's published jars alone: no image is pulled.
# What exists already is kept; "images.sh --fresh" builds the base image anew.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/common.sh"
root=$(CDPATH= cd -- "$here/../.." && pwd)

export DOCKER_HOST="${DOCKER_HOST:-unix://$ENGINE_SOCKET}"
# Debian's engine has only the classic builder.
export DOCKER_BUILDKIT=0
PYTHON="${PYTHON:-python3}"
need_root
KAFKA=4.4.0
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
base="jejak/base:$release"
mkdir -p "$ENGINE_HOME"
# One build at a time, and not in /tmp, where devices or programs may be forbidden.
exec 9>"$ENGINE_HOME/images.lock"
flock 9
work=$(mktemp -d "$ENGINE_HOME/build.XXXXXX")
trap 'rm -rf "$work"' EXIT

mirror() {
    # The mirror that this machine's apt uses: read here, written nowhere.
    apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' "Codename: $release" 'Component: main' | head -n 1
}

build_base() {
    need debootstrap debootstrap
    from=$(mirror)
    [ -n "$from" ] || fail "apt knows no mirror of $release; run apt-get update first."
    eval "$(apt-config shell apt_proxy Acquire::http::Proxy)"
    export http_proxy="${http_proxy:-${apt_proxy:-}}"
    if ! debootstrap --variant=minbase \
        --include=openjdk-17-jre-headless,postgresql "$release" "$work/root" "$from" \
        >"$work/debootstrap.log" 2>&1; then
        tail -n 20 "$work/debootstrap.log" >&2
        fail "debootstrap failed; above is the end of its log."
    fi
    tar --create --directory "$work/root" --exclude './dev/*' --exclude './var/cache/apt/*' \
        --exclude './var/lib/apt/lists/*' --exclude './var/lib/postgresql/*' \
        --exclude './usr/share/doc/*' --exclude './usr/share/man/*' . |
        docker import - "$base" >/dev/null
    rm -rf "$work/root"
}

build() { # NAME TAG: the folder $work/NAME is the context
    cp "$here/$1.Dockerfile" "$here/$1.sh" "$work/$1/"
    chmod -R a+rX "$work/$1"
    docker build --network none --build-arg "BASE=$base" --tag "$2" \
        --file "$work/$1/$1.Dockerfile" "$work/$1" >"$work/$1.log" 2>&1 ||
        { tail -n 20 "$work/$1.log" >&2; fail "$2 could not be built."; }
    say "built $2"
}

need docker docker.io
docker version >/dev/null 2>&1 || fail "No engine answers. Run: $here/engine.sh start"
if [ "${1:-}" = --fresh ] || ! docker image inspect "$base" >/dev/null 2>&1; then
    build_base
    say "built $base"
fi
mkdir "$work/kafka" "$work/postgres"
jars=$(cd "$root" && "$PYTHON" -m deploy.kafka install)
cp -r "$jars" "$work/kafka/jars"
cp "$root/deploy/kafka/server.properties" "$root/deploy/kafka/jvm.args" "$work/kafka/"
build kafka "jejak/kafka:$KAFKA"
build postgres jejak/postgres:debian
