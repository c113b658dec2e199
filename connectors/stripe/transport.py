"""How the SDK's requests go out: judged, bounded in time and size, never sent on elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
import stripe

from connectors import net

#: The longest silence of one answer. The SDK's own limit is 80 s.
READ_SECONDS: Final = 20.0
#: Beyond the first try; the SDK's client has none of its own. 429 is not among what it repeats:
#: https://github.com/stripe/stripe-python#configuring-automatic-retries
RETRIES: Final = 2

# The SDK logs whole answers at DEBUG, and refusals, whose words hold part of the key, at INFO.
logging.getLogger("stripe").setLevel(logging.WARNING)


class Transport(stripe.HTTPClient):
    """One connection for each request, as for any shop; `left` is the time for all together."""

    name = "requests"

    def __init__(self, left: Callable[[], float], *, allow_private: bool) -> None:
        super().__init__()
        self._left, self._allow_private = left, allow_private

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> Any:
        """Body, status and headers. Raises `stripe.APIConnectionError`, without the address."""
        left = self._left()
        if left <= 0:
            raise _failed("out of time", again=False)
        answer = self._sent(method, url, dict(headers or {}), post_data, left)
        if isinstance(answer, stripe.APIConnectionError):
            raise answer  # here, where no error that holds the request is its context
        return answer.body, answer.status, answer.headers

    def _sent(
        self, method: str, url: str, headers: dict[str, str], data: Any, left: float
    ) -> net.Answer | stripe.APIConnectionError:
        try:
            return net.send(
                method.upper(),
                url,
                allow_private=self._allow_private,
                seconds=min(READ_SECONDS, left),
                total=left,
                headers=headers,
                data=data,
            )
        except (requests.Timeout, requests.ConnectionError):
            return _failed("no answer", again=True)
        except (requests.RequestException, net.AddressRefused, net.AnswerTooLarge) as error:
            return _failed(type(error).__name__, again=False)

    def close(self) -> None:
        """Nothing is kept open."""


def _failed(why: str, *, again: bool) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(why, should_retry=again)  # type: ignore[no-untyped-call]  # the SDK's
