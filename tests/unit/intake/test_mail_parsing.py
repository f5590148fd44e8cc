"""Reading mails that anybody may have sent."""

from __future__ import annotations

import time

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.intake.mail.parsing import (
    MAX_ATTACHMENTS,
    MAX_DEPTH,
    MAX_PARTS,
    HugeHeaders,
    MailRefused,
    TooDeep,
    TooManyAttachments,
    TooManyParts,
    UnreadableMail,
    parse,
    shown,
)
from tests.unit.intake import letters, papers


def test_a_mail_is_read_with_its_text_its_sender_and_its_attachments() -> None:
    found = parse(letters.mail({"ktp.pdf": b"one", "denah ruko.jpg": b"two"}))
    assert (found.sender, found.subject) == (letters.SENDER, "Permohonan IMB")
    assert found.text == "Terlampir berkas saya — terima kasih."
    assert [(one.name, one.content) for one in found.attachments] == [
        ("ktp.pdf", b"one"),
        ("denah ruko.jpg", b"two"),
    ]
    assert found.warnings == ()


def test_the_same_mail_is_the_same_whatever_servers_on_the_way_add() -> None:
    mail = letters.mail()
    again = parse(b"Received: from mx.example.org by us\r\nReturn-Path: <a@b.example>\r\n" + mail)
    assert again.identity == parse(mail).identity
    others = {
        parse(one).identity
        for one in (
            mail,
            letters.mail(text="Lain"),
            letters.mail({"ktp.pdf": b"other"}),
            letters.mail(message_id="<dua@example.org>"),
        )
    }
    assert len(others) == 4


def test_a_mail_that_was_passed_on_brings_its_attachments() -> None:
    found = parse(letters.forwarded())
    assert [one.name for one in found.attachments] == ["ktp.pdf"]
    assert "Saya teruskan." in found.text
    assert "Ini berkasnya." in found.text


@pytest.mark.parametrize(
    ("mail", "refusal"),
    [
        (letters.nested(MAX_DEPTH + 1), TooDeep),
        (letters.nested(50), TooDeep),
        (letters.nested(5000), TooManyParts),
        (letters.mail({f"{n}.pdf": b"x" for n in range(MAX_ATTACHMENTS + 1)}), TooManyAttachments),
        (letters.mail({f"{n}.pdf": b"x" for n in range(200)}), TooManyParts),
        (letters.raw("From: a@example.org\nSubject: " + "x" * 30_000), HugeHeaders),
        (letters.raw("\n".join(f"X-{n}: y" for n in range(600))), HugeHeaders),
    ],
    ids=["one too deep", "50 deep", "5000 deep", "21", "200", "long header", "many headers"],
)
def test_a_mail_over_the_limits_is_refused_whole(mail: bytes, refusal: type[MailRefused]) -> None:
    with pytest.raises(refusal) as refused:
        parse(mail)
    assert refused.value.text


def test_as_much_as_is_allowed_is_taken() -> None:
    most = letters.mail({f"{n}.pdf": b"x" for n in range(MAX_ATTACHMENTS)})
    assert len(parse(most).attachments) == MAX_ATTACHMENTS
    assert parse(letters.nested(MAX_DEPTH)).text == "isi"


def test_a_million_parts_are_given_up_at_the_hundredth() -> None:
    body = b"--b\r\n\r\nx\r\n" * 1_000_000
    bomb = letters.raw("From: a@example.org\nContent-Type: multipart/mixed; boundary=b", body)
    before = time.process_time()
    with pytest.raises(TooManyParts):
        parse(bomb)
    # Taking a million parts apart takes tens of seconds.
    assert time.process_time() - before < 5
    assert MAX_PARTS == 100


@pytest.mark.parametrize("charset", ["utf-16", "x-none", "us-ascii", "\x00", "base64", '"'])
def test_a_wrong_charset_spoils_letters_and_nothing_else(charset: str) -> None:
    head = f"From: a@example.org\nSubject: s\nContent-Type: text/plain; charset={charset}"
    found = parse(letters.raw(head, "Terlampir — berkas\r\n".encode()))
    assert found.subject == "s"
    assert found.attachments == ()


