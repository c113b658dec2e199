"""Logs: one JSON object a line, only fields that were named, nothing that identifies a person."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from hub.store.errors import StoreUnavailable

#: The last line of defence: call sites name ids and codes only, these catch what slips through.
_SECRETS = (
    (re.compile(r"(?i)(?<![A-Z0-9Ñ&])[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}(?![A-Z0-9])"), "[rfc]"),
    (re.compile(r"[\w.+%'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "[email]"),
    (re.compile(r"(/f/|/s/[\w-]+/[\w%.:-]+/)[\w%.-]+(?:\?[^\s\"']*)?"), r"\1[token]"),
    # A link token: 256 bits in base64url. Ids have 32 characters, hashes 64.
    (re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])"), "[token]"),
    # Of stores, of Stripe, and of Shopify (shpat_, shpss_, shpca_ …); a JSON Web Token.
    (re.compile(r"\b(ck|cs|sk|rk|pk|whsec|shp[a-z]{2})_[\w+/=-]+"), "[key]"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "[jwt]"),
    (re.compile(r"(://)[^/\s@]+@"), r"\1[credentials]@"),
    (re.compile(r"(Bearer|Basic) [\w.~+/=-]+"), r"\1 [credentials]"),
)


def redact(text: str) -> str:
    """The text without RFCs, e-mail addresses, link tokens, API keys and passwords in URLs."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def places(error: BaseException) -> list[str]:
    """The lines of code an error went through, where it was raised first. Never its message."""
    return [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    ]


def whereabouts(error: BaseException) -> str:
    """The kind of error and the line that raised it. Never its message: that may hold anything."""
    return " at ".join([type(error).__name__, *places(error)[:1]])


def _redacting(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return redact(str(value))


def _placing(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its kind and the lines of code it went through, never with its message.

    A message may hold anything: a name, an address, a piece of an order. Only what makes a
    database unavailable is told, without which nobody could mend it.
    """
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = places(error)
    if isinstance(error, StoreUnavailable):
        event["reason"] = str(error)  # "database or disk is full": of the server, not of a row
    return event


class _StandardError:
    """Standard error as it is when something is written."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _placing,
    _redacting,
]
# One list for the life of the process: a logger keeps the list it was first used with, and whoever
# listens in (`structlog.testing.capture_logs`) changes the list that is configured now.
_PROCESSORS: list[Any] = [*_SHARED, structlog.processors.JSONRenderer(ensure_ascii=False)]


def configure(level: str) -> None:
    """Send structlog and the standard library's loggers to standard error, redacted."""
    stream: Any = _StandardError()
    threshold = getattr(logging, level.upper())
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _redacting,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, threshold))
