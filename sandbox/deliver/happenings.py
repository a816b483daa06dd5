"""What happens in a workspace and reaches the app as an event, when the manifest subscribes to it."""

from dataclasses import replace
from typing import Any

from sandbox.deliver.payloads import Payloads
from sandbox.deliver.send import Sender
from sandbox.deliver.shapes import message_payload
from sandbox.deliver.typed import in_message
from sandbox.state import Channel, Delivery, Message, Person, Problem, Workspace


class Happenings:
    """Messages of people, the home tab, and changes of people and channels."""

    def __init__(self, workspace: Workspace, sender: Sender, payloads: Payloads, *, user_object: Any) -> None:
        self._workspace = workspace
        self._sender = sender
        self._payloads = payloads
        self._user_object = user_object

    def say(self, user: str, channel_name: str, text: str, thread_ts: str | None = None) -> Message:
        """Post a message as a person."""
        workspace = self._workspace
        with workspace.lock:
            channel = self._writable(user, channel_name)
            if thread_ts and workspace.message(channel.id, thread_ts).thread_ts not in {None, thread_ts}:
                raise Problem("thread_not_found")
            typed = in_message(text, workspace)
            message = workspace.add(
                Message(channel=channel.id, ts=workspace.new_ts(), user=user, text=typed, thread_ts=thread_ts)
            )
        self._message_event(channel, {"subtype": None, **message_payload(message, workspace)})
        if f"<@{workspace.bot.id}>" in typed and not channel.is_im:
            mention = {"type": "app_mention", **_spoken(message), "channel": channel.id}
            self._tell_app("app_mention", mention, channel)
        return message

    def edit(self, user: str, channel_name: str, ts: str, text: str) -> Message:
        """Change one's own message."""
        workspace = self._workspace
        with workspace.lock:
            channel = self._writable(user, channel_name)
            message = workspace.message(channel.id, ts)
            if message.user != user:
                raise Problem("cant_update_message")
            before = message_payload(message, workspace)
            message.text = in_message(text, workspace)
            message.edited_ts = workspace.new_ts()
            workspace.tell("message", channel.id)
        changed = {
            "subtype": "message_changed",
            "message": message_payload(message, workspace),
            "previous_message": before,
            "ts": message.edited_ts,
            "hidden": True,
        }
        self._message_event(channel, changed)
        return message

    def open_home(self, user: str) -> Delivery | None:
        """Open the app's home tab."""
        workspace = self._workspace
        with workspace.lock:
            if workspace.person(user).deleted:
                raise Problem("account_inactive")
            channel = workspace.open_im(user)
            event: dict[str, Any] = {"type": "app_home_opened", "user": user, "tab": "home", "channel": channel.id}
            home = workspace.views.homes.get(user)
            if home is not None:
                event["view"] = self._payloads.view(home)
        return self._tell_app("app_home_opened", event, channel)

    def join(self, user: str, channel_name: str, inviter: str | None = None) -> Delivery | None:
        """Somebody enters a channel."""
        workspace = self._workspace
        with workspace.lock:
            channel = workspace.enter(workspace.person(user).id, self._named(channel_name))
        event = {
            "type": "member_joined_channel",
            "user": user,
            "channel": channel.id,
            "channel_type": "G" if channel.is_private else "C",
            "team": workspace.team,
            **({"inviter": inviter} if inviter else {}),
        }
        return self._tell_app("member_joined_channel", event, channel)

    def share(self, channel_name: str, team: str = "T0PARTNER") -> Delivery | None:
        """A channel is shared with another workspace."""
        workspace = self._workspace
        with workspace.lock:
            channel = self._named(channel_name)
            workspace.channels[channel.id] = replace(channel, is_ext_shared=True)
        event = {"type": "channel_shared", "connected_team_id": team, "channel": channel.id}
        return self._tell_app("channel_shared", event, channel)

    def archive(self, channel_name: str) -> None:
        """A channel is archived."""
        with self._workspace.lock:
            channel = self._named(channel_name)
            self._workspace.channels[channel.id] = replace(channel, is_archived=True)

    def change(self, person: Person) -> Delivery | None:
        """Somebody's record changes: a new name, a deactivation, a new status as guest."""
        workspace = self._workspace
        with workspace.lock:
            known = person.id in workspace.people
            workspace.people[person.id] = replace(person, team_id=person.team_id or workspace.team)
            user = self._user_object(workspace.people[person.id], workspace)
        name = "user_change" if known else "team_join"
        return self._tell_app(name, {"type": name, "user": user})

    def uninstall(self) -> list[Delivery | None]:
        """The app is removed from the workspace: its token ends, and Slack tells so in two events, in no fixed order.

        See the pages of the events app_uninstalled and tokens_revoked.
        """
        workspace = self._workspace
        workspace.bot_token = ""
        tokens = {"oauth": [], "bot": [workspace.bot.id]}
        return [
            self._tell_app("tokens_revoked", {"type": "tokens_revoked", "tokens": tokens}),
            self._tell_app("app_uninstalled", {"type": "app_uninstalled"}),
        ]

    def _named(self, name: str) -> Channel:
        wanted = name.removeprefix("#")
        for each in self._workspace.channels.values():
            if wanted in {each.id, each.name}:
                return each
        raise Problem("channel_not_found")

    def _writable(self, user: str, channel_name: str) -> Channel:
        if self._workspace.person(user).deleted:
            raise Problem("account_inactive")
        channel = self._workspace.seen_by(user, channel_name)
        if channel.is_archived:
            raise Problem("is_archived")
        if user not in channel.members:
            raise Problem("not_in_channel")
        return channel

    def _message_event(self, channel: Channel, event: dict[str, Any]) -> None:
        kinds = {"im": "message.im", "group": "message.groups", "channel": "message.channels"}
        made = {name: each for name, each in event.items() if each is not None}
        made |= {"type": "message", "channel": channel.id, "channel_type": channel.kind}
        self._tell_app(kinds[channel.kind], made, channel)

    def _tell_app(self, name: str, event: dict[str, Any], channel: Channel | None = None) -> Delivery | None:
        workspace = self._workspace
        inside = channel is None or workspace.bot.id in channel.members
        if name not in workspace.subscribed or not inside:
            return None
        return self._sender.send("events_api", self._payloads.event(event))


def _spoken(message: Message) -> dict[str, Any]:
    said = {"user": message.user, "text": message.text, "ts": message.ts}
    return said | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
