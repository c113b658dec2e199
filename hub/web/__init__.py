"""HTTP for machines: webhooks and health."""
