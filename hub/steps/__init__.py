"""The walk of a sale, one use case a file: receive ingest invite request seal stamp deliver."""
