"""`autofactura`: every command. `--json` on each; exit 0, 2 for bad arguments, 1 otherwise."""

from __future__ import annotations

import click

from hub.commands import (
    apps,
    audit,
    books,  # noqa: F401 - adds its command to those of connections
    brand,
    cancellation,  # noqa: F401 - adds its commands to those of invoices
    channel,
    connection,
    customer,
    inbox,
    invoice,
    merchant,
    ops,
    outbox,
    papers,
    review,
    run,
    sale,
    tickets,  # noqa: F401 - adds its commands to those of sales
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autofactura-hub")
def main() -> None:
    """Turn paid orders into CFDI 4.0 invoices. Settings come from the environment: see README."""


for _group in (
    merchant.merchant,
    merchant.csd_group,
    merchant.pac,
    merchant.rules,
    brand.brand,
    apps.app_group,
    connection.connection,
    channel.channel,
    channel.mail,
    inbox.inbox,
    sale.sale,
    customer.customer,
    invoice.invoice,
    review.review,
    audit.audit,
    outbox.outbox,
    run.keys,
):
    main.add_command(_group)

for _holder in (run.processes, ops.ops, papers.papers):
    for _command in _holder.commands.values():
        main.add_command(_command)


if __name__ == "__main__":
    main()
