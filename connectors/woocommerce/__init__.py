"""WooCommerce: orders of a WordPress shop."""
