"""The kernel: what every service stands on. No service's rules live here."""
