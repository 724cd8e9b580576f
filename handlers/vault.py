"""What personal data of the care register is locked with: Fernet keys from the environment, the newest first.

Everything is sealed with the first key; what an older one sealed stays readable for as long as it is named.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

VARIABLE = "GRIDBOT_CARE__KEY"


class BadKey(Exception):
    """GRIDBOT_CARE__KEY holds no keys as `gridbot care key` makes them (several: comma-separated)."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class Unreadable(Exception):
    """GRIDBOT_CARE__KEY is not the key that this was sealed with."""

    def __str__(self) -> str:
        return self.__doc__ or ""


def new_key() -> str:
    """A fresh key: 32 random bytes, URL-safe base64."""
    return Fernet.generate_key().decode("ascii")


class Vault:
    """Seals with the first key, opens with any. Raises BadKey."""

    def __init__(self, keys: str) -> None:
        wanted = [key.strip() for key in keys.split(",") if key.strip()]
        try:
            fernets = [Fernet(key) for key in wanted]
            self._all = MultiFernet(fernets)
        except (ValueError, TypeError):  # what binascii raises is a ValueError
            raise BadKey from None
        # A key of its own for fingerprints: the same bytes are not used for two purposes.
        self._mark = hmac.digest(base64.urlsafe_b64decode(wanted[0]), b"gridbot care fingerprint", "sha256")

    def seal(self, text: str) -> bytes:
        return self._all.encrypt(text.encode("utf-8"))

    def open(self, token: bytes) -> str:
        """What was sealed. Raises Unreadable."""
        try:
            return self._all.decrypt(token).decode("utf-8")
        except InvalidToken:
            raise Unreadable from None

    def resealed(self, token: bytes) -> bytes:
        """The same under the newest key. Raises Unreadable."""
        return self.seal(self.open(token))

    def fingerprint(self, *parts: str) -> str:
        """Tells whether two are the same without telling what they are; another key, another fingerprint."""
        return hmac.new(self._mark, "\0".join(parts).encode("utf-8"), hashlib.sha256).hexdigest()
