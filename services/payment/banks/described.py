"""SNAP's calls as OpenAPI describes them: headers, bodies and answers.

Bodies are read from their raw bytes, because those are what is signed; so the description stands
beside the code that reads them, and fuzzing holds the two against each other.
"""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_SIGNED = ("X-TIMESTAMP", "X-SIGNATURE")
_TOKEN_HEADERS = ("X-CLIENT-KEY", *_SIGNED)
_CALL_HEADERS = ("X-PARTNER-ID", "X-EXTERNAL-ID", "CHANNEL-ID", *_SIGNED)
_ACCOUNT: dict[str, Any] = {
    "partnerServiceId": {"type": "string", "pattern": "^ *[0-9]{1,8}$", "maxLength": 8},
    "customerNo": {"type": "string", "pattern": "^[0-9]{1,20}$"},
    "virtualAccountNo": {"type": "string", "pattern": "^ *[0-9]{2,28}$", "maxLength": 28},
}
_REQUEST_ID = {"type": "string", "minLength": 1, "maxLength": 128}
_RUPIAH = {
    "type": "object",
    "required": ["value", "currency"],
    "properties": {
        "value": {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,13})\.[0-9]{2}$"},
        "currency": {"const": "IDR"},
    },
}
_PAYMENT = {
    **_ACCOUNT,
    "paymentRequestId": _REQUEST_ID,
    "paidAmount": _RUPIAH,
    "trxDateTime": {"type": "string", "format": "date-time", "maxLength": 40},
    "referenceNo": {"type": "string", "maxLength": 64},
    "flagAdvise": {"enum": ["N", "Y"]},
    "additionalInfo": {"type": "object"},
}
_STATUSES = {
    "200": "carried out, or the stored result of an advice",
    "400": "bad request, invalid or missing field",
    "401": "unknown client, signature, clock or token",
    "403": "cut-off in progress",
    "404": "unknown, wrong amount, paid, expired, or a repetition with its first result",
    "409": "X-EXTERNAL-ID used for another request today",
    "413": "more than the server reads",
    "500": "nothing was recorded; send it again",
}
_ANSWER = {
    "type": "object",
    "required": ["responseCode", "responseMessage"],
    "properties": {
        "responseCode": {"type": "string", "pattern": "^[0-9]{7}$"},
        "responseMessage": _TEXT,
        "virtualAccountData": {"type": "object"},
    },
}


def _call(
    headers: tuple[str, ...], properties: dict[str, Any], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    body = {"type": "object", "required": required, "properties": properties}
    return {
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": _TEXT} for name in headers
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            status: {"description": said, "content": {"application/json": {"schema": _ANSWER}}}
            for status, said in _STATUSES.items()
        },
    }


TOKEN = _call(_TOKEN_HEADERS, {"grantType": {"const": "client_credentials"}})
INQUIRY = _call(_CALL_HEADERS, {**_ACCOUNT, "inquiryRequestId": _REQUEST_ID})
STATUS = _call(
    _CALL_HEADERS,
    {**_ACCOUNT, "inquiryRequestId": _REQUEST_ID, "paymentRequestId": _REQUEST_ID},
    ("paymentRequestId",),
)
PAYMENT = _call(
    _CALL_HEADERS, _PAYMENT, ("trxDateTime", "referenceNo", "flagAdvise", "additionalInfo")
)
