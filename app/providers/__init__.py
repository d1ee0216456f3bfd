"""Data providers (数据提供方): who sends uploads, by which key, and each request once.

Everything here is keyed by the provider that the *key* names; nothing that a request says
about who it is counts.
"""

from app.providers.deeds import DEEDS
from app.providers.errors import ProviderSuspended, ProviderUnknown
from app.providers.registry import (
    Provider,
    ProviderKey,
    add_provider,
    find_key,
    find_provider,
    providers_after,
    register_key,
    resume_provider,
    revoke_key,
    rotate_key,
    suspend_provider,
)

__all__ = [
    "DEEDS",
    "Provider",
    "ProviderKey",
    "ProviderSuspended",
    "ProviderUnknown",
    "add_provider",
    "find_key",
    "find_provider",
    "providers_after",
    "register_key",
    "resume_provider",
    "revoke_key",
    "rotate_key",
    "suspend_provider",
]
