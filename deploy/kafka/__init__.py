"""A real Apache Kafka (KRaft, one node) run from its published jars."""
