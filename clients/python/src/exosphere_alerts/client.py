"""The whole API, typed: endpoints, rules, deliveries, and what else there is.

`exosphere_alerts.api` is made from the API's own description when the package is built. Each
operation is a module with `sync`, `asyncio` and their `_detailed` forms. Needs the extra `client`:
`pip install exosphere-alerts[client]`.
"""

from __future__ import annotations

from .errors import SettingError

try:
    import httpx

    from .api import AuthenticatedClient
except ImportError as error:
    raise ImportError(
        f"the API client needs more ({error}): pip install 'exosphere-alerts[client]'"
    ) from error

__all__ = ["AuthenticatedClient", "connect"]

TIMEOUT_S = 30.0
"""A test send waits for the target, which has ten seconds."""


def connect(url: str, key: str, *, namespace: str | None = None) -> AuthenticatedClient:
    """A client for `exosphere_alerts.api`.

    Args:
        url: The host's address.
        key: An API key.
        namespace: For whom a platform key acts.
    """
    if not url.startswith(("http://", "https://")):
        raise SettingError(
            f"the host's address must be like https://alerts.example.com, not {url!r}"
        )
    headers = {} if namespace is None else {"x-exosphere-namespace": namespace}
    client = AuthenticatedClient(
        url.rstrip("/"), token=key, prefix="", auth_header_name="x-api-key", headers=headers
    )
    return client.with_timeout(httpx.Timeout(TIMEOUT_S))
