"""Shopify: orders of shops that installed the app."""
