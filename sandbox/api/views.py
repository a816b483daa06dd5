"""The methods of views: see the pages views.open, views.push, views.update, views.publish and blocks.validate."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.checks import Arguments, bad_argument, needed, refuse
from sandbox.deliver.payloads import Payloads
from sandbox.state import OpenView, Problem, Workspace
from sandbox.validate import Fault, check_message, check_view


def _view(arguments: Arguments, surface: str) -> dict[str, Any]:
    needed(arguments, "view")
    if not isinstance(arguments["view"], Mapping):
        raise bad_argument("view", "must be an object")
    view = dict(arguments["view"])
    if view.get("type") != surface:
        raise bad_argument("view/type", f"must be {surface}")
    refuse(check_view(view, surface="home" if surface == "home" else "modal"))
    return view


def _shown(workspace: Workspace, opened: OpenView) -> dict[str, Any]:
    return {"view": Payloads(workspace).view(opened)}


def _show(workspace: Workspace, arguments: Arguments, *, push: bool) -> dict[str, Any]:
    view = _view(arguments, "modal")
    trigger = arguments.get("trigger_id") or arguments.get("interactivity_pointer")
    if not trigger:
        raise bad_argument("trigger_id", "missing required field: trigger_id")
    grant = workspace.grants.use_trigger(str(trigger))
    opened = workspace.views.show(grant.user, view, push=push, on=grant.view)
    return _shown(workspace, opened)


def open_(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    return _show(workspace, arguments, push=False)


def push(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    return _show(workspace, arguments, push=True)


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    if not arguments.get("view_id") and not arguments.get("external_id"):
        raise bad_argument("view_id", "missing required field: view_id")
    opened = workspace.views.named(arguments.get("view_id"), arguments.get("external_id"))
    view = _view(arguments, str(opened.view["type"]))
    return _shown(workspace, workspace.views.replace(opened, view, arguments.get("hash")))


def publish(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "user_id")
    view = _view(arguments, "home")
    app_home = workspace.manifest.get("features", {}).get("app_home", {})
    if not app_home.get("home_tab_enabled"):
        raise Problem("not_enabled")
    user = workspace.person(str(arguments["user_id"])).id
    return _shown(workspace, workspace.views.publish(user, view, arguments.get("hash")))


def validate(_workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    given = [name for name in ("blocks", "view", "message") if name in arguments]
    if len(given) != 1:
        raise bad_argument("blocks", "provide exactly one of blocks, view, or message")
    match given[0]:
        case "blocks":
            faults = check_message({"text": "These blocks", "blocks": arguments["blocks"]})
        case "message":
            faults = check_message(arguments["message"])
        case _:
            faults = check_view(arguments["view"])
    if faults:
        raise Problem(f"invalid_{given[0]}", errors=[_told(each) for each in faults])
    return {}


def _told(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "code": fault.error, "message": fault.message}


METHODS = {
    "blocks.validate": validate,
    "views.open": open_,
    "views.publish": publish,
    "views.push": push,
    "views.update": update,
}
