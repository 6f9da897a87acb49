"""Creating and deleting addresses."""

from api.addresses import AdminNewAddress, CreatedAddress, NewAddress
from api.success import Success as Done
from tools.openapi.operation import Body, Operation, Success
from tools.openapi.samples import ADDRESS, JWT

_CREATED = Success(
    description="The address is made.",
    type=CreatedAddress,
    examples={
        "created": CreatedAddress(jwt=JWT, address=ADDRESS, address_id=1, password=None),
    },
)
_NAMING = ("address_name_too_long", "address_name_invalid", "invalid_domain", "address_exists")

_DONE = Success(description="It is done.", type=Done, examples={"done": Done(success=True)})

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/new_address",
        id="createAddress",
        tag="Addresses",
        summary="Create an address",
        description="Makes a mail address and gives out its credential, where the deployment lets "
        "anybody create addresses.",
        body=Body(
            type=NewAddress,
            examples={
                "named": {"name": "alice", "domain": "example.com"},
                "random": {},
            },
        ),
        answers=(_CREATED,),
        refusals=(
            *("new_address_disabled", "anonymous_new_address_disabled"),
            *("address_name_too_short", "address_name_no_match", "address_name_blocked"),
            *_NAMING,
            *("client_rate_exceeded", "too_many_addresses"),
            *("human_verification_failed", "human_verification_unavailable"),
        ),
    ),
    Operation(
        method="POST",
        path="/admin/new_address",
        id="createAddressAsAdmin",
        tag="Addresses",
        summary="Create an address as an administrator",
        description="Makes a mail address of any name in any domain of the deployment: the rules "
        "for names that others are bound by do not apply.",
        body=Body(
            type=AdminNewAddress,
            examples={"named": {"name": "alice", "domain": "example.com", "enablePrefix": False}},
        ),
        answers=(_CREATED,),
        refusals=("required_field_missing", *_NAMING),
    ),
    Operation(
        method="DELETE",
        path="/api/delete_address",
        id="deleteAddress",
        tag="Addresses",
        summary="Delete the address",
        description="Deletes the address of the credential with all its messages. What is "
        "scheduled or queued is cancelled.",
        answers=(_DONE,),
        refusals=("user_delete_disabled",),
    ),
)
