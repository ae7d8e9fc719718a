"""What the parser refuses: one line, what was expected, and the nearest name."""

import pytest

from intentx.cli import main


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("explain --method multiplx", "; did you mean 'multiplex'?"),
        ("explain --method xyz", "'mimic')"),
        ("explain --goal entr", "; did you mean 'enter'?"),
        ("explan", "; did you mean 'explain'?"),
        ("train drm", "; did you mean 'drmm'?"),
        ("", "the following arguments are required: COMMAND"),
        ("explain --nope", "unrecognized arguments: --nope"),
        ("explain --nope\x1b[31m", r"--nope\x1b[31m"),
        ("explain --budget 1.5", "argument --budget: a whole number expected, not '1.5'"),
        ("explain --seconds soon", "argument --seconds: a number expected, not 'soon'"),
        ("explain --max-terms 0", "argument --max-terms: a whole number, 1 or more, expected, not '0'"),
        ("explain --max-terms 2.5", "a whole number, 1 or more, expected, not '2.5'"),
        ("explain --prove -1", "argument --prove: a whole number, 0 or more, expected, not '-1'"),
        ("serve --port 65536", "argument --port: a port from 0 to 65535 expected, not '65536'"),
        ("serve --port 80a", "argument --port: a port from 0 to 65535 expected, not '80a'"),
        ("serve --timeout nan", "argument --timeout: seconds above 0 expected, not 'nan'"),
        ("serve --timeout inf", "argument --timeout: seconds above 0 expected, not 'inf'"),
        ("train drmm --seed -1", "a whole number from 0 to 2**63 - 1 expected, not '-1'"),
        ("train drmm --heldout 1", "0 or more and less than 1 expected, not '1'"),
    ],
)
def test_what_is_wrong_is_one_line(capsys, arguments, says):
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.endswith(" --help\n")
    assert said.count("\n") == 1
    assert f"{says}; for all options: intentx" in said


def test_limits_of_numbers_belong_to_them(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--port", "65535", "--timeout", "0.5", "--k", "1", "--nope"])
    assert "unrecognized arguments: --nope" in capsys.readouterr().err