def test_a_mail_that_was_cut_off_says_so_and_keeps_what_there_is() -> None:
    whole = letters.mail({"ktp.pdf": papers.pdf("ktp")})
    found = parse(whole[: len(whole) - 200])
    assert "cut-off" in found.warnings
    assert [one.name for one in found.attachments] == ["ktp.pdf"]
    assert "Terlampir" in found.text


@pytest.mark.parametrize(
    ("said", "warnings"),
    [
        ("mx.example.org; spf=pass smtp.mailfrom=example.org; dkim=pass", ()),
        ("mx.example.org; spf=fail smtp.mailfrom=example.org", ("spf-failed",)),
        (
            "mx.example.org; spf=softfail; dkim=FAIL; dmarc=fail (p=reject)",
            ("spf-failed", "dkim-failed", "dmarc-failed"),
        ),
        ("mx.example.org; none", ()),
    ],
)
def test_what_our_mail_server_found_out_becomes_a_warning(
    said: str, warnings: tuple[str, ...]
) -> None:
    found = parse(letters.mail(headers={"Authentication-Results": said}))
    assert found.warnings == warnings


def test_words_of_a_mail_in_html_alone_are_read_without_its_programs() -> None:
    html = b"<html><head><style>p{}</style></head><p>Berkas <b>saya</b></p><script>x()</script>"
    found = parse(letters.raw("From: a@example.org\nContent-Type: text/html", html))
    assert found.text == "Berkas saya"


@pytest.mark.parametrize(
    "name",
    ["=?utf-8?q?ktp=00.pdf?=", "../../etc/passwd", "=?x-none?b?a3Rw?=", "=?utf-8?b?///?="],
)
def test_a_name_is_handed_on_as_it_is_for_others_to_judge(name: str) -> None:
    head = f'From: a@example.org\nContent-Disposition: attachment; filename="{name}"'
    [attachment] = parse(letters.raw(head)).attachments
    assert attachment.name


def test_a_sender_that_is_no_address_is_shown_without_its_tricks() -> None:
    found = parse(
        letters.raw("From: =?utf-8?q?ayu=E2=80=AEgro=00?=\nSubject: =?utf-8?q?a=0D=0Ab?=")
    )
    assert found.sender == "ayu gro"
    assert found.subject == "a b"
    assert shown("x" * 500, 10) == "x" * 10


def test_a_boundary_in_pieces_that_do_not_fit_refuses_the_mail_for_good() -> None:
    head = "Content-Type: multipart/mixed; boundary*0=a; boundary*=utf-8''b"
    with pytest.raises(UnreadableMail):
        parse(letters.raw(f"From: a@example.org\n{head}"))


def test_html_that_is_none_is_read_up_to_there() -> None:
    html = b"<p>Berkas saya</p><![ x <p>more</p>"
    found = parse(letters.raw("From: a@example.org\nContent-Type: text/html", html))
    assert found.text.startswith("Berkas saya")


_SEEDS = (letters.mail({"ktp.pdf": b"isi"}), letters.forwarded(), letters.nested(3))
_TOKENS = (
    b"\0",
    b"\r\n",
    b"--",
    b"=?utf-8?b?",
    b"boundary*0=",
    b"filename*0*=''",
    b'charset="\0"',
    b"\r\nContent-Type: message/rfc822\r\n\r\n",
    b"\r\nContent-Type: text/html\r\n",
    b"<![",
    b'"',
)


@for_all(
    st.sampled_from(_SEEDS),
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(0, 20), st.sampled_from(_TOKENS)), max_size=12
    ),
)
def test_no_damage_to_a_mail_can_break_it(
    mail: bytes, damages: list[tuple[int, int, bytes]]
) -> None:
    for place, gone, token in damages:
        mail = mail[:place] + token + mail[place + gone :]
    try:
        found = parse(mail)
    except MailRefused:
        return
    assert len(found.attachments) <= MAX_ATTACHMENTS


@for_all(st.binary(max_size=2000))
def test_no_bytes_can_break_it(content: bytes) -> None:
    try:
        found = parse(content)
    except MailRefused:
        return
    assert len(found.identity) == 64
