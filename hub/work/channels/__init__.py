"""What messages go by beside e-mail: SMS through apprise, WhatsApp through Meta's Cloud API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.steps.context import ChannelBroken, Messenger


@dataclass(frozen=True, slots=True)
class Messengers:
    """`Context.messenger` of an installation."""

    allow_private: bool = False

    def __call__(self, kind: str, settings: Mapping[str, str]) -> Messenger:
        """Raises `ChannelBroken` if these settings cannot work. Reaches nothing."""
        # Apprise takes 40 MB: only a process that sends has it.
        if kind == "sms":
            from hub.work.channels.sms import Sms  # noqa: PLC0415 - see above

            return Sms.read(settings, allow_private=self.allow_private)
        if kind == "whatsapp":
            from hub.work.channels.whatsapp import WhatsApp  # noqa: PLC0415 - as the other

            return WhatsApp.read(settings, allow_private=self.allow_private)
        raise ChannelBroken("no such kind of channel")
