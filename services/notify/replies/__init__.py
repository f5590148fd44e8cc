"""What people write back: received durably, understood, and answered once."""
