"""The legacy dialect on the wire: the computed vector of its signature, and its token request."""

from __future__ import annotations

from datetime import UTC, datetime

import jwt
import pytest

from services.payment.banks.legacy import signature, token_request

SECRET, TOKEN = "secret-TEST-0001", "tok-TEST-0001"
STAMP = 1_740_885_301
PATH = "/billing/000/0012345"
VECTOR = "bf64fd16193f3cf48ec90fa35364099a7b9d077fe7a1ddef952b24615ea94cae"


def test_the_signature_of_an_inquiry() -> None:
    assert signature(SECRET, PATH, "GET", TOKEN, STAMP, "") == VECTOR


@pytest.mark.parametrize(
    "changed",
    [
        (f"{SECRET}x", PATH, "GET", TOKEN, STAMP, ""),
        (SECRET, f"{PATH}6", "GET", TOKEN, STAMP, ""),
        (SECRET, PATH, "POST", TOKEN, STAMP, ""),
        (SECRET, PATH, "GET", f"{TOKEN}x", STAMP, ""),
        (SECRET, PATH, "GET", TOKEN, STAMP + 1, ""),
        (SECRET, PATH, "GET", TOKEN, STAMP, "{}"),
    ],
    ids=["secret", "path", "method", "token", "time stamp", "body"],
)
def test_the_signature_covers_every_part(changed: tuple[str, str, str, str, int, str]) -> None:
    assert signature(*changed) != VECTOR


def test_a_token_is_asked_for_with_a_short_lived_claim() -> None:
    now = datetime.fromtimestamp(STAMP, UTC)
    secret = SECRET * 2
    asked = token_request("us", secret, now)
    assert jwt.get_unverified_header(asked) == {"alg": "HS256", "kid": "us", "typ": "JWT"}
    claims = jwt.decode(
        asked,
        secret,
        algorithms=["HS256"],
        audience="access-token",
        options={"verify_exp": False},
    )
    wanted = {"sub": "va-online", "aud": "access-token", "iat": STAMP, "exp": STAMP + 3600}
    assert claims == wanted
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(asked, f"{secret}x", algorithms=["HS256"], audience="access-token")
