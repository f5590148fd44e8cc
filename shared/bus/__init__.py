"""The bus: one protocol, two adapters (local and Kafka)."""

from shared.bus.protocol import Bus, Delivery, Subscription

__all__ = ["Bus", "Delivery", "Subscription"]
