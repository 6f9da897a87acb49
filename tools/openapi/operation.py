"""What is said of an operation beside what the route table and the types say."""

from dataclasses import dataclass
from typing import Any

JsonSchema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of the path, the query or the header (`where`)."""

    name: str
    where: str
    description: str
    schema: JsonSchema
    example: Any


@dataclass(frozen=True, kw_only=True)
class Body:
    """A JSON body: the type that decodes it, and examples by what they show."""

    type: Any
    examples: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Success:
    """An answer that is no error.

    `examples` are values of the type that encodes the answer, by what they show; texts for a plain
    text. `headers` are the names of headers that it may have beside those of every answer.
    """

    status: int = 200
    description: str
    type: type
    examples: dict[str, Any]
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation; `method` and `path` are those of its route.

    `refusals` are the names of those that it may answer with beside those that follow from its
    guard, its body, and the deployment. `asks_database` is whether the database may keep it from
    an answer.
    """

    method: str
    path: str
    id: str
    tag: str
    summary: str
    description: str
    answers: tuple[Success, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    refusals: tuple[str, ...] = ()
    asks_database: bool = True
