"""What a folder says of an applicant follows what the counter put right."""

from __future__ import annotations

from services.workflow.status import Dossier
from shared.contracts.intake import ApplicantPhoneCorrected, ApplicationSubmitted
from tests.examples import example


def test_the_number_that_was_put_right_is_shown_and_nothing_else_changes() -> None:
    dossier, submitted = Dossier(), example(ApplicationSubmitted)
    corrected = example(ApplicantPhoneCorrected, phone="+6281298765432")
    for event in (submitted, corrected):
        dossier.take(event)
    assert dossier.submission is not None
    assert dossier.submission.applicant.phone == "+6281298765432"
    assert dossier.submission.applicant.name == submitted.applicant.name
    assert dossier.phase == "submitted"


def test_a_correction_of_an_application_that_is_not_there_yet_is_passed_over() -> None:
    dossier = Dossier()
    dossier.take(example(ApplicantPhoneCorrected))
    assert dossier.submission is None
