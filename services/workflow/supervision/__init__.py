"""What leaders see: open files, stalls, performance, bottlenecks, volume; and forecasts.

``journey`` and ``forecast`` are pure; ``history`` is the read model that they fill; ``figures``
and ``open_files`` ask; the ``..._page`` modules draw. Nothing here decides anything.
"""
