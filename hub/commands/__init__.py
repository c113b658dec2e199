"""The commands of `autofactura`, a file a subject."""
