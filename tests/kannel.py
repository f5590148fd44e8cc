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
NOWHERE = "+62899"
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
# No way leads to these numbers, so the gateway itself refuses them.
denied-prefix = "{nowhere}"

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
                **self._ports,
                folder=folder,
                user=USER,
                password=PASSWORD,
                inbound=inbound,
                nowhere=NOWHERE,
            )
        )
        self._seen = folder / "centre.log"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start both boxes and the centre, and return when a message can be sent."""
        self.start_boxes()
        self.start_centre()

    def start_boxes(self) -> None:
        """Start the gateway alone: what it is given waits for a centre."""
        self._start("boxes", [_BOXES[0], str(self._config)], self.folder / "boxes.log")
        self._wait("boxes")
        self.start_smsbox()

    def start_smsbox(self) -> None:
        """Start the box that takes calls, and return when it does."""
        self._start("port", [_BOXES[1], str(self._config)], self.folder / "boxes.log")
        self._wait("port")

    def start_centre(self) -> None:
        """Connect the telephone network."""
        where = ["-H", "127.0.0.1", "-r", str(self._ports["centre"])]
        self._start("centre", [str(FAKE_CENTRE), *where], self._seen)

    def kill(self) -> None:
        """End both boxes as a power cut would. The centre is elsewhere, and reads to the end."""
        self._kill("boxes")
        self.kill_smsbox()
        centre = self._running.pop("centre", None)
        if centre is not None:
            with suppress(subprocess.TimeoutExpired):
                centre.wait(1)
            end(centre, signal.SIGTERM, 5)

    def kill_smsbox(self) -> None:
        """End the box that takes calls; the one that talks to the centre goes on."""
        self._kill("port")

    def stop(self) -> None:
        """Ask everything to end, the boxes last."""
        while self._running:
            _, process = self._running.popitem()
            end(process, signal.SIGTERM, 5)

    def received(self) -> list[tuple[str, str, str]]:
        """Return what reached the centre: sender, recipient and text of each message."""
        found = _RECEIVED.findall(self._seen.read_text(errors="replace"))
        return [(sender, to, text) for sender, to, text in found]

    def arrives(self, sender: str, to: str, text: str) -> None:
        """Let a telephone at ``sender`` send a message to the office's number ``to``."""
        centre = self._running["centre"].stdin
        assert centre is not None
        centre.write(f"{sender} {to} text {text}\n".encode())
        centre.flush()

    def _kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def _start(self, name: str, command: list[str], log: Path) -> None:
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=self.folder
            )
        self._running[name] = process

    def _wait(self, name: str) -> None:
        def listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self._ports[name])) == 0

        wait_until(
            listening,
            part="The SMS gateway",
            process=self._running[name],
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
