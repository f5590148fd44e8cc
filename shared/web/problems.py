"""Refusals: problem+json (RFC 9457) for programs, a page with a way onward for people."""

from __future__ import annotations

import http
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from shared.errors import Defect, JejakError, NotSignedIn
from shared.web.forms import field_error
from shared.web.i18n import msg
from shared.web.pages import Pages, translator

_TITLES: Mapping[int, str] = {
    400: msg("The request can't be read"),
    401: msg("Sign in first"),
    403: msg("Not allowed"),
    404: msg("Not found"),
    405: msg("Not possible here"),
    409: msg("Not possible now"),
    412: msg("Something changed meanwhile"),
    413: msg("Too large"),
    415: msg("This kind of document is not accepted"),
    422: msg("Something needs correcting"),
    429: msg("Too many tries"),
    503: msg("Not available right now"),
    507: msg("The storage is full"),
}
_MEDIA_TYPE = "application/problem+json"
_ANY_TITLE = msg("Something went wrong")
_DETAILS: Mapping[int, str] = {
    400: msg("What was sent is damaged or incomplete. Try again from the page itself."),
    404: msg("There is nothing at this address. It may have been mistyped or moved."),
    405: msg("This address doesn't take that kind of request."),
    413: msg("What was sent is larger than allowed. Send a smaller file."),
    422: msg("Some of what was sent is not valid."),
    500: msg("The fault is on our side. It was recorded with the reference below."),
}


def install(app: FastAPI) -> None:
    """Register the handlers for refusals, invalid requests and HTTP errors."""
    app.add_exception_handler(JejakError, _on_jejak_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _on_http_error)  # type: ignore[arg-type]


def wants_json(request: Request) -> bool:
    """Say whether a program asks: an ``/api/`` path, or no wish for HTML."""
    if request.url.path.startswith("/api/"):
        return True
    return "text/html" not in request.headers.get("accept", "")


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    detail: str,
    params: Mapping[str, str | int] | None = None,
    allowed: Sequence[str] = (),
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a refusal in the caller's language. ``detail`` is a msgid."""
    tr = translator(request)
    body: dict[str, object] = {
        "type": f"urn:jejak:problem:{code}",
        "title": tr.t(_TITLES.get(status, _ANY_TITLE)),
        "status": status,
        "detail": tr.t(detail, **(params or {})),
        "code": code,
        "allowed": list(allowed),
    }
    if errors:
        body["errors"] = list(errors)
    if status >= 500:
        body["instance"] = f"urn:jejak:request:{_reference(request)}"
    if wants_json(request):
        response: Response = JSONResponse(
            body, status, headers={"content-language": tr.lang}, media_type=_MEDIA_TYPE
        )
    else:
        commands = request.app.state.pages.commands
        said = [tr.t(commands.get(item, item)) for item in allowed]
        response = _page(request, status, body, said)
    response.headers.update(headers or {})
    return response


def _page(
    request: Request, status: int, body: Mapping[str, object], allowed: Sequence[str]
) -> Response:
    pages: Pages = request.app.state.pages
    return pages.render(
        request,
        "error.html",
        status_code=status,
        title=body["title"],
        detail=body["detail"],
        errors=body.get("errors", ()),
        allowed=allowed,
        reference=_reference(request) if status >= 500 else "",
    )


def _reference(request: Request) -> str:
    reference: str = request.state.request_id
    return reference


def unexpected(request: Request) -> Response:
    """Answer for an exception nobody foresaw: a reference to the log, and nothing about it."""
    return problem(request, status=500, code="unexpected", detail=_DETAILS[500])


async def _on_jejak_error(request: Request, error: JejakError) -> Response:
    if isinstance(error, Defect):
        # Its parameters speak to operators and may name files: they stay in the log.
        return problem(request, status=error.status, code=error.code, detail=Defect.text)
    if isinstance(error, NotSignedIn) and request.method == "GET" and not wants_json(request):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(here, safe='')}", status_code=303)
    seconds = error.params.get("seconds")
    return problem(
        request,
        status=error.status,
        code=error.code,
        detail=error.message(),
        params=error.params,
        allowed=error.allowed,
        headers={"retry-after": str(seconds)} if error.status == 429 and seconds else None,
    )


async def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    tr = translator(request)
    found = [field_error(details) for details in error.errors()]
    return problem(
        request,
        status=422,
        code="invalid-input",
        detail=_DETAILS[422],
        errors=[{"field": e.field, "message": e.say(tr)} for e in found],
    )


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    status = error.status_code
    if status in (204, 304):
        return Response(status_code=status, headers=error.headers)
    phrase = http.HTTPStatus(status).phrase.lower().replace(" ", "-")
    return problem(
        request,
        status=status,
        code=phrase,
        detail=_DETAILS.get(status, _TITLES.get(status, _ANY_TITLE)),
        headers=error.headers,
    )
