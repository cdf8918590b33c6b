"""The one entry point: the window, a command, or a worker process.

Workers are started as ``commonplace worker ROLE`` and import nothing but what
their role needs, so that each starts fast and stays small.
"""

import sys


def main() -> None:
    """Run the program with the arguments it was started with."""
    if sys.argv[1:2] == ["worker"] and len(sys.argv) == 3:
        run_role(sys.argv[2])
    try:
        # No import stands above: whoever presses Ctrl-C while modules are loaded is told nothing.
        from commonplace.processor import features, refusal

        if problem := refusal(features()):
            sys.exit(problem)
        from commonplace.cli import window

        if window.is_asked(sys.argv[1:]):
            status = window.run(sys.argv[1:])
        else:
            from commonplace.cli.commands import run

            status = run()
    except KeyboardInterrupt:  # nothing had begun
        status = 1
    sys.exit(status)


def run_role(role: str) -> None:
    """Run the worker process `role`; does not return for a known role."""
    if role == "memory":
        from commonplace.memory.worker import main as run_memory

        run_memory()
    elif role == "parser":
        from commonplace.index.parsing import main as run_parser

        run_parser()
    elif role == "engine":
        from commonplace.engine.worker import main as run_engine

        run_engine()
    elif role == "template":
        from commonplace.engine.reference import main as run_template

        run_template()
    elif role == "adapt":
        from commonplace.adapt.worker import main as run_adapt

        run_adapt()
    elif role == "measure":
        from commonplace.measure.worker import main as run_measure

        run_measure()
    elif role == "library":
        from commonplace.engine.library_worker import main as run_library

        run_library()
    elif role == "probe":
        from commonplace.desktop.probe import main as run_probe

        run_probe()


if __name__ == "__main__":
    main()
