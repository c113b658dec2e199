"""One request to a store: the PyPI client, sent through the guard of `connectors.net`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import requests
from requests.auth import HTTPBasicAuth
from woocommerce import API

from connectors import net
from connectors.contract import PlatformUnreachable


class OutOfTime(PlatformUnreachable):
    """The store took longer for all its answers than there is time for."""

    def __init__(self) -> None:
        super().__init__("the store takes too long to answer")


class Api(API):  # type: ignore[misc] # the library has no types
    """The PyPI client, sending through the guard.

    It calls `requests.request` itself and offers no hook (woocommerce 3.0.0, api.py), so its one
    private method that does is replaced; its addresses and its OAuth are used as they are.
    """

    allow_private = False
    seconds = net.READ_SECONDS
    #: How much is left of the time for all requests.
    left: Callable[[], float]

    def _API__request(  # noqa: N802 - the library's own name, mangled
        self,
        method: str,
        endpoint: str,
        data: object,
        params: Mapping[str, str] | None = None,
    ) -> net.Answer:
        body = None if data is None else json.dumps(data).encode()
        url = requests.Request(method, self._API__get_url(endpoint), params=params).prepare().url
        headers = {"user-agent": self.user_agent, "accept": "application/json"}
        # A compressed answer can be a thousand times what crosses the wire.
        headers["accept-encoding"] = "identity"
        if body is not None:
            headers["content-type"] = "application/json;charset=utf-8"
        auth = None
        if self.is_ssl:
            auth = HTTPBasicAuth(self.consumer_key.encode(), self.consumer_secret.encode())
        else:
            # Without TLS the store takes no password: OAuth 1.0a, which signs the address.
            url = self._API__get_oauth_url(url, method)
        left = self.left()
        if left <= 0:
            raise OutOfTime
        return net.send(
            method,
            str(url),
            allow_private=self.allow_private,
            seconds=min(self.seconds, left),
            total=min(net.TOTAL_SECONDS, left),
            headers=headers,
            auth=auth,
            data=body,
        )
