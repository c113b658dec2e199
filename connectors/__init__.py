"""Sales platforms. This file keeps `import stripe` from finding our own folder of that name."""
