"""Settings from the environment: secrets and addresses only, checked at start with every problem named at once."""

import re
from collections.abc import Iterator

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot import mail_servers

SHORTEST_SECRET = 20
KEY = r"[A-Za-z0-9_-]{43}="  # 32 bytes in URL-safe base64
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def check_prefix(value: str) -> str:
    """A prefix that command names can have. Raises ValueError."""
    if not re.fullmatch(r"[a-z0-9_-]{0,12}", value):
        raise ValueError("has small letters, digits, dashes and underscores only, at most 12")
    return value


def _is_address(value: str) -> bool:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(value)
    except (ArgumentError, ValueError):
        return False
    return True


class Config(BaseSettings):
    """What an operator sets; every name may stand in the environment or in a file called .env."""

    model_config = SettingsConfigDict(env_prefix="", env_file=".env", extra="ignore", frozen=True)

    slack_bot_token: SecretStr = Field(SecretStr(""), description="the bot's token, xoxb-...")
    slack_app_token: SecretStr = Field(SecretStr(""), description="the app-level token for Socket Mode, xapp-...")
    slack_signing_secret: SecretStr = Field(SecretStr(""), description="checks that HTTP requests come from Slack")
    slack_client_id: str = Field("", description="the app's client id; with it any workspace allowed installs by OAuth")
    slack_client_secret: SecretStr = Field(SecretStr(""), description="the app's client secret, for several workspaces")
    slack_api_url: str = Field("https://slack.com/api/", description="base address of the Web API")
    database_url: str = Field("sqlite:///duedesk.db", description="sqlite:///FILE or postgresql://...")
    duedesk_owner: str = Field("", description="Slack user id of the first owner, U...")
    duedesk_door: str = Field("socket", description="socket or http")
    duedesk_host: str = Field("127.0.0.1", description="address that HTTP mode listens on")
    duedesk_port: int = Field(3000, ge=0, le=65535, description="port that HTTP mode listens on")
    duedesk_public_url: str = Field("", description="where browsers reach HTTP mode, for several workspaces")
    duedesk_token_keys: SecretStr = Field(SecretStr(""), description="keys that encrypt tokens, newest first")
    duedesk_install_teams: str = Field("", description="team ids that may install, T... or E..., or * for any")
    duedesk_metrics_host: str = Field("127.0.0.1", description="address that health and metrics are served at")
    duedesk_metrics_port: int = Field(0, ge=0, le=65535, description="port of health and metrics; 0 for none")
    duedesk_prefix: str = Field("", description="prefix of command names, such as dd-")
    desk_limit: int = Field(24, ge=1, le=200, description="requests that may use the database at once")
    desk_waiting: int = Field(96, ge=1, le=2000, description="requests in hand before the desk says it is busy")
    duedesk_smtp_url: SecretStr = Field(
        SecretStr(""), description="server that takes mail, smtp://user:password@host:587"
    )
    duedesk_mail_from: str = Field("", description="who mail is from, as Acme Billing <billing@example.com>")
    duedesk_mail_reply_to: str = Field("", description="address that answers go to, if it is another one")
    duedesk_mail_copy: str = Field("", description="address that gets a blind copy of every mail")
    duedesk_mailbox_url: SecretStr = Field(
        SecretStr(""), description="mailbox of bounces and copies, imaps://user:password@host/INBOX"
    )
    duedesk_mail_secret: SecretStr = Field(SecretStr(""), description="what a service that reports bounces must know")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("slack_api_url")
    @classmethod
    def _slash(cls, value: str) -> str:
        if not re.match(r"https?://", value):
            raise ValueError("must begin with http:// or https://")
        return value if value.endswith("/") else value + "/"

    @field_validator("duedesk_door")
    @classmethod
    def _door(cls, value: str) -> str:
        if value not in {"socket", "http"}:
            raise ValueError("must be socket or http")
        return value

    @field_validator("duedesk_prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        return check_prefix(value)

    @field_validator("duedesk_smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            mail_servers.smtp_server(value.get_secret_value())
        return value

    @field_validator("duedesk_mailbox_url")
    @classmethod
    def _mailbox(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            mail_servers.mailbox(value.get_secret_value())
        return value

    @field_validator("duedesk_mail_from", "duedesk_mail_reply_to", "duedesk_mail_copy")
    @classmethod
    def _mail_address(cls, value: str) -> str:
        if value:
            mail_servers.sender(value)
        return value

    @field_validator("duedesk_mail_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError(f"is too short to be kept secret; use at least {SHORTEST_SECRET} characters")
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.upper() not in LEVELS:
            raise ValueError(f"must be one of {', '.join(LEVELS)}")
        return value.upper()

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql:", "postgres:")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        value = re.sub(r"^postgres:", "postgresql:", value)
        if not _is_address(value):
            raise ValueError("cannot be read; in a password write @ as %40, / as %2F, # as %23, : as %3A")
        return value

    @field_validator("duedesk_public_url")
    @classmethod
    def _public(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not re.fullmatch(r"https://[\w.-]+(:\d+)?|http://(127\.0\.0\.1|localhost)(:\d+)?", value):
            raise ValueError("must be https:// and a host name, without a path")
        return value

    @field_validator("duedesk_token_keys")
    @classmethod
    def _keys(cls, value: SecretStr) -> SecretStr:
        if not all(re.fullmatch(KEY, each) for each in _listed(value.get_secret_value())):
            raise ValueError("has something that is no key; duedesk books new-key prints one")
        return value

    @field_validator("duedesk_install_teams")
    @classmethod
    def _teams(cls, value: str) -> str:
        if not all(re.fullmatch(r"\*|[TE][A-Z0-9]{2,19}", each) for each in _listed(value)):
            raise ValueError("must be ids such as T0123ABCD or E0123ABCD, separated by commas, or * for any")
        return value

    @property
    def serves_many(self) -> bool:
        """Whether workspaces install the app by themselves, each with a book of its own."""
        secrets = (self.slack_client_secret, self.duedesk_token_keys)
        return bool(self.slack_client_id) or any(each.get_secret_value() for each in secrets)

    @property
    def token_keys(self) -> list[str]:
        """The keys that tokens are encrypted with, newest first."""
        return _listed(self.duedesk_token_keys.get_secret_value())

    def may_install(self, *places: str) -> bool:
        """Whether a workspace, or the organisation it belongs to, is let in."""
        allowed = _listed(self.duedesk_install_teams)
        return "*" in allowed or any(each in allowed for each in places if each)

    def problems(self) -> list[str]:
        """What is missing to run against Slack."""
        if self.serves_many:
            return list(self._problems_of_many())
        wanted = {"SLACK_BOT_TOKEN": (self.slack_bot_token, "xoxb-")}
        if self.duedesk_door == "socket":
            wanted["SLACK_APP_TOKEN"] = (self.slack_app_token, "xapp-")
        else:
            wanted["SLACK_SIGNING_SECRET"] = (self.slack_signing_secret, "")
        return [
            f"{name} is {'not set' if not secret.get_secret_value() else f'no {start}... token'}"
            for name, (secret, start) in wanted.items()
            if not secret.get_secret_value() or not secret.get_secret_value().startswith(start)
        ] + self._mail_problems()

    def _mail_problems(self) -> list[str]:
        """What is missing to send mail, if mail is to be sent."""
        sends = bool(self.duedesk_smtp_url.get_secret_value())
        problems = []
        if sends and not self.duedesk_mail_from:
            problems.append("DUEDESK_MAIL_FROM is not set, but DUEDESK_SMTP_URL is")
        if self.duedesk_mail_copy and not self.duedesk_mailbox_url.get_secret_value():
            problems.append("DUEDESK_MAILBOX_URL is not set, but DUEDESK_MAIL_COPY is: copies are looked for there")
        return problems

    def _problems_of_many(self) -> Iterator[str]:
        needed = {
            "SLACK_CLIENT_ID": self.slack_client_id,
            "SLACK_CLIENT_SECRET": self.slack_client_secret.get_secret_value(),
            "SLACK_SIGNING_SECRET": self.slack_signing_secret.get_secret_value(),
            "DUEDESK_TOKEN_KEYS": self.duedesk_token_keys.get_secret_value(),
            "DUEDESK_PUBLIC_URL": self.duedesk_public_url,
            "DUEDESK_INSTALL_TEAMS": self.duedesk_install_teams,
        }
        yield from (f"{name} is not set" for name, value in needed.items() if not value)
        if self.duedesk_door != "http":
            yield "DUEDESK_DOOR must be http, as several workspaces install by OAuth"
        of_one = {
            "SLACK_BOT_TOKEN": self.slack_bot_token.get_secret_value(),
            "DUEDESK_OWNER": self.duedesk_owner,
            # One sender and one mailbox would be those of every company.
            "DUEDESK_SMTP_URL": self.duedesk_smtp_url.get_secret_value(),
            "DUEDESK_MAILBOX_URL": self.duedesk_mailbox_url.get_secret_value(),
            "DUEDESK_MAIL_SECRET": self.duedesk_mail_secret.get_secret_value(),
        }
        yield from (
            f"{name} is of one workspace; leave it out beside SLACK_CLIENT_ID" for name, it in of_one.items() if it
        )


def _listed(value: str) -> list[str]:
    return [each.strip() for each in value.split(",") if each.strip()]


class BadConfig(Exception):  # noqa: N818  # read as a sentence by the operator
    """Everything that is wrong with the environment, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(*, for_slack: bool = True) -> Config:
    """Read and check the environment. Raises BadConfig with every problem at once."""
    problems: list[str] = []
    wrong: dict[str, str] = {}
    try:
        config = Config()
    except ValidationError as fault:
        wrong = {str(each["loc"][0]): each["msg"].removeprefix("Value error, ") for each in fault.errors()}
        problems = [f"{name.upper()} {sentence}" for name, sentence in wrong.items()]
        # What is missing is named as well, so the rest is read with defaults in place of what is wrong.
        config = Config(**{name: Config.model_fields[name].default for name in wrong})
    if for_slack:
        problems += [each for each in config.problems() if each.split()[0].lower() not in wrong]
    if problems:
        raise BadConfig(problems)
    return config
