"""Stripe: invoices, Checkout, payments."""
