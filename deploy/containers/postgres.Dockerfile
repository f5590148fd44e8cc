# Debian's PostgreSQL. POSTGRES_PASSWORD is the password of its superuser, jejak.
ARG BASE
FROM ${BASE}
COPY postgres.sh /opt/postgres.sh
RUN mkdir -p /var/lib/postgresql && chown postgres /var/lib/postgresql
USER postgres
WORKDIR /var/lib/postgresql
EXPOSE 5432
# PostgreSQL's "fast shutdown": it does not wait for its clients to leave.
STOPSIGNAL SIGINT
ENTRYPOINT ["sh", "/opt/postgres.sh"]
