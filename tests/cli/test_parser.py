"""The parser of one command, which loads no more than that command needs."""

import subprocess
import sys

from arbitrary_nst.cli import build_parser


def test_a_command_alone_is_parsed_as_among_the_others():
    def choices(parser):
        (action,) = [a for a in parser._actions if a.dest == "==SUPPRESS=="]
        return action.choices

    everything = choices(build_parser())
    for command, among_others in everything.items():
        alone = choices(build_parser(command))
        assert len(alone) < len(everything)
        assert alone[command].format_help() == among_others.format_help()
    assert list(choices(build_parser("no-command"))) == list(everything)


def test_stylize_loads_no_other_command():
    code = (
        "import sys\n"
        "from arbitrary_nst.cli import main\n"
        "try:\n"
        "    main(['--debug', 'stylize', '--help'])\n"
        "finally:\n"
        "    print('loaded', *(n for n in sys.modules if n.startswith('arbitrary_nst.')))"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    loaded = run.stdout.splitlines()[-1].split()
    assert {"loaded", "arbitrary_nst.cli.stylize", "arbitrary_nst.pipeline"} <= set(loaded)
    for other in ("video", "batch", "demo", "export", "training"):
        assert f"arbitrary_nst.{other}" not in loaded
        assert f"arbitrary_nst.cli.{other}" not in loaded
