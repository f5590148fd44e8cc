# Apache Kafka, one KRaft node. KAFKA_ADVERTISED names the address that clients on the host use.
ARG BASE
FROM ${BASE}
RUN useradd --system --create-home --home-dir /var/lib/kafka kafka
COPY jars /opt/kafka/jars
COPY server.properties jvm.args kafka.sh /opt/kafka/
USER kafka
WORKDIR /var/lib/kafka
EXPOSE 9092
ENTRYPOINT ["sh", "/opt/kafka/kafka.sh"]
