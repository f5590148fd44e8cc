"""``/papan/berkas``: the open files behind every number, the least time left first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.workflow.supervision.open_files import Filter, Group, Standing
from services.workflow.supervision.watch import (
    PARAMETERS,
    STANDING,
    Leader,
    Tell,
    Watch,
    list_link,
)
from shared.web.forms import Form
from shared.web.pages import language

ROWS = 25
Word = Annotated[str, Query(max_length=100)]
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


def list_pages(watch: Watch) -> APIRouter:
    """Return ``/papan/berkas``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/papan/berkas")
    async def show(
        request: Request,
        account: Leader,
        kantor: Word = "",
        izin: Word = "",
        tahap: Word = "",
        petugas: Word = "",
        opd: Word = "",
        keadaan: Word = "",
        versi: Annotated[int, Query(ge=0, le=10_000)] = 0,
        page: PageQuery = 1,
    ) -> Response:
        standing = Standing(keadaan) if keadaan in set(Standing) else None
        wanted = Filter(kantor, izin, tahap, petugas, opd, standing, versi)
        tell = watch.tell(account.office, language(request))
        groups = await watch.files.groups(watch.scope(account))
        taken = [group for group in groups if wanted.takes(group)]
        total = sum(group.files for group in taken)
        found = await watch.files.page(taken, wanted, ROWS, (page - 1) * ROWS)
        return watch.page(
            request,
            account,
            "list",
            form=Form({PARAMETERS[name]: value for name, value in _said(wanted).items()}),
            choices=_choices(groups, tell),
            lines=[tell.file(opened) for opened in found],
            total=total,
            page=page,
            pages=-(-total // ROWS),
            address=list_link(wanted),
        )

    return router


def _said(wanted: Filter) -> dict[str, str]:
    return {name: str(getattr(wanted, name) or "") for name in PARAMETERS}


def _choices(groups: Sequence[Group], tell: Tell) -> dict[str, list[tuple[str, str]]]:
    """Return what each field of the filter can be: those that some open file has."""
    files = tell.watch.files
    kinds = {g.key.permit_type: tell.permit(files.sop(g.key), g.key.permit_type) for g in groups}
    return {
        "keadaan": [(str(one), tell.standing(one)["label"]) for one in STANDING],
        "izin": _sorted(kinds.items()),
        "tahap": _stages(groups, tell),
        "petugas": _sorted({(g.holder, tell.person(g.holder)) for g in groups}),
        "opd": _sorted(
            {(g.agency, tell.agency(g.key.office, g.agency)) for g in groups} - {("", "")}
        ),
        "kantor": _sorted({(g.key.office, tell.office(g.key.office)) for g in groups}),
    }


def _stages(groups: Sequence[Group], tell: Tell) -> list[tuple[str, str]]:
    """Return the steps by id; several procedures may use one id for the same step."""
    names: dict[str, set[str]] = {}
    for group in groups:
        if group.key.stage:
            names.setdefault(group.key.stage, set()).add(tell.stage(group.key))
    return _sorted((stage, " / ".join(sorted(said))) for stage, said in names.items())


def _sorted(pairs: Iterable[tuple[Any, str]]) -> list[tuple[str, str]]:
    return sorted(((str(value), label) for value, label in pairs), key=lambda pair: pair[1])
