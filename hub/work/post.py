"""Sends letters: to a mail server, or as .eml files where none is set."""

from __future__ import annotations

import contextlib
import os
import smtplib
import ssl
import threading
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from hub.clock import Clock, SystemClock
from hub.steps.context import Letter, Post, PostRefused, PostUnavailable, PostUncertain
from hub.work.envelope import AddressUnusable, Sender, envelope

#: A connection unused for this long is not used again: servers drop idle ones in the middle.
_IDLE_SECONDS = 5.0
_SHAPE = (
    "SMTP_URL must look like smtp://user:password@host:587 (special characters of the user and the "
    "password percent-encoded)"
)
#: How the trouble of each exception is called; the first that fits counts.
_STAGES: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPRecipientsRefused, "recipient"),
    (smtplib.SMTPDataError, "message"),
    (smtplib.SMTPSenderRefused, "sender"),
    (smtplib.SMTPAuthenticationError, "user and password of SMTP_URL"),
    (smtplib.SMTPNotSupportedError, "no STARTTLS or no login there, though SMTP_URL asks for it"),
    (ssl.SSLError, "TLS, its certificate is not trusted"),
    (TimeoutError, "no answer in time"),
)


class SmtpUrlInvalid(ValueError):
    """SMTP_URL cannot be used. The message says what to write; it never repeats the URL."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes. `password` is never shown."""

    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def read(cls, url: str) -> SmtpServer:
        """From ``smtp[s]://[user:password@]host[:port][?starttls=required|no]``.

        smtp:// without `starttls` demands STARTTLS, except on a loopback address. User and password
        are percent-encoded. Raises `SmtpUrlInvalid`.
        """
        parts, port, options = _split(url)
        host, starttls = parts.hostname or "", options.pop("starttls", None)
        if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/"):
            raise SmtpUrlInvalid(_SHAPE)
        if options or starttls not in (None, "required", "no") or parts.fragment:
            raise SmtpUrlInvalid("the only option of SMTP_URL is starttls=required or starttls=no")
        if parts.scheme == "smtps" and starttls:
            raise SmtpUrlInvalid("smtps:// is encrypted from the start: leave starttls out")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not (user + password).isascii():
            raise SmtpUrlInvalid("user and password of SMTP_URL must be ASCII")
        tls = "implicit" if parts.scheme == "smtps" else _starttls(starttls, host)
        standard = {"implicit": 465, "starttls": 587}.get(tls, 25)
        return cls(host, port or standard, tls, user, password)


