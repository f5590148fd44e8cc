#!/bin/sh
# The broker's entry point: fill in the settings, format the storage once, become the broker.
set -eu
: "${KAFKA_ADVERTISED:?names the host and port that clients use, as in 127.0.0.1:29092}"
home=/var/lib/kafka
sed -e "s|@LISTEN@|0.0.0.0:9092|" -e "s|@ADVERTISED@|$KAFKA_ADVERTISED|" \
    -e "s|@CONTROLLER_PORT@|9093|" -e "s|@DATA@|$home/data|" \
    /opt/kafka/server.properties >"$home/server.properties"

run() { java @/opt/kafka/jvm.args -cp '/opt/kafka/jars/*' "$@"; }

if [ ! -f "$home/data/meta.properties" ]; then
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
    run kafka.tools.StorageTool format --config "$home/server.properties" "--cluster-id=$id"
fi
exec java @/opt/kafka/jvm.args -cp '/opt/kafka/jars/*' kafka.Kafka "$home/server.properties"
