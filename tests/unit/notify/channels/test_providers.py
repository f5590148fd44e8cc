"""Which channels an installation has, and where they may call."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.notify.channels.providers import allowed_hosts
from services.notify.parts import speeds
from services.notify.traffic.pace import Speed
from shared.errors import BadConfiguration
from tests.running import settings_in


def test_without_a_list_each_provider_has_its_own_host(tmp_path: Path) -> None:
    given = settings_in(tmp_path, kannel_url="http://10.0.0.9:13013")
    assert allowed_hosts(given) == frozenset()


def test_a_provider_off_the_list_is_a_start_up_error_that_names_the_setting(tmp_path: Path) -> None:
    listed = {"outbound_hosts": "graph.facebook.com, sms.kantor.example"}
    fine = settings_in(tmp_path, whatsapp_url="https://GRAPH.facebook.com", **listed)
    assert allowed_hosts(fine) == {"graph.facebook.com", "sms.kantor.example"}
    wrong = settings_in(tmp_path, twilio_url="https://api.twilio.com.evil.example", **listed)
    with pytest.raises(BadConfiguration, match="JEJAK_TWILIO_URL"):
        allowed_hosts(wrong)


def test_speeds_are_metas_and_else_the_installations_affair(tmp_path: Path) -> None:
    found = speeds(settings_in(tmp_path, kannel_per_second=10.0))
    assert found["whatsapp"] == Speed(80.0, 6.0)
    assert (found["sms"], found["twilio"]) == (Speed(10.0), Speed())
