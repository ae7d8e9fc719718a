"""Which tests run in one process: see `pytest_xdist_make_scheduler` in conftest.py."""

from tests.conftest import scope_of


def test_files_that_share_a_server_are_one_scope(request):
    shared = {"server", "served", "chromium"}
    files = {
        item.nodeid.split("::")[0]
        for item in request.session.items
        if shared.intersection(getattr(item, "fixturenames", ()))
    }
    assert {scope_of(file) for file in files} <= {"servers"}
    assert scope_of("tests/serve/test_api.py") == scope_of("tests/report/test_browser.py") == "servers"
    assert scope_of("tests/test_readme.py") == "tests/test_readme.py"