class SmtpPost:
    """Sends by SMTP. Letters that follow within seconds share a connection; one thread at a time.

    A 5xx to the recipient or to the message is `PostRefused`; everything else that goes wrong is
    `PostUnavailable`. Their messages hold the server's code and no address, name or password.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        clock: Clock | None = None,
        *,
        timeout: float = 20.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = SmtpServer.read(url)
        self._sender = Sender.read(sender)
        self._clock = clock or SystemClock()
        self._timeout = timeout
        self._tls = tls or ssl.create_default_context()
        self._lock = threading.Lock()
        self._open: smtplib.SMTP | None = None
        self._used = 0.0

    def send(self, letter: Letter) -> None:
        with self._lock:
            failure = self._attempt(letter)
        if (
            failure
        ):  # raised here, where no exception of smtplib, which holds addresses, is its context
            raise failure

    def close(self) -> None:
        """Say goodbye to the server, if there is a connection."""
        with self._lock:
            self._hang_up()

    def _attempt(self, letter: Letter) -> PostRefused | PostUnavailable | PostUncertain | None:
        handed_over = False
        try:
            message = envelope(letter, self._sender, self._clock.now())
            connection = self._connection()
            if message.needs_smtputf8 and not connection.has_extn("smtputf8"):
                return PostRefused("the mail server cannot deliver to a non-ASCII address")
            options = ["SMTPUTF8"] if message.needs_smtputf8 else []
            if connection.has_extn("8bitmime"):
                options.append("BODY=8BITMIME")
            _address(connection, message.sender, message.to, options)
            handed_over = True
            code, text = connection.data(message.content)
            if code != 250:
                raise smtplib.SMTPDataError(code, text)
        except AddressUnusable as unusable:
            return PostRefused(str(unusable))
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            self._hang_up()
            failure = _failure(error)
            answered = isinstance(error, smtplib.SMTPResponseException)
            if handed_over and not answered:
                return PostUncertain(f"handed over, then: {failure}")
            return failure
        self._used = self._clock.monotonic()
        return None

    def _connection(self) -> smtplib.SMTP:
        if self._open and self._clock.monotonic() - self._used < _IDLE_SECONDS:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                if self._open.noop()[0] == 250:
                    return self._open
        self._hang_up()
        self._open = self._connect()
        return self._open

    def _connect(self) -> smtplib.SMTP:
        server, name = self._server, self._sender.domain
        if server.tls == "implicit":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, name, timeout=self._timeout, context=self._tls
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, name, timeout=self._timeout)
        try:
            connection.ehlo_or_helo_if_needed()
            if server.tls == "starttls":
                connection.starttls(context=self._tls)
                connection.ehlo_or_helo_if_needed()
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection

    def _hang_up(self) -> None:
        if self._open:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._open.quit()
            self._open.close()
        self._open = None


class FilePost:
    """Writes each letter as an .eml file into a directory (0700); names sort by time."""

    def __init__(self, directory: Path, sender: str, clock: Clock | None = None) -> None:
        self._directory = directory
        self._sender = Sender.read(sender)
        self._clock = clock or SystemClock()

    def send(self, letter: Letter) -> None:
        try:
            message = envelope(letter, self._sender, self._clock.now())
        except AddressUnusable as unusable:
            raise PostRefused(str(unusable)) from None
        try:
            self._write(message.content)
        except OSError as error:
            raise PostUnavailable(f"the mail directory cannot be written: {error}") from error

    def _write(self, content: bytes) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{self._clock.now():%Y%m%dT%H%M%S.%fZ}-{self._clock.new_id()[-12:]}.eml"
        partial = self._directory / f".{name}.part"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._directory / name)


def post_from_url(
    smtp_url: str | None, var_dir: Path, mail_from: str, clock: Clock | None = None
) -> Post:
    """By SMTP if there is a URL, else into ``var_dir/mail``. Raises `SmtpUrlInvalid`, or
    `AddressUnusable` for a MAIL_FROM that is no address."""
    if smtp_url:
        return SmtpPost(smtp_url, mail_from, clock)
    return FilePost(var_dir / "mail", mail_from, clock)


def _split(url: str) -> tuple[SplitResult, int | None, dict[str, str]]:
    try:
        parts = urlsplit(url)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        return parts, parts.port, dict(options)
    except ValueError:
        pass
    # Raised here, without context: the library's complaint repeats a part of the URL.
    raise SmtpUrlInvalid(_SHAPE)


def _starttls(option: str | None, host: str) -> Literal["starttls", "none"]:
    if option:
        return "starttls" if option == "required" else "none"
    return "none" if _is_loopback(host) else "starttls"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(connection: smtplib.SMTP, sender: str, to: str, options: list[str]) -> None:
    """The envelope, RFC 5321 §4.1.1.2 and §4.1.1.3. Nothing of the letter has left after it."""
    connection.ehlo_or_helo_if_needed()
    code, text = connection.mail(sender, options)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, text, sender)
    code, text = connection.rcpt(to)
    if code not in {250, 251}:
        raise smtplib.SMTPRecipientsRefused({to: (code, text)})


def _failure(error: Exception) -> PostRefused | PostUnavailable:
    """What to do next, by the stage and the code. RFC 5321 §4.2.1: 5yz is for good."""
    if isinstance(error.__context__, TimeoutError):  # smtplib calls it a disconnection
        error = error.__context__
    stage = next((words for kind, words in _STAGES if isinstance(error, kind)), "connection")
    code = getattr(error, "smtp_code", 0)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next((answer for answer, _ in error.recipients.values()), 0)
    if 500 <= code < 600 and (stage in ("recipient", "message") or code == 552):
        # 552 to MAIL FROM: the message is too large for this server (RFC 1870 §6.1).
        return PostRefused(f"the mail server refused the {stage} with {code}")
    answer = f"answered {code}" if code else type(error).__name__
    return PostUnavailable(f"the mail server did not take the letter: {stage}, {answer}")
