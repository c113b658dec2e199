"""SMS by any provider that apprise speaks to: https://github.com/caronc/apprise/wiki

Apprise says only that a sending failed; what it logs about it is read here and goes nowhere else,
because it may hold the number. What cannot be told is taken for sent: no message goes twice.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import apprise

from hub.steps.context import (
    ChannelBroken,
    Message,
    PostRefused,
    PostUnavailable,
    PostUncertain,
)

#: Where the URL has the buyer's number.
PLACE: Final = "{telefono}"
#: Providers of SMS whose host is their own: a URL of theirs leads nowhere else.
PROVIDERS: Final = frozenset(
    {
        "46elks", "atalk", "bulksms", "bulkvs", "burstsms", "clickatell", "clicksend", "d7sms",
        "httpsms", "infobip", "kavenegar", "kudosity", "msg91", "msgbird", "nexmo", "plivo",
        "seven", "sinch", "sns", "telnyx", "twilio", "voipms", "vonage",
    }
)  # fmt: skip
#: A gateway of the merchant's own, which may stand in a private network.
OWN: Final = frozenset({"json", "jsons"})
#: What every plug-in logs of an answer that was no success.
_STATUS: Final = re.compile(r"error=(\d{3})\b")
#: Of urllib3, where no connection came about: nothing was sent.
_UNCONNECTED: Final = re.compile(
    r"NewConnectionError|ConnectTimeoutError|NameResolutionError|SSLError|ProxyError"
)
#: Who is logged in, what is paid for, what the number may send: a person's to mend.
_MENDED_BY_PEOPLE: Final = frozenset({401, 402, 403, 404, 405})
_LIMIT: Final = 2000
_SECONDS: Final = 30.0

_log = logging.getLogger("apprise")
_log.propagate = False


@dataclass(frozen=True, slots=True)
class Sms:
    url: str = field(repr=False)

    @classmethod
    def read(cls, settings: Mapping[str, str], *, allow_private: bool) -> Sms:
        """Raises `ChannelBroken`; its message never repeats the URL."""
        url = settings.get("url", "").strip()
        scheme = url.partition("://")[0].lower()
        if scheme in OWN and not allow_private:
            raise ChannelBroken("json:// and jsons:// need ALLOW_PRIVATE_HOSTS=1")
        if scheme not in PROVIDERS | OWN:
            raise ChannelBroken("not the apprise URL of a provider of SMS: docs/channels.md")
        if PLACE not in url or len(url) > _LIMIT:
            raise ChannelBroken(f"the URL needs {PLACE} where the number of the buyer goes")
        made = cls(url)
        made._plugin("525500000000")
        return made

    def send(self, message: Message) -> None:
        plugin = self._plugin(message.to.removeprefix("+"))
        told: list[tuple[bool, str]] = []

        def notify() -> None:
            with _captured(logging.DEBUG) as captured:
                taken = plugin.notify(body=message.text, title="")
                told.append((bool(taken), captured.getvalue()[-_LIMIT * 10 :]))

        # Apprise waits for each piece of an answer, and for as many as there come.
        sending = threading.Thread(target=notify, daemon=True)
        sending.start()
        sending.join(_SECONDS)
        if not told:
            raise PostUncertain("the provider of SMS did not come to an end")
        if not told[0][0]:
            raise _failure(told[0][1])

    def _plugin(self, digits: str) -> Any:
        """Apprise's own object. Raises `ChannelBroken`."""
        with _captured(logging.CRITICAL):
            made = apprise.Apprise.instantiate(
                self.url.replace(PLACE, digits), suppress_exceptions=True
            )
        if made is None:
            raise ChannelBroken("apprise cannot read this URL: look it up in apprise's wiki")
        return made


def _captured(level: int) -> Any:
    """What apprise logs within it, as `getvalue()`."""
    capture: Any = apprise.LogCapture  # without types
    return capture(level=level)


def _failure(said: str) -> Exception:
    """What to do next, by what apprise logged. Its text is not repeated."""
    found = _STATUS.findall(said)
    status = int(found[-1]) if found else 0
    if status in {429, 503}:  # RFC 9110 §15.6.4: unable to handle the request for now
        return PostUnavailable(f"the provider of SMS answered {status}")
    if status in _MENDED_BY_PEOPLE:
        return ChannelBroken(f"the provider of SMS answered {status}: keys, balance or permissions")
    if 400 <= status < 500:
        return PostRefused(f"the provider of SMS refused it with {status}")
    if not status and _UNCONNECTED.search(said):
        return PostUnavailable("the provider of SMS cannot be reached")
    return PostUncertain(f"the provider of SMS answered {status or 'nothing'}")
