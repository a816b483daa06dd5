"""Modals as a person uses them: submit, close, and what the app's answer does to the stack."""

from typing import Any

from sandbox.deliver.choices import refused
from sandbox.deliver.payloads import Payloads
from sandbox.deliver.send import Sender, loaded
from sandbox.deliver.traffic import log_fault
from sandbox.state import Delivery, OpenView, Problem, Workspace
from sandbox.validate import check_ack

TROUBLE = "We had some trouble connecting. Try again?"


class Forms:
    """The modals of one workspace."""

    def __init__(self, workspace: Workspace, sender: Sender, payloads: Payloads) -> None:
        self._workspace = workspace
        self._sender = sender
        self._payloads = payloads

    def submit(self, opened: OpenView) -> Delivery | None:
        """Submit a form; what the client itself refuses is never sent, and nothing is returned."""
        workspace = self._workspace
        with workspace.lock:
            if workspace.views.stacks[opened.user][-1:] != [opened.id] or opened.busy:
                raise Problem("not_on_top")
            if not opened.view.get("submit"):
                raise Problem("no_submit_button")
            opened.errors = client_errors(opened)
            workspace.tell("modal", user=opened.user)
            if opened.errors:
                return None
            opened.busy = True
            body = self._payloads.submission(opened)
        try:
            delivery = self._sender.send("interactive", body)
        finally:
            opened.busy = False
        with workspace.lock:
            self._submitted(opened, delivery)
            workspace.tell("modal", user=opened.user)
        return delivery

    def close(self, opened: OpenView) -> Delivery | None:
        """Close a modal; `clear_on_close` closes the whole stack."""
        workspace = self._workspace
        with workspace.lock:
            if opened.id not in workspace.views.open:
                raise Problem("not_found")
            cleared = bool(opened.view.get("clear_on_close"))
            closed = workspace.views.close(opened, everything=cleared)
            bodies = [
                self._payloads.closed(each, cleared=cleared) for each in closed if each.view.get("notify_on_close")
            ]
        sent = [self._sender.send("interactive", body) for body in bodies]
        return sent[0] if sent else None

    def _submitted(self, opened: OpenView, delivery: Delivery) -> None:
        workspace = self._workspace
        if delivery.error:
            opened.errors = {"": TROUBLE}
            return
        answer = loaded(delivery.answer)
        faults = check_ack("view_submission", answer, view=opened.view) if answer else []
        if faults:
            log_fault(workspace, delivery, faults[0].error)
            opened.errors = {"": f"{TROUBLE} {faults[0]}"}
            return
        if opened.id not in workspace.views.open:
            return
        try:
            self._apply(opened, answer)
        except Problem as problem:
            log_fault(workspace, delivery, problem.error)
            opened.errors = {"": f"{TROUBLE} ({problem.error})"}

    def _apply(self, opened: OpenView, answer: Any) -> None:
        views = self._workspace.views
        if not answer:
            views.close(opened)
        elif answer["response_action"] == "errors":
            opened.errors = dict(answer["errors"])
        elif answer["response_action"] == "clear":
            views.close(opened, everything=True)
        elif answer["response_action"] == "update":
            views.replace(opened, answer["view"])
        else:
            views.show(opened.user, answer["view"], push=True, on=opened.id)


def client_errors(opened: OpenView) -> dict[str, str]:
    """What Slack's own client refuses before anything is sent, by block id."""
    told = {
        block["block_id"]: refused(block, opened.state[block["block_id"]][block["element"]["action_id"]])
        for block in opened.drawn
        if block["type"] == "input"
    }
    return {block_id: text for block_id, text in told.items() if text}
