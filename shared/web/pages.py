"""Pages: the Jinja environment, and what every page of every service is given.

Every template knows ``t``, ``n``, ``tr`` (the ``Translator``), ``lang``, ``link(service, path)``,
``asset(name)``, ``msg`` and, in whole pages, ``request``, ``user``, ``csrf_token``, ``nav`` and
``flash``. Components are imported: ``{% import "ui.html" as ui %}``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from shared.actors import Role
from shared.identity import Account
from shared.web.csrf import CsrfTokens
from shared.web.i18n import LANGUAGES, Translator, negotiate
from shared.web.session import cookie_name, current_user

HERE = Path(__file__).parent
STATIC_DIR = HERE / "static"
LANGUAGE_COOKIE = "lang"
_YEAR = 365 * 24 * 3600
_FLASH_SECONDS = 120
# Sent by jejak.js with an upload: it must learn the address instead of following a redirect.
_UPLOAD_HEADER = "x-jejak-upload"


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the navigation. Without ``roles`` everybody sees it."""

    label: str
    service: str
    path: str
    roles: frozenset[Role] = frozenset()

    def shown_to(self, account: Account | None) -> bool:
        """Say whether this account sees the entry."""
        return not self.roles or (account is not None and account.has(*self.roles))


class Pages:
    """Renders pages and fragments in the reader's language."""

    def __init__(
        self,
        templates: Mapping[str, Path],
        *,
        secret: str,
        links: Mapping[str, str] | None = None,
        nav: Sequence[NavItem] = (),
        secure: bool = False,
    ) -> None:
        """``templates`` maps a service's name to its template folder.

        ``links`` maps a service to its base URL; a service without one is on this origin.
        """
        self.links = {name: base.rstrip("/") for name, base in (links or {}).items()}
        self.nav = tuple(nav)
        # Command names in people's words; each service adds its own when it is built.
        self.commands: dict[str, str] = {}
        self.static_version = _digest(STATIC_DIR)
        self._secure = secure
        self._flash_cookie = cookie_name("jejak_flash", secure=secure)
        self._signer = URLSafeTimedSerializer(secret, salt="jejak.flash")
        self._environments = {lang: self._environment(templates, lang) for lang in LANGUAGES}

    def link(self, service: str, path: str) -> str:
        """Return the address of ``path`` at a service, wherever that service runs."""
        return self.links.get(service, "") + path

    def asset(self, name: str) -> str:
        """Return the address of a static file; it changes with the content, so caches may keep."""
        return f"/static/{self.static_version}/{name}"

    def render(
        self, request: Request, name: str, *, status_code: int = 200, **context: Any
    ) -> HTMLResponse:
        """Return a whole page for this request."""
        lang = language(request)
        csrf: CsrfTokens = request.app.state.csrf
        user = current_user(request)
        flash = self._read_flash(request)
        html = (
            self._environments[lang]
            .get_template(name)
            .render(
                request=request,
                user=user,
                csrf_token=csrf.token(request),
                nav=[item for item in self.nav if item.shown_to(user)],
                flash=flash,
                here=request.url.path,
                **context,
            )
        )
        response = HTMLResponse(html, status_code)
        response.headers["content-language"] = lang
        csrf.remember(request, response)
        self._remember_language(request, response)
        if flash is not None:
            response.delete_cookie(self._flash_cookie, secure=self._secure, httponly=True)
        return response

    def fragment(self, lang: str, name: str, **context: Any) -> str:
        """Return a piece of a page, for a live page; it belongs to no request and no person."""
        return self._environments[lang].get_template(name).render(**context)

    def redirect(
        self, request: Request, url: str, *, flash: str = "", tone: str = "success", **params: Any
    ) -> Response:
        """Answer a post: see ``url`` next. ``flash`` is a msgid the next page shows once."""
        if request.headers.get(_UPLOAD_HEADER):
            response: Response = Response(status_code=204, headers={"x-location": url})
        else:
            response = RedirectResponse(url, status_code=303)
        if flash:
            response.set_cookie(
                self._flash_cookie,
                str(self._signer.dumps([tone, flash, params])),
                max_age=_FLASH_SECONDS,
                httponly=True,
                samesite="lax",
                secure=self._secure,
            )
        return response

    def _environment(self, templates: Mapping[str, Path], lang: str) -> Environment:
        # One environment per language: macros are imported without context and stay compiled.
        services = {name: FileSystemLoader(folder) for name, folder in templates.items()}
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(HERE / "templates"), PrefixLoader(services)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        translator = Translator(lang)
        environment.globals.update(
            t=translator.t,
            n=translator.n,
            tr=translator,
            lang=lang,
            link=self.link,
            asset=self.asset,
            lang_url=lang_url,
        )
        return environment

    def _remember_language(self, request: Request, response: Response) -> None:
        asked = request.query_params.get("lang")
        if asked in LANGUAGES and asked != request.cookies.get(LANGUAGE_COOKIE):
            response.set_cookie(
                LANGUAGE_COOKIE, asked, max_age=_YEAR, samesite="lax", secure=self._secure
            )

    def _read_flash(self, request: Request) -> tuple[str, str, dict[str, Any]] | None:
        cookie = request.cookies.get(self._flash_cookie)
        if not cookie:
            return None
        try:
            tone, msgid, params = self._signer.loads(cookie, max_age=_FLASH_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        return tone, msgid, params


def language(request: Request) -> str:
    """Return the language of this request: ``id`` or ``en``."""
    return negotiate(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        request.headers.get("accept-language", ""),
    )


def translator(request: Request) -> Translator:
    """FastAPI dependency: the translator for this request's language."""
    return Translator(language(request))


def lang_url(request: Request, lang: str) -> str:
    """Return this page's own address in another language."""
    url = request.url.include_query_params(lang=lang)
    return f"{url.path}?{url.query}"


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
