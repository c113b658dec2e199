"""WhatsApp by Meta's Cloud API: a message of a template that Meta approved for the merchant.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/template-messages
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from connectors import net
from hub.steps.context import (
    ChannelBroken,
    Message,
    PostRefused,
    PostUnavailable,
    PostUncertain,
)

#: https://developers.facebook.com/docs/graph-api/changelog: of July 2026, there until 2028.
VERSION: Final = "v26.0"
GRAPH: Final = "https://graph.facebook.com"
#: https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
#: No message gets to this person: no WhatsApp, not wanted, or not in the list of a test number.
_REFUSED: Final = frozenset({130472, 131021, 131026, 131030, 131049, 131050})
#: Too many at once, or their service is away: surely not sent.
_LATER: Final = frozenset({2, 4, 80007, 130429, 131016, 131048, 131056, 131057, 133004})
#: "Unknown": it may have been sent.
_UNKNOWN: Final = frozenset({1, 131000})
_ID: Final = re.compile(r"[0-9]{5,25}")
_TEMPLATE: Final = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_APP_SECRET: Final = re.compile(r"|[0-9a-f]{32}")
_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class WhatsApp:
    phone_id: str
    template: str
    reminder_template: str
    language: str
    token: str = field(repr=False)
    base: str = GRAPH
    allow_private: bool = False

    @classmethod
    def read(cls, settings: Mapping[str, str], *, allow_private: bool) -> WhatsApp:
        """Raises `ChannelBroken`: a word about each of the settings, never the token."""
        template = settings.get("template", "")
        made = cls(
            phone_id=settings.get("phone_id", ""),
            template=template,
            reminder_template=settings.get("reminder_template") or template,
            language=settings.get("language", ""),
            token=settings.get("token", "").strip(),
            base=(allow_private and settings.get("url")) or GRAPH,
            allow_private=allow_private,
        )
        if not _ID.fullmatch(made.phone_id):
            raise ChannelBroken("the id of the phone is a number: WhatsApp Manager shows it")
        if not (_TEMPLATE.fullmatch(template) and _TEMPLATE.fullmatch(made.reminder_template)):
            raise ChannelBroken("a template's name has small letters, digits and _ only")
        if not _LANGUAGE.fullmatch(made.language):
            raise ChannelBroken("the language is that of the template, e.g. es_MX")
        if not (made.token.isascii() and made.token.isprintable() and 20 <= len(made.token) < 1000):
            raise ChannelBroken("that is no access token of Meta's")
        if not _APP_SECRET.fullmatch(settings.get("app_secret", "")):
            raise ChannelBroken("an app secret has 32 digits of base 16: App settings, Basic")
        return made

    def send(self, message: Message) -> None:
        try:
            answer = net.send(
                "POST",
                f"{self.base}/{VERSION}/{self.phone_id}/messages",
                allow_private=self.allow_private,
                seconds=_SECONDS,
                headers={"Authorization": f"Bearer {self.token}"},
                json=self._body(message),
            )
        except net.AddressRefused:
            raise ChannelBroken("the address of WhatsApp leads into a private network") from None
        except net.AnswerTooLarge:
            raise PostUncertain("WhatsApp answered without end") from None
        except requests.RequestException as error:
            failure: Exception | None = _unanswered(error)
        else:
            failure = _of(answer.status, answer.body)
        if failure is not None:  # without the library's exception, which holds the request
            raise failure

    def _body(self, message: Message) -> dict[str, Any]:
        reminds = message.occasion == "reminder"
        components = [
            {"type": "body", "parameters": [_text(one) for one in message.parameters]},
            {"type": "button", "sub_type": "url", "index": "0",
             "parameters": [_text(message.token)]},
        ]  # fmt: skip
        # At most 512 characters, which come back with each status of the message.
        known_as = {"biz_opaque_callback_data": message.reference} if message.reference else {}
        return {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **known_as,
            "to": message.to.removeprefix("+"),
            "type": "template",
            "template": {
                "name": self.reminder_template if reminds else self.template,
                "language": {"code": self.language},
                "components": components,
            },
        }


def mended_by_people(code: int) -> bool:
    """Whether a failure told with that code is the channel's, not the message's or the buyer's."""
    return bool(code) and code not in _REFUSED | _LATER | _UNKNOWN


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _unanswered(error: requests.RequestException) -> Exception:
    """Whether anything was sent before it broke."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    never = isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError)
    if never or isinstance(reason, NewConnectionError | ConnectTimeoutError):
        return PostUnavailable("WhatsApp cannot be reached")
    return PostUncertain("WhatsApp did not answer")


def _of(status: int, body: bytes) -> Exception | None:
    """None if it was taken."""
    told = _json(body)
    if 200 <= status < 300:
        sent = told.get("messages")
        if isinstance(sent, list) and sent and isinstance(sent[0], dict) and sent[0].get("id"):
            return None
        return PostUncertain("WhatsApp answered something else than a message")
    error = told.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    code = code if isinstance(code, int) else 0
    word = f"WhatsApp answered {status}, code {code or 'none'}"
    if code in _LATER or status == 429:
        return PostUnavailable(word)
    if code in _REFUSED:
        return PostRefused(word)
    if code in _UNKNOWN or status >= 500 or status == 408:
        return PostUncertain(word)
    return ChannelBroken(f"{word}: see Meta's list of error codes")


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
