"""Certification providers (PAC): one contract, one adapter a file."""
