"""Text as Slack hands over what a person typed: escaped, with references where they are asked for."""

import re

from sandbox.state import Workspace

NAME = re.compile(r"(?<!\w)@([\w.-]*\w)")
CHANNEL = re.compile(r"(?<!\w)#([\w-]*\w)")
LINK = re.compile(r"(?<![\w<|])https?://[^\s|]+")


def escaped(text: str) -> str:
    """The three characters that mean something to Slack, escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def in_command(text: str, workspace: Workspace, *, should_escape: bool) -> str:
    """The text of a slash command; `should_escape` turns names into references that carry the name."""
    made = escaped(text)
    return _referred(made, workspace, labelled=True) if should_escape else made


def in_message(text: str, workspace: Workspace) -> str:
    """The text of a message, where names are always references and links are marked."""
    return LINK.sub(lambda found: f"<{found[0]}>", _referred(escaped(text), workspace, labelled=False))


def _referred(text: str, workspace: Workspace, *, labelled: bool) -> str:
    people = {each.name: each.id for each in workspace.people.values()}
    channels = {each.name: each.id for each in workspace.channels.values() if not each.is_im}

    def reference(sign: str, known: dict[str, str], name: str) -> str:
        if name not in known:
            return f"{sign}{name}"
        label = f"|{name}" if labelled or sign == "#" else ""
        return f"<{sign}{known[name]}{label}>"

    text = NAME.sub(lambda found: reference("@", people, found[1]), text)
    return CHANNEL.sub(lambda found: reference("#", channels, found[1]), text)
