"""Who somebody is without saying it: a keyed hash of a number or address.

Tables and streams need to know that two messages go to one person, and must not hold the number.
"""

from __future__ import annotations

import hashlib
import hmac


class Persons:
    """Names people under a secret of the installation."""

    def __init__(self, secret: str) -> None:
        """Who lacks ``secret`` can't find a person's name by trying all numbers."""
        self._keyed = hmac.new(secret.encode(), b"person:", hashlib.sha256)

    def of(self, address: str) -> str:
        """Return the person's name: 32 hex digits, the same for the same number or address."""
        mac = self._keyed.copy()
        mac.update(address.strip().lower().encode())
        return mac.hexdigest()[:32]
