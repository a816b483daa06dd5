"""views.*: shapes as on Slack's method pages of the same names."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.checks import needed, refuse
from sandbox.state import OpenView, Problem, Workspace
from sandbox.validate import check_message, check_view


def _view(arguments: Mapping[str, Any], kind: str = "modal") -> dict[str, Any]:
    needed(arguments, "view")
    view = dict(arguments["view"])
    refuse(check_view(view, surface="home" if kind == "home" else "modal"))
    if view.get("type") != kind:
        raise Problem("invalid_arguments")
    for index, block in enumerate(view["blocks"]):
        block.setdefault("block_id", f"b{index}")
    return view


def _open(workspace: Workspace, arguments: Mapping[str, Any], *, push: bool) -> dict[str, Any]:
    view = _view(arguments)
    trigger = arguments.get("trigger_id") or arguments.get("interactivity_pointer")
    if not trigger:
        raise Problem("invalid_arguments")
    opened = workspace.open_view(workspace.use_trigger(trigger), view, push=push)
    return {"view": workspace.view_payload(opened)}


def open_(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return _open(workspace, arguments, push=False)


def push(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return _open(workspace, arguments, push=True)


def update(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    view = _view(arguments)
    opened = workspace.view_named(arguments.get("view_id"), arguments.get("external_id"))
    return {"view": workspace.view_payload(workspace.update_view(opened, view, arguments.get("hash")))}


def publish(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "user_id")
    view = _view(arguments, "home")
    user = workspace.person(arguments["user_id"]).id
    current = workspace.homes.get(user)
    if current is not None and arguments.get("hash") not in {None, current.hash}:
        raise Problem("hash_conflict")
    made = workspace.serial("V")
    home = OpenView(id=current.id if current else made, user=user, view=view, hash=made, root=made)
    workspace.homes[user] = home
    workspace.tell("home", user=user)
    return {"view": workspace.view_payload(home)}


def validate(_workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    refuse(check_message({"text": "checked", "blocks": arguments.get("blocks") or []}))
    return {}


METHODS = {
    "views.open": open_,
    "views.push": push,
    "views.update": update,
    "views.publish": publish,
    "blocks.validate": validate,
}
