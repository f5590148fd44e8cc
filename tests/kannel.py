"""A real Kannel gateway on loopback: bearerbox, smsbox, and Kannel's own fake SMS centre.

The fake centre is the far side of the telephone network: it shows what was sent, accepts and
delivers all of it, and can send a message to the office. Everything between it and Jejak is real.
"""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from deploy.parts import PartMissing, end, free_port, tail, wait_until

USER, PASSWORD = "jejak", "password-TEST-0001"
FAKE_CENTRE = Path("/usr/lib/kannel/test/fakesmsc")
_BOXES = ("/usr/sbin/bearerbox", "/usr/sbin/smsbox")
_RECEIVED = re.compile(r"Got message \d+: <(\S+) (\S+) text (.*)>$", re.MULTILINE)

_CONFIG = """
group = core
admin-port = {admin}
admin-password = {password}
admin-allow-ip = 127.0.0.1
smsbox-port = {boxes}
box-deny-ip = *.*.*.*
box-allow-ip = 127.0.0.1
# With internal storage a report that is awaited would be lost with the process.
store-type = spool
store-location = {folder}/store
dlr-storage = spool
dlr-spool = {folder}/dlr
log-file = {folder}/bearerbox.log
log-level = 1

group = smsc
smsc = fake
smsc-id = fake
port = {centre}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {port}
sendsms-interface = 127.0.0.1
log-file = {folder}/smsbox.log
log-level = 1
http-request-retry = 20
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
max-messages = 3
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "{inbound}"
"""


class Kannel:
    """One gateway in ``folder``; ``inbound`` is the address it hands arriving messages to."""

    def __init__(self, folder: Path, inbound: str = "http://127.0.0.1:9/") -> None:
        """Write its configuration; nothing is started. Raises PartMissing."""
        for program in (*_BOXES, str(FAKE_CENTRE)):
            if shutil.which(program) is None:
                raise PartMissing(
                    part="The SMS gateway",
                    what=program,
                    remedy="On Debian: apt-get install kannel kannel-extras",
                )
        self.folder = folder
        for name in ("store", "dlr"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._ports = {name: free_port() for name in ("admin", "boxes", "centre", "port")}
        self.address = f"http://127.0.0.1:{self._ports['port']}"
        self._config = folder / "kannel.conf"
        self._config.write_text(
            _CONFIG.format(
                **self._ports, folder=folder, user=USER, password=PASSWORD, inbound=inbound
            )
        )
        self._seen = folder / "centre.log"
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start both boxes and the centre, and return when a message can be sent."""
        for program, name in zip(_BOXES, ("boxes", "port"), strict=True):
            self._start([program, str(self._config)], self.folder / "boxes.log")
            self._wait(name)
        self._start(
            [str(FAKE_CENTRE), "-H", "127.0.0.1", "-r", str(self._ports["centre"]), "-m", "0"],
            self._seen,
        )

    def kill(self) -> None:
        """End both boxes as a power cut would. The centre is elsewhere, and reads to the end."""
        *boxes, centre = self._running
        for process in boxes:
            process.kill()
            process.wait()
        with suppress(subprocess.TimeoutExpired):
            centre.wait(1)
        end(centre, signal.SIGTERM, 5)
        self._running.clear()

    def stop(self) -> None:
        """Ask everything to end, the boxes last."""
        for process in reversed(self._running):
            end(process, signal.SIGTERM, 5)
        self._running.clear()

    def received(self) -> list[tuple[str, str, str]]:
        """Return what reached the centre: sender, recipient and text of each message."""
        found = _RECEIVED.findall(self._seen.read_text(errors="replace"))
        return [(sender, to, text) for sender, to, text in found]

    def arrives(self, sender: str, to: str, text: str) -> None:
        """Let a telephone at ``sender`` send a message to the office's number ``to``."""
        centre = self._running[-1].stdin
        assert centre is not None
        centre.write(f"{sender} {to} text {text}\n".encode())
        centre.flush()

    def _start(self, command: list[str], log: Path) -> None:
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=self.folder
            )
        self._running.append(process)

    def _wait(self, name: str) -> None:
        def listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self._ports[name])) == 0

        wait_until(
            listening,
            part="The SMS gateway",
            process=self._running[-1],
            seconds=20,
            log=lambda: tail(self.folder / "boxes.log"),
        )

    def __enter__(self) -> Kannel:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()
