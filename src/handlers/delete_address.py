"""``DELETE /api/delete_address``: delete the credential's address and its messages."""

from errors import Forbidden
from store.removal import remove_address
from web.context import RequestContext
from web.responses import Response, Success, json_response


async def delete(context: RequestContext) -> Response:
    """Delete the address.

    Deletes the address of the credential and all its messages. Scheduled and queued messages are
    cancelled.

    :response 200 Success: The address was deleted.
    :errors: user_delete_disabled
    :operation deleteAddress: Addresses
    """
    check_enabled(context)
    await remove_address(context.database, context.credential, by=context.owner, now=context.now())
    return json_response(Success(success=True))


def check_enabled(context: RequestContext) -> None:
    """Require that the deployment lets owners delete messages and addresses.

    :raises Forbidden: ``user_delete_disabled``.
    """
    if not context.settings.enable_user_delete_email:
        raise Forbidden("user_delete_disabled")
