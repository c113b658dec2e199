"""The buyer's page: five fiscal data in, a stamped CFDI out."""
