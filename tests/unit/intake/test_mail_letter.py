"""One e-mail: what may be made of it, in the four cases of each command."""

from __future__ import annotations

from services.intake.mail.letter import DECIDER, FileMail, ReceiveMail, SetMailAside
from services.intake.refusals import CounterOnly, MailFiledBefore, OtherOffice
from shared.actors import Actor, Role, system
from shared.contracts.intake import MailFiled, MailReceived, MailSetAside
from shared.errors import NotFound
from tests.examples import example
from tests.spec import START, given

MAIL = example(MailReceived, mail_id="m-1", office="tebet")
CLERK = Actor("officer", "loket.tebet", "tebet", frozenset({Role.COUNTER}))
RECEIVE = ReceiveMail(now=START, by=system("mail"), mail=MAIL)
FILED = MailFiled(mail_id="m-1", application_id="a-1")
ASIDE = MailSetAside(mail_id="m-1", reason="Iklan.")


def file(application_id: str = "a-1", by: Actor = CLERK) -> FileMail:
    return FileMail(now=START, by=by, application_id=application_id)


def aside(by: Actor = CLERK) -> SetMailAside:
    return SetMailAside(now=START, by=by, reason="Iklan.")


def test_a_mail_is_received_once() -> None:
    given(DECIDER).when(RECEIVE).then(MAIL).again().then_nothing()
    given(DECIDER, MAIL, FILED).when(RECEIVE).then_nothing()


def test_a_mail_is_filed_once_and_never_in_two_applications() -> None:
    given(DECIDER, MAIL).when(file()).then(FILED).again().then_nothing()
    given(DECIDER, MAIL, FILED).when(file("a-2")).then_refused(MailFiledBefore)
    given(DECIDER).when(file()).then_refused(NotFound)


def test_one_that_was_set_aside_by_mistake_can_be_filed() -> None:
    given(DECIDER, MAIL, ASIDE).when(file()).then(FILED)


def test_a_mail_is_set_aside_unless_it_was_filed() -> None:
    given(DECIDER, MAIL).when(aside()).then(ASIDE).again().then_nothing()
    given(DECIDER, MAIL, FILED).when(aside()).then_refused(MailFiledBefore)
    given(DECIDER).when(aside()).then_refused(NotFound)


def test_only_the_counter_of_its_own_office_deals_with_it() -> None:
    other = Actor("officer", "loket", "bogor", frozenset({Role.COUNTER}))
    verifier = Actor("officer", "v", "tebet", frozenset({Role.VERIFIER}))
    for command in (file, aside):
        given(DECIDER, MAIL).when(command(by=other)).then_refused(OtherOffice)
        given(DECIDER, MAIL).when(command(by=verifier)).then_refused(CounterOnly)
