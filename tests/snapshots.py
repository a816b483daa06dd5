"""Compare a payload with a file; rewrite all with UPDATE_GOLDENS=1."""

import json
import os
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "handlers" / "golden"
CHANGING = (
    (re.compile(r"\b\d{17,20}\b"), "<id>"),
    (re.compile(r"DRAFT-[0-9A-F]{6}"), "DRAFT-XXXXXX"),
    (re.compile(r"W-\d{12}"), "W-000000000000"),
    (re.compile(r'\\"intent\\": \\"[0-9a-f]{16}\\"'), r"\"intent\": \"<intent>\""),
    (re.compile(r'\\"hash\\": \\"[0-9a-f]{64}\\"'), r"\"hash\": \"<hash>\""),
)


def normal(payload: Any) -> str:
    """A payload as text, with what differs from run to run blanked."""
    text = json.dumps(payload, ensure_ascii=False, indent=1, sort_keys=True)
    for pattern, instead in CHANGING:
        text = pattern.sub(instead.replace("\\", "\\\\"), text)
    return text + "\n"


def check_golden(name: str, payload: Any) -> None:
    """The payload equals its reviewed file."""
    path = FOLDER / f"{name}.json"
    text = normal(payload)
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no golden file {path.name}; run with UPDATE_GOLDENS=1 and review it"
    assert path.read_text(encoding="utf-8") == text, f"{path.name} differs; run with UPDATE_GOLDENS=1 and review it"
