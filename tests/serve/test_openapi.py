"""The OpenAPI document, and the server held against it by schemathesis."""

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from intentx.serve.routes import ROUTES, openapi

schema = schemathesis.openapi.from_dict(openapi())


@schema.exclude(path_regex="/events$").parametrize()
@hypothesis.settings(
    max_examples=3, deadline=None, derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_the_server_does_as_its_document_says(case, server):
    case.call_and_validate(
        base_url=server.url,
        checks=[
            not_a_server_error, status_code_conformance, content_type_conformance,
            response_schema_conformance,
        ],
    )  # fmt: skip


def test_the_document_names_all_addresses(server):
    _, found, _ = server.get("openapi.json")
    served = {(path, method) for path, one in found["paths"].items() for method in one}
    assert served == {(f"/api/v1{one.path}", one.method.lower()) for one in ROUTES}
    assert found["components"]["schemas"]["Explain"]["properties"]["query"]["maxLength"] == 2000
