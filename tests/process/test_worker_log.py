"""Where a worker's own words go when the command line starts it."""

from commonplace.paths import worker_command
from commonplace.wire.process import LOG_BYTES, WorkerProcess


def test_a_long_log_begins_anew_and_one_that_cannot_be_is_done_without(tmp_path):
    log = tmp_path / "worker.log"
    log.write_bytes(b"x" * (LOG_BYTES + 1))
    for place in (log, log / "impossible"):
        with WorkerProcess(worker_command("memory"), log_file=place) as worker:
            assert worker.pid
    assert log.stat().st_size < LOG_BYTES
