"""A receiver of alerts in Flask: `flask --app flask_receiver run`."""

import os

from flask import Flask, Response, request

from exosphere_alerts import VerificationError, verify

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
SECRET = os.environ["ALERTS_SECRET"]


@app.post("/hook")
def hook() -> Response:
    try:
        # The exact bytes: `request.json` would be other ones.
        alert = verify(SECRET, request.get_data(), request.headers)
    except VerificationError as error:
        return Response(str(error), 401)
    print(alert["id"], alert["type"], alert["workflow"].get("graph_name"))
    return Response(status=204)
