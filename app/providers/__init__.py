"""Data providers (数据提供方): who sends uploads, by which key, and each request once.

Everything here is keyed by the provider that the *key* names; nothing that a request says
about who it is counts.
"""

from app.providers.errors import ProviderSuspended, ProviderUnknown
from app.providers.registry import (
    Provider,
    ProviderKey,
    add_provider,
    find_key,
    find_provider,
    register_key,
    revoke_key,
    rotate_key,
    suspend_provider,
)

__all__ = [
    "Provider",
    "ProviderKey",
    "ProviderSuspended",
    "ProviderUnknown",
    "add_provider",
    "find_key",
    "find_provider",
    "register_key",
    "revoke_key",
    "rotate_key",
    "suspend_provider",
]
