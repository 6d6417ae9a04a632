"""Microsoft Teams, through a webhook of the Workflows app: the alert as an
Adaptive Card, and what the workflow's answers mean.

Reference: learn.microsoft.com/power-automate, "When a Teams webhook request is
received"; adaptivecards.io/explorer.

The webhook's URL is the secret, and is used as the endpoint gives it.
"""

# Imported while the plugin is built: an instance starts with all of this loaded.
import json
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import wit_world
from componentize_py_types import Err
from wit_world.exports.adapter import (
    Delivery,
    Exchange,
    Outcome_Failed,
    Request,
    Response,
    Retry,
    Step,
    Step_Done,
    Step_Send,
    Verdict,
    Verdict_Delivered,
    Verdict_Gone,
    Verdict_Rejected,
    Verdict_Retry,
)
from wit_world.imports.types import Problem

HEADLINES = {
    "workflow.started": ("Workflow started", "Accent"),
    "workflow.succeeded": ("Workflow succeeded", "Good"),
    "workflow.duration_exceeded": ("Workflow is taking too long", "Warning"),
    "workflow.failed": ("Workflow failed", "Attention"),
}

FACTS = {
    "run_id": "Run",
    "status": "Status",
    "duration_ms": "Duration, ms",
    "errored_count": "Errors",
    "total_count": "Total",
    "failed_state_id": "Failed state",
}

# Teams takes a message of 28 KB; a card of these is well below.
MAX_CHARS = 300
# An error has two.
MAX_BRACKETS = 100


class Adapter(wit_world.exports.Adapter):
    """The interface `adapter` of wit/adapter.wit."""

    def check(self, settings: bytes) -> None:
        """What the schema, which stands before it, cannot say."""
        try:
            # Not the bytes: Python would guess at their encoding.
            url = json.loads(settings.decode()).get("dashboard_url")
            if url is not None and not urlsplit(url).hostname:
                raise Err([Problem("/dashboard_url", "names no host; write a whole URL")])
        except (ValueError, AttributeError, TypeError) as error:
            raise Err([Problem("", f"the settings do not read: {error}")])

    def next(self, delivery: Delivery, exchanges: list[Exchange]) -> Step:
        if exchanges:
            return Step_Done(verdict(exchanges[-1], delivery.now))
        return Step_Send(request(delivery))


def request(delivery: Delivery) -> Request:
    endpoint = delivery.endpoint
    # Numbers as they were written: a run's id may be longer than a number is kept.
    alert = json.loads(delivery.alert, parse_int=str, parse_float=str)
    asked_for = [(name, value) for name, value in endpoint.headers if name.lower() != "content-type"]
    return Request(
        method="POST",
        url=endpoint.url,
        headers=[("content-type", "application/json"), *asked_for],
        body=json.dumps(message(alert, json.loads(endpoint.settings))).encode(),
        sign=False,
        extensions=[],
    )


def message(alert: dict, settings: dict) -> dict:
    what, color = HEADLINES.get(alert["type"], (alert["type"], "Default"))
    workflow = alert["workflow"]
    about = workflow.get("graph_name", alert["event"].get("subject"))
    headline = what if about is None else f"{what}: {about}"
    body = [
        line(run(headline, size="Large", weight="Bolder", color=color)),
        line(run(f"{alert['rule']['name']}, in {alert['namespace']}", isSubtle=True)),
    ]
    if title := settings.get("title"):
        body.insert(0, line(run(title, weight="Bolder")))
    for name, label in FACTS.items():
        if name in workflow:
            body.append(line(run(f"{label}: ", isSubtle=True), run(workflow[name])))
    body.append(line(run(alert["occurred_at"], size="Small", isSubtle=True)))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if url := settings.get("dashboard_url"):
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open the dashboard", "url": url}]
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "content": card}]}


def line(*runs: dict) -> dict:
    return {"type": "RichTextBlock", "inlines": list(runs), "spacing": "Small"}


def run(text: object, **style: object) -> dict:
    """Text runs are shown as they are: in a text block, an event could write Markdown."""
    text = str(text)
    if len(text) > MAX_CHARS:
        text = text[: MAX_CHARS - 1] + "…"
    return {"type": "TextRun", "text": text, **style}


def verdict(exchange: Exchange, now_ms: int) -> Verdict:
    outcome = exchange.outcome
    if isinstance(outcome, Outcome_Failed):
        kind = type(outcome.value).__name__.removeprefix("TransportError_").lower()
        return Verdict_Retry(Retry(None, f"the request failed ({kind}): {outcome.value.value}"))
    response = outcome.value
    reason = said(response)
    match response.status:
        # 202 from a workflow: it was started. What it does then is in its own history.
        case status if 200 <= status < 300:
            return Verdict_Delivered(None)
        case 404 | 410:
            return Verdict_Gone(f"{reason}; make a new workflow and set the endpoint's URL")
        case 401 | 403:
            return Verdict_Rejected(f"{reason}; let anyone trigger the workflow, and copy its URL again")
        case 408 | 425 | 429:
            return Verdict_Retry(Retry(retry_after_ms(response, now_ms), reason))
        case status if 400 <= status < 500:
            return Verdict_Rejected(reason)
        case _:
            return Verdict_Retry(Retry(retry_after_ms(response, now_ms), reason))


def said(response: Response) -> str:
    """The status decides; the body only explains: `{"error": {"code", "message"}}`."""
    try:
        # Deep nesting ends the call: the sandbox's stack is smaller than Python thinks.
        if response.body.count(b"[") + response.body.count(b"{") > MAX_BRACKETS:
            raise ValueError("more than an error")
        error = json.loads(response.body.decode())["error"]
        words = f": {error['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        words = ""  # Whatever stands in between answered, perhaps with a page.
    # JSON can write half a character, which no text of the contract can hold.
    words = words[:MAX_CHARS].encode(errors="replace").decode()
    return f"the workflow answered {response.status}{words}"


def retry_after_ms(response: Response, now_ms: int) -> int | None:
    """Seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    value = next((value for name, value in response.headers if name == "retry-after"), "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), 86_400) * 1000
    try:
        until = parsedate_to_datetime(value).astimezone(timezone.utc)
    except (ValueError, TypeError):
        return None
    now = datetime.fromtimestamp(now_ms / 1000, timezone.utc)
    return max(0, round((until - now).total_seconds() * 1000))
