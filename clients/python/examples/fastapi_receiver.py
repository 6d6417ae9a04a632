"""A receiver of alerts in FastAPI: `uvicorn fastapi_receiver:app`."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from exosphere_alerts import Alert
from exosphere_alerts.integrations.fastapi import verified

app = FastAPI()
genuine = verified(os.environ["ALERTS_SECRET"])


@app.post("/hook", status_code=204)
async def hook(alert: Annotated[Alert, Depends(genuine)]) -> None:
    # Put it into a queue, and drop an id that was seen: the same alert may come twice.
    print(alert["id"], alert["type"], alert["workflow"].get("graph_name"))
