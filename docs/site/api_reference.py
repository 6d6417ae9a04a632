"""The API reference, from its OpenAPI description: a page of requests and one of schemas."""

METHODS = ["get", "post", "put", "patch", "delete"]
REF = "#/components/schemas/"


def requests(description: dict) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, operations in description["paths"].items():
        for method in METHODS:
            if operation := operations.get(method):
                tag = operation.get("tags", ["Others"])[0]
                by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    text = "# Requests\n\n" + description["info"]["description"] + "\n\n"
    text += "A running host shows the same at `/docs`, and as OpenAPI at `/openapi.json`.\n"
    for tag in sorted(by_tag):
        text += f"\n## {tag}\n\n" + "\n".join(by_tag[tag])
    return text


def schemas(description: dict) -> str:
    text = "# Schemas\n\nWhat [requests](requests.md) take and answer.\n"
    for name, schema in sorted(description["components"]["schemas"].items()):
        text += f"\n## {name}\n\n"
        if told := schema.get("description"):
            text += told + "\n\n"
        text += _schema(schema)
    return text


def _operation(method: str, path: str, operation: dict) -> str:
    text = f"### {method.upper()} {path}\n\n**{operation.get('summary', '')}**\n\n"
    if told := operation.get("description"):
        text += told + "\n\n"
    if parameters := operation.get("parameters"):
        text += "| parameter | in | type | what it is |\n| --- | --- | --- | --- |\n"
        for one in parameters:
            needed = "" if not one.get("required") else ", required"
            kind = _type(one.get("schema", {}))
            told = _cell(one.get("description", ""))
            text += f"| `{one['name']}` | {one['in']}{needed} | {kind} | {told} |\n"
        text += "\n"
    if body := operation.get("requestBody"):
        content = body["content"].items()
        kinds = "; ".join(f"{_type(one.get('schema', {}))} (`{media}`)" for media, one in content)
        text += f"Body: {kinds}\n\n"
    text += "| answer | body | what it means |\n| --- | --- | --- |\n"
    for status, answer in operation.get("responses", {}).items():
        kinds = [_type(one.get("schema", {})) for one in answer.get("content", {}).values()]
        told = _cell(answer.get("description", ""))
        text += f"| {status} | {', '.join(kinds)} | {told} |\n"
    return text


def _schema(schema: dict) -> str:
    if values := schema.get("enum"):
        return "One of " + ", ".join(f"`{value}`" for value in values if value is not None) + ".\n"
    if properties := schema.get("properties"):
        required = set(schema.get("required", []))
        text = "| field | type | what it is |\n| --- | --- | --- |\n"
        for name, one in properties.items():
            mark = "" if name in required else ", optional"
            told = _cell(one.get("description", ""))
            if "example" in one:
                told += f" For example `{_cell(str(one['example']))}`."
            text += f"| `{name}` | {_type(one)}{mark} | {told} |\n"
        return text
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            return _choices(schema[key])
    return f"{_type(schema)}\n"


def _choices(choices: list[dict]) -> str:
    text = ""
    for choice in choices:
        told = choice.get("description", "")
        if "properties" in choice:
            text += f"{told}\n\n{_schema(choice)}\n"
        else:
            text += f"- {_type(choice)} {told}\n".replace("  ", " ")
    return text


def _type(schema: dict) -> str:
    """A type in a few words, with links to named schemas."""
    if ref := schema.get("$ref"):
        name = ref.removeprefix(REF)
        return f"[{name}](schemas.md#{name.lower()})"
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            kinds = [_type(one) for one in schema[key] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if values := schema.get("enum"):
        return ", ".join(f"`{value}`" for value in values if value is not None)
    kind = schema.get("type", "any")
    kinds = [one for one in (kind if isinstance(kind, list) else [kind]) if one != "null"]
    if kinds == ["array"]:
        return f"list of {_type(schema.get('items', {}))}"
    if kinds == ["object"] and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_type(schema['additionalProperties'])}"
    form = f" ({schema['format']})" if "format" in schema else ""
    return " or ".join(kinds) + form


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
