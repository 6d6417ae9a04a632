"""For FastAPI and Starlette: an emitter that lives as long as the app, and a dependency for
receivers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import HTTPException, Request

from ..emitter import Emitter
from ..errors import VerificationError
from ..settings import from_env
from ..verify import TOLERANCE_S, Alert, verify

MAX_BODY_BYTES = 1024 * 1024
"""Four times the largest alert, whose event has 256 KiB at most."""


def alerts_lifespan(
    make: Callable[[], Emitter] = from_env,
) -> Callable[[Any], AbstractAsyncContextManager[dict[str, Emitter]]]:
    """A lifespan: `FastAPI(lifespan=alerts_lifespan())`, and `request.state.alerts` is the emitter.

    Args:
        make: Makes the emitter; from the environment if it is left out.
    """

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Emitter]]:
        async with make() as emitter:
            yield {"alerts": emitter}

    return lifespan


def verified(
    secret: str | Sequence[str], *, tolerance_s: float = TOLERANCE_S
) -> Callable[[Request], Awaitable[Alert]]:
    """A dependency that is the alert: `alert: Annotated[Alert, Depends(verified("whsec_…"))]`. What is
    not genuine is answered 401."""

    async def dependency(request: Request) -> Alert:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise HTTPException(413, "too large to be an alert")
        try:
            return verify(secret, bytes(body), request.headers, tolerance_s=tolerance_s)
        except VerificationError as error:
            raise HTTPException(401, str(error)) from error

    return dependency
