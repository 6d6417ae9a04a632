"""What is sent. Knows nothing of the contract, so it is tested anywhere."""


def problems(settings: object) -> list[tuple[str, str]]:
    """What a schema cannot say: JSON pointer and message of each problem."""
    if not isinstance(settings, dict):
        return [("", "must be an object")]
    if not isinstance(settings.get("title", ""), str):
        return [("/title", "must be text")]
    return []


def write(alert: dict, settings: dict) -> dict:
    workflow = alert["workflow"]
    about = workflow.get("graph_name") or alert["event"].get("subject") or ""
    text = f"{settings.get('title', 'Alert')}: {alert['type']} {about}".strip()
    return {"text": text, "run": workflow.get("run_id")}
