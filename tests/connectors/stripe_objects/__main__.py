"""``python -m tests.connectors.stripe_objects``: writes tests/connectors/payloads/stripe/ anew."""

from __future__ import annotations

from tests.connectors.stripe_objects.writing import FOLDER, files

if __name__ == "__main__":
    for name, content in files().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
