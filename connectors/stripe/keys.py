"""Whether a key is good, what it may not do, and whose it is."""

from __future__ import annotations

from connectors.contract import CredentialsRefused
from connectors.stripe.client import Api, Forbidden, understood
from connectors.stripe.permissions import READ


def check(api: Api) -> None:
    """Try all that the hub reads. Raises `CredentialsRefused` that names all that is missing."""
    missing: dict[str, None] = {}
    for one in READ:
        try:
            api.get(one.path, limit=1)
        except Forbidden:
            missing[one.words] = None
    if missing:
        raise CredentialsRefused(
            f"the restricted key lacks permissions; give it, in Stripe's dashboard: "
            f"{', '.join(missing)}"
        )


def account_of(api: Api) -> str:
    """`acct_…`; "" if Stripe does not say.

    Few restricted keys may read the account, but the refusal names it
    (https://github.com/stripe/stripe-node/issues/2246).
    """
    try:
        found = api.get("/v1/account")
    except Forbidden as error:
        return error.account
    with understood():
        return found.text("id", "")
