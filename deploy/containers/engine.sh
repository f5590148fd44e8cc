#!/bin/sh
# A container engine of our own, from Debian's docker.io, started by hand: no init system, no
# firewall rules, ports on 127.0.0.1 only, its data and socket apart from any other engine's.
#
#   engine.sh install   install Debian's packages (needs "apt-get update" before)
#   engine.sh start     start it unless it runs; prints the DOCKER_HOST line to eval
#   engine.sh stop      remove its containers and stop it; images stay
#   engine.sh clean     stop it and remove everything it has
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/common.sh"

answers() { docker -H "unix://$ENGINE_SOCKET" version >/dev/null 2>&1; }

running() {
    # A number in a file may belong to another process by now: look at its name too.
    [ -s "$ENGINE_PID" ] && [ "$(cat "/proc/$(cat "$ENGINE_PID")/comm" 2>/dev/null)" = dockerd ]
}

install() {
    # shellcheck disable=SC2086  # one word per package
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $PACKAGES >&2
}

start() {
    need dockerd docker.io
    need docker docker.io
    mkdir -p "$ENGINE_HOME" "$ENGINE_RUN"
    chmod 0700 "$ENGINE_HOME" "$ENGINE_RUN"
    if ! running; then
        rm -f "$ENGINE_PID"
        # Published ports go through the engine's own proxy, so no firewall rule is needed.
        setsid nohup dockerd --iptables=false --ip6tables=false --ip=127.0.0.1 \
            --data-root "$ENGINE_HOME/data" --exec-root "$ENGINE_RUN/exec" \
            --pidfile "$ENGINE_PID" --host "unix://$ENGINE_SOCKET" \
            >"$ENGINE_HOME/dockerd.log" 2>&1 </dev/null &
    fi
    tries=0
    until answers; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ]; then
            tail -n 20 "$ENGINE_HOME/dockerd.log" >&2
            fail "The engine did not answer within 60 seconds; above is the end of its log."
        fi
        sleep 0.2
    done
    echo "export DOCKER_HOST=unix://$ENGINE_SOCKET"
}

stop() {
    running || return 0
    for container in $(docker -H "unix://$ENGINE_SOCKET" ps --all --quiet); do
        docker -H "unix://$ENGINE_SOCKET" rm --force --volumes "$container" >/dev/null
    done
    kill "$(cat "$ENGINE_PID")"
    tries=0
    while running; do
        tries=$((tries + 1))
        [ "$tries" -le 150 ] || fail "The engine did not stop within 30 seconds."
        sleep 0.2
    done
}

need_root
case "${1:-}" in
    install | start | stop) "$1" ;;
    clean) stop && rm -rf "$ENGINE_HOME" "$ENGINE_RUN" ;;
    *) fail "usage: engine.sh install|start|stop|clean" ;;
esac
