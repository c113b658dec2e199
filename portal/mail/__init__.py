"""The letters a buyer gets."""
