"""What every method asks before it acts."""

from collections.abc import Sequence
from typing import Any

from sandbox.state import Channel, Problem, Workspace
from sandbox.validate import Fault


def refuse(faults: Sequence[Fault]) -> None:
    """The first fault's name, with every fault's place as Slack reports them."""
    if faults:
        told = [f"[ERROR] {each.message} [json-pointer:{each.pointer}]" for each in faults]
        raise Problem(faults[0].error, response_metadata={"messages": told})


def writable(workspace: Workspace, channel_id: str) -> Channel:
    """A channel the bot may write to."""
    channel = workspace.channel(channel_id)
    if channel.is_archived:
        raise Problem("is_archived")
    if workspace.bot.id not in channel.members:
        raise Problem("not_in_channel")
    return channel


def needed(arguments: dict[str, Any] | Any, *names: str) -> None:
    for name in names:
        if not arguments.get(name):
            raise Problem(
                "invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]}
            )
