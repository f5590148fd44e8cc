"""``/pesan/templat``: who is told what, when and how, and the words of it in both languages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.notify.rulebook.preview import Preview, previews
from services.notify.rulebook.quiet import Nights
from services.notify.rulebook.rules import Rule, Rules
from services.notify.rulebook.wording import Templates
from services.notify.rulebook.words import event_words, title
from services.notify.sisters import sisters_of
from shared.actors import Role
from shared.identity import Account
from shared.web.i18n import Translator, msg
from shared.web.pages import Pages, language
from shared.web.session import require

PATH = "/pesan/templat"
Leader = Annotated[Account, Depends(require(Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR))]
_AUDIENCES = {
    "applicant": msg("Applicant"),
    "officer": msg("Officer"),
    "supervisor": msg("Supervisor"),
    "head": msg("Head of office"),
}
_CHANNELS = {"whatsapp": "WhatsApp", "sms": "SMS", "email": msg("E-mail")}
_LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}


class WordingPages:
    """Gathers the rules and texts as people read them."""

    def __init__(self, pages: Pages, rules: Rules, templates: Templates, nights: Nights) -> None:
        """``nights`` knows the quiet hours of the reader's office."""
        self.pages = pages
        self._rules = rules
        self._templates = templates
        self._nights = nights

    def shown(self, account: Account, lang: str) -> dict[str, Any]:
        """Return what the page shows."""
        tr = Translator(lang)
        every: dict[str, list[Preview]] = {}
        for one in previews(self._templates):
            every.setdefault(one.template, []).append(one)
        return {
            "sisters": sisters_of(account),
            "quiet": self._nights.of(account.office).replace("-", " - "),
            "digests": [
                (name, digest.minutes, digest.most) for name, digest in self._rules.digests.items()
            ],
            "templates": [self._template(name, found, tr) for name, found in every.items()],
        }

    def _template(self, name: str, found: list[Preview], tr: Translator) -> dict[str, Any]:
        rules = [rule for rule in self._rules.all.values() if rule.template == name]
        digests = self._rules.digests.items()
        return {
            "title": title(self._rules, name, tr),
            "digests": [digest for digest, said in digests if said.template == name],
            "rules": [self._rule(rule, tr) for rule in rules],
            "now": [_text(one, tr) for one in found if one.current],
            "before": [_text(one, tr) for one in found if not one.current],
        }

    def _rule(self, rule: Rule, tr: Translator) -> dict[str, Any]:
        return {
            "audience": tr.t(_AUDIENCES.get(rule.audience, rule.audience)),
            "event": event_words(rule, tr),
            "channels": ", ".join(tr.t(_CHANNELS.get(way, way)) for way in rule.channels),
            "urgent": rule.urgent,
            "alert": rule.alert,
            "digest": rule.digest or "",
        }


def _text(one: Preview, tr: Translator) -> dict[str, str]:
    said = {"alphabet": one.alphabet, "characters": tr.number(one.characters)}
    sms = tr.t(
        msg("{count} SMS ({alphabet}, {characters} characters)"),
        count=tr.number(one.segments),
        **said,
    )
    return {
        "language": one.language,
        "name": _LANGUAGES[one.language],
        "text": one.text,
        "about": f"{sms} · WhatsApp: {one.whatsapp}",
        "version": tr.t(msg("version {version}"), version=one.version),
    }


def wording_router(wording: WordingPages) -> APIRouter:
    """Return ``/pesan/templat`` for supervisors, administrators and auditors."""
    router = APIRouter(include_in_schema=False)

    @router.get(PATH)
    async def show(request: Request, account: Leader) -> Response:
        shown = wording.shown(account, language(request))
        return wording.pages.render(request, "notify/wording.html", **shown)

    return router
