"""SNAP signatures against published and computed vectors, and what must not pass for them."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from services.payment.banks.snap import (
    asymmetric_text,
    body_hash,
    minify,
    parse_timestamp,
    public_key,
    same_signature,
    sign_rsa,
    symmetric_signature,
    symmetric_text,
    verify_rsa,
    within_skew,
)
from services.payment.banks.tokens import AccessTokens

SECRET, TOKEN = "secret-TEST-0001", "tok-TEST-0001"
STAMP = "2025-03-02T10:15:01+07:00"
PATH = "/v1.0/transfer-va/payment"
# The dash in the name is U+2013, so that a minifier which escapes it is found out.
BODY = (
    '{"partnerServiceId":"   12345","customerNo":"2503000000042",'
    '"virtualAccountNo":"   123452503000000042","virtualAccountName":"CV Maju/Jaya – Bandung",'
    '"paymentRequestId":"20250302101500123450000000001",'
    '"paidAmount":{"value":"1250000.00","currency":"IDR"},'
    '"trxDateTime":"2025-03-02T10:15:00+07:00","referenceNo":"00113696201","flagAdvise":"N"}'
).encode()
BODY_SHA256 = "f69baecbc467e4b8ce5ddb65797b827319d3c804f85f6c8aa1c8393a599d2352"

# Published in the public repository Midtrans/SNAP-BI-Signature-Demo, with white space as there.
PUBLISHED_BODY = b"""{
  "partnerReferenceNo": "2020102900000000000001",
  "amount": {
    "value": "12345678.00",
    "currency": "IDR"
  },
  "feeAmount": {
    "value": "12345678.00",
    "currency": "IDR"
  },
  "merchantId": "00007100010926",
  "terminalId": "213141251124",
  "validityPeriod": "2009-07-03T12:08:56-07:00"
}"""


def test_the_published_vector() -> None:
    text = symmetric_text(
        "POST",
        "/v1.0/qr/qr-mpm-generate",
        "myaccesstoken",
        body_hash(PUBLISHED_BODY),
        "2024-03-05T10:37:16.196Z",
    )
    assert symmetric_signature("myclientsecret", text, "base64") == (
        "wmzT7yjg1SxxCsxNsFgCR9SYXiZGGbceF6fV8xe97sAMHxZ+7OEBMIBmvb6Sj6GcksGp3iv77DiomgSbcST3XQ=="
    )


def test_a_payment_in_both_encodings() -> None:
    assert len(BODY) == 342
    assert body_hash(BODY) == BODY_SHA256
    text = symmetric_text("POST", PATH, TOKEN, body_hash(BODY), STAMP)
    assert symmetric_signature(SECRET, text, "hex") == (
        "60bb9d38c5c28fddd4640cc1abe583ebe540025c97767e5c1890686c7e35d534"
        "c78f2fefe6331c18e5e49a495e4025bd427c6baed9bedf900f43cf5b8c479813"
    )
    assert symmetric_signature(SECRET, text, "base64") == (
        "YLudOMXCj93UZAzBq+WD6+VAAlyXdn5cGJBobH411TTHjy/v5jMcGOXkmkleQCW9Qnxrrtm+35APQ89bjEeYEw=="
    )


def test_an_empty_body_with_a_query() -> None:
    text = symmetric_text("GET", "/v1.0/transfer-va/report?a=1", TOKEN, body_hash(b""), STAMP)
    assert symmetric_signature(SECRET, text, "base64") == (
        "F5OsU1agxWL1PXrRkpk6k/UfR2PHfhb0K6HAxOnKmr8UL7JwbEYigy5xp4yCdU6DamJHzLPvmhGERtBWQpLVeA=="
    )


@pytest.mark.parametrize(
    ("wrong", "starts"),
    [
        (json.dumps(json.loads(BODY), separators=(",", ":")).encode(), "48781d92"),
        (
            json.dumps(json.loads(BODY), separators=(",", ":")).replace("/", "\\/").encode(),
            "bafbaf21",
        ),
        (re.sub(rb"\s", b"", BODY), "18fb4a2c"),
    ],
    ids=["escapes non-ASCII", "escapes slashes too", "strips every space"],
)
def test_a_wrong_minifier_signs_something_else(wrong: bytes, starts: str) -> None:
    digest = body_hash(wrong)
    assert digest.startswith(starts)
    assert digest != BODY_SHA256


def test_white_space_outside_strings_does_not_matter() -> None:
    spread = json.dumps(json.loads(BODY), indent=3, ensure_ascii=False).encode()
    assert minify(spread) == BODY
    assert body_hash(spread, raw=True) != BODY_SHA256


@pytest.mark.parametrize(
    "body",
    [
        rb'{"a":"two  words","b":"say \"hi\" \\"}',
        rb'{"n":1.50,"e":1E5,"u":"\u2013"}',
        rb'{"z":1,"a":2,"z":3}',
        rb'"never  ends',
        b"",
    ],
)
def test_minify_keeps_everything_else(body: bytes) -> None:
    assert minify(body) == body


@given(st.recursive(st.text() | st.integers() | st.none(), lambda v: st.lists(v, max_size=4)))
def test_minify_is_the_lexical_form_of_any_json(value: object) -> None:
    spread = json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    tight = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert minify(spread) == tight.encode("utf-8", "surrogatepass")


def test_a_hostile_body_is_minified_in_one_pass() -> None:
    began = time.perf_counter()
    minify(rb'"' + rb"\"" * 120_000)
    minify(b'"' * 250_000)
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    "text",
    ["2024-03-05T10:37:16Z", "2024-03-05T10:37:16.196Z", "2024-03-05T17:37:16.1+07:00"],
)
def test_timestamps_with_and_without_fractions(text: str) -> None:
    stamp = parse_timestamp(text)
    assert stamp is not None
    assert within_skew(stamp, datetime(2024, 3, 5, 10, 37, 16, tzinfo=UTC), 1)


@pytest.mark.parametrize(
    "text",
    ["", "2024-03-05", "2024-03-05T10:37:16", "20240305T103716Z", "2024-13-05T10:37:16Z", "now"],
)
def test_other_timestamps_are_malformed(text: str) -> None:
    assert parse_timestamp(text) is None


def test_skew_is_bounded_on_both_sides() -> None:
    now = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    for sign in (1, -1):
        assert within_skew(now + sign * timedelta(seconds=300), now, 300)
        assert not within_skew(now + sign * timedelta(seconds=300.001), now, 300)


def test_comparing_takes_any_header() -> None:
    assert same_signature("abc", "abc")
    assert not same_signature("abc", "ünïcode")


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def usable(pem: bytes) -> rsa.RSAPublicKey:
    key = public_key(pem)
    assert key is not None
    return key


def test_a_token_request_is_verified_with_the_partners_public_key() -> None:
    text = "jejak-bank|2025-03-02T10:15:01+07:00"
    signature = KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()
    key = usable(public_pem(KEY))
    assert verify_rsa(key, text, signature, "hex")
    assert not verify_rsa(key, text + " ", signature, "hex")
    assert not verify_rsa(key, text, signature, "base64")
    assert not verify_rsa(key, text, "zz", "hex")


def test_our_own_signature_verifies_in_both_encodings() -> None:
    for encoding in ("hex", "base64"):
        assert verify_rsa(KEY.public_key(), "a|b", sign_rsa(KEY, "a|b", encoding), encoding)


def test_a_transaction_without_a_token_is_signed_with_the_key() -> None:
    text = asymmetric_text("POST", PATH, BODY_SHA256, STAMP)
    assert text == f"POST:{PATH}:{BODY_SHA256}:{STAMP}"
    assert verify_rsa(KEY.public_key(), text, sign_rsa(KEY, text, "hex"), "hex")


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        public_pem(ec.generate_private_key(ec.SECP256R1())),
        public_pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    ],
    ids=["nothing", "broken", "another kind", "too short"],
)
def test_only_a_long_rsa_key_is_a_key(pem: bytes) -> None:
    assert public_key(pem) is None


def test_another_padding_is_not_the_standards() -> None:
    text = "jejak-bank|2025-03-02T10:15:01+07:00"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    signature = KEY.sign(text.encode(), pss, hashes.SHA256()).hex()
    assert not verify_rsa(KEY.public_key(), text, signature, "hex")


def test_a_token_is_bound_to_its_client_and_ends() -> None:
    tokens, now = AccessTokens("s" * 40), datetime(2026, 1, 5, tzinfo=UTC)
    token = tokens.issue("jejak-bank", now, 900)
    assert tokens.client_of(token, now + timedelta(seconds=899)) == "jejak-bank"
    assert tokens.client_of(token, now + timedelta(seconds=900)) is None
    assert AccessTokens("t" * 40).client_of(token, now) is None
    for changed in ("", ".", "x.y", f"{token}x", "A" + token, token + "=", "ü.ü"):
        assert tokens.client_of(changed, now) is None
