"""From a queued message to its outcome, and what a provider's word means."""
