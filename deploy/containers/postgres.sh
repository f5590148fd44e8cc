#!/bin/sh
# The database's entry point: make the cluster once, become the server.
set -eu
: "${POSTGRES_PASSWORD:?is the password of the superuser jejak}"
data=/var/lib/postgresql/data
programs=$(echo /usr/lib/postgresql/*/bin)

if [ ! -f "$data/PG_VERSION" ]; then
    umask 077
    echo "$POSTGRES_PASSWORD" >"$HOME/password"
    "$programs/initdb" --pgdata "$data" --username jejak --pwfile "$HOME/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C
    rm "$HOME/password"
    # Clients come through the engine's proxy, so from an address that is not this container's own.
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
fi
unset POSTGRES_PASSWORD
exec "$programs/postgres" -D "$data" -c listen_addresses='*' \
    -c fsync=on -c synchronous_commit=on -c full_page_writes=on
