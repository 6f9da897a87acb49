"""`/health_check`."""

from tools.openapi.operation import Operation, Success

OPERATIONS = (
    Operation(
        method="GET",
        path="/health_check",
        id="checkHealth",
        tag="Deployment",
        summary="Ask whether the service is well",
        description="Whether the worker and its database answer.",
        answers=(Success(description="Both answer.", type=str, examples={"well": "OK"}),),
        refusals=("database_down",),
        asks_database=False,
    ),
)
