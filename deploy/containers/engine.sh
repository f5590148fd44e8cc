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
    # A number in a file may belong to another process by now, or to one that is dead and not yet
    # buried: what counts is the program it runs.
    [ -s "$ENGINE_PID" ] || return 1
    program=$(readlink "/proc/$(cat "$ENGINE_PID")/exe") || return 1
    [ "${program##*/}" = dockerd ]
}

forget_dead_containerd() {
    # A killed engine leaves the number of its containerd; if that is dead, the next would wait
    # for it in vain. A living one is taken over, with the containers it holds.
    left="$ENGINE_RUN/exec/containerd/containerd.pid"
    [ -s "$left" ] || return 0
    case "$(readlink "/proc/$(cat "$left")/exe")" in
        */containerd) ;;
        *) rm "$left" ;;
    esac
}

clean() {
    # A killed engine left containers and mounts: another start and stop ends them in order.
    if [ -d "$ENGINE_HOME/data" ]; then start >/dev/null; fi
    stop
    awk -v a="$ENGINE_HOME/" -v b="$ENGINE_RUN/" \
        'index($2, a) == 1 || index($2, b) == 1 { print $2 }' /proc/mounts | sort -r |
        while read -r mount; do umount "$mount"; done
    rm -rf "$ENGINE_HOME" "$ENGINE_RUN"
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
        forget_dead_containerd
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
    install | start | stop | clean) "$1" ;;
    *) fail "usage: engine.sh install|start|stop|clean" ;;
esac
