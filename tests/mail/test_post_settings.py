from __future__ import annotations

import stat
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from hub.steps.context import Letter, PostRefused, PostUnavailable
from hub.work.post import FilePost, SmtpPost, SmtpServer, SmtpUrlInvalid, post_from_url

Letters = Callable[..., Letter]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 587, "starttls")),
        ("smtp://mail.example.com:25?starttls=no", SmtpServer("mail.example.com", 25, "none")),
        ("smtp://mail.example.com/?starttls=no", SmtpServer("mail.example.com", 25, "none")),
        ("smtps://u:p@mail.example.com", SmtpServer("mail.example.com", 465, "implicit", "u", "p")),
        ("smtp://localhost", SmtpServer("localhost", 25, "none")),
        ("smtp://[::1]:1025", SmtpServer("::1", 1025, "none")),
        ("smtp://127.0.0.1?starttls=required", SmtpServer("127.0.0.1", 587, "starttls")),
        ("smtp://u%40x:p%3A%2F@h", SmtpServer("h", 587, "starttls", "u@x", "p:/")),
    ],
)
def test_smtp_url(url: str, server: SmtpServer) -> None:
    assert SmtpServer.read(url) == server


@pytest.mark.parametrize(
    "url",
    [
        *(
            "mail.example.com:587",
            "http://mail.example.com",
            "smtp://",
            "smtp://:25",
            "smtp:secreto",
        ),
        *("smtp://u:secreto@h:port", "smtp://u:se/secreto@h", "smtp://u:secreto@h:99999"),
        *("smtp://u:secreto@h?starttls=maybe", "smtp://u:secreto@h?tls=1", "smtp://u:secreto@h#x"),
        *(
            "smtps://u:secreto@h?starttls=required",
            "smtp://u:secreto@h/path",
            "smtp://u:p[secreto@h",
        ),
        *("smtp://u:secreto@h?starttls", "smtp://u:secreto%C3%B1@h"),
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SmtpUrlInvalid) as caught:
        SmtpServer.read(url)
    assert "secreto" not in f"{caught.value} {caught.value.__context__!r}"
    assert "SMTP_URL" in str(caught.value) or "smtps" in str(caught.value)


def test_the_url_decides_how_mail_goes(tmp_path: Path) -> None:
    assert isinstance(post_from_url(None, tmp_path, "a@example.com"), FilePost)
    assert isinstance(post_from_url("", tmp_path, "a@example.com"), FilePost)
    assert isinstance(post_from_url("smtp://localhost", tmp_path, "a@example.com"), SmtpPost)


def test_files_sort_by_time_and_are_whole_and_private(
    tmp_path: Path, letter: Letters, clock
) -> None:
    post = post_from_url(None, tmp_path / "var", "facturas@hub.example.com", clock)
    for number in range(3):
        post.send(letter(subject=f"Carta {number}"))
        post.send(letter(subject=f"Carta {number}, de nuevo"))
        clock.advance(1)
    directory = tmp_path / "var" / "mail"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    files = sorted(directory.iterdir())
    assert [file.suffix for file in files] == [".eml"] * 6
    assert files[0].name.startswith("20261120T180000.000000Z-")
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    subjects = [
        message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"] for file in files
    ]
    assert subjects[::2] == ["Carta 0", "Carta 1", "Carta 2"]


def test_a_directory_that_cannot_be_written_is_trouble_for_later(
    tmp_path: Path, letter: Letters, clock
) -> None:
    in_the_way = tmp_path / "mail"
    in_the_way.write_text("")
    with pytest.raises(PostUnavailable, match="mail directory"):
        FilePost(in_the_way, "facturas@hub.example.com", clock).send(letter())


def test_files_too_are_only_for_addresses(tmp_path: Path, letter: Letters, clock) -> None:
    with pytest.raises(PostRefused):
        FilePost(tmp_path, "facturas@hub.example.com", clock).send(letter(to="nadie"))
    assert list(tmp_path.iterdir()) == []
