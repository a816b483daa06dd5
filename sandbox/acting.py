"""The acts of a person by name, as docs/sandbox.md lists them: one table for the page, for scripts and for tests."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.deliver.acts import Acts
from sandbox.deliver.happenings import Happenings
from sandbox.deliver.shapes import file_payload
from sandbox.state import Delivery, File, Message, OpenView, Problem

Body = Mapping[str, Any]


class Given(dict[str, Any]):
    """A body whose missing names are refused by name."""

    def __missing__(self, name: str) -> Any:
        raise Problem(f"missing_{name}")


class Acting:
    """Carries out acts of people."""

    def __init__(self, acts: Acts, happenings: Happenings) -> None:
        self._acts = acts
        self._happenings = happenings
        self._table: Mapping[str, Callable[[str, Body], dict[str, Any]]] = {
            "action": self._action,
            "close": self._close,
            "command": self._command,
            "edit": self._edit,
            "home": self._home,
            "input": self._input,
            "message": self._message,
            "options": self._options,
            "shortcut": self._shortcut,
            "submit": self._submit,
            "upload": self._upload,
        }

    def do(self, user: str, act: str, body: Body) -> dict[str, Any]:
        """Carry out one act of a person; refuses what the person could not do."""
        if act not in self._table:
            raise Problem("unknown_act")
        self._acts.actor(user)
        return self._table[act](user, Given(body))

    def _command(self, user: str, body: Body) -> dict[str, Any]:
        delivery = self._acts.command(user, body["channel"], body["text"], thread_ts=body.get("thread_ts"))
        return told(delivery)

    def _message(self, user: str, body: Body) -> dict[str, Any]:
        said = self._happenings.say(user, body["channel"], body["text"], body.get("thread_ts") or None)
        return {"ok": True, "ts": said.ts}

    def _edit(self, user: str, body: Body) -> dict[str, Any]:
        return {"ok": True, "ts": self._happenings.edit(user, body["channel"], body["ts"], body["text"]).ts}

    def _shortcut(self, user: str, body: Body) -> dict[str, Any]:
        return told(self._acts.shortcut(user, body["callback_id"], body.get("channel"), body.get("message_ts")))

    def _action(self, user: str, body: Body) -> dict[str, Any]:
        return told(
            self._acts.press(
                user,
                self._place(user, body),
                body.get("block_id") or "",
                body["action_id"],
                body.get("value"),
                drawn=body.get("drawn"),
            )
        )

    def _input(self, user: str, body: Body) -> dict[str, Any]:
        opened = self._acts.view(user, body["view_id"])
        delivery = self._acts.input(
            user, opened, body["block_id"], body["action_id"], body["value"], tell=body.get("dispatch") is not False
        )
        return told(delivery) if delivery is not None else {"ok": True}

    def _options(self, user: str, body: Body) -> dict[str, Any]:
        where = self._place(user, body)
        found = self._acts.options(user, where, body["block_id"], body["action_id"], str(body["query"]))
        return {"ok": True, "options": found.get("options") or [], "option_groups": found.get("option_groups") or []}

    def _submit(self, user: str, body: Body) -> dict[str, Any]:
        opened = self._acts.view(user, body["view_id"])
        delivery = self._acts.forms.submit(opened)
        made = told(delivery) if delivery is not None else {"ok": False, "error": "not_sent"}
        return {**made, "ok": made["ok"] and not opened.errors, "errors": dict(opened.errors)}

    def _close(self, user: str, body: Body) -> dict[str, Any]:
        delivery = self._acts.forms.close(self._acts.view(user, body["view_id"]))
        return told(delivery) if delivery is not None else {"ok": True}

    def _home(self, user: str, _body: Body) -> dict[str, Any]:
        delivery = self._happenings.open_home(user)
        return told(delivery) if delivery is not None else {"ok": True}

    def _upload(self, user: str, body: Body) -> dict[str, Any]:
        try:
            content = base64.b64decode(body["content_base64"], validate=True)
        except (binascii.Error, ValueError):
            raise Problem("invalid_content") from None
        workspace = self._acts.workspace
        made = File(
            id=workspace.serial("F"),
            name=str(body["name"]).replace("/", "_"),
            size=len(content),
            owner=user,
            created=int(workspace.clock()),
            content=content,
            complete=True,
        )
        workspace.files[made.id] = made
        return {"ok": True, "file": file_payload(made, workspace)}

    def _place(self, user: str, body: Body) -> Message | OpenView:
        return self._acts.place(user, view_id=body.get("view_id"), channel=body.get("channel"), ts=body.get("ts"))


def told(delivery: Delivery) -> dict[str, Any]:
    """What came of a delivery, for the page and for scripts."""
    return {
        "ok": delivery.error is None,
        "delivery": delivery.id,
        "status": delivery.status,
        "elapsed_ms": round(delivery.elapsed_ms, 1),
        **({"error": delivery.error} if delivery.error else {}),
    }
