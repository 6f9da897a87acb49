"""``DELETE /admin/delete_address/{id}``: delete an address and all its messages."""

from store.addresses import find_address
from store.removal import remove_address
from web.context import RequestContext
from web.responses import Response, Success, json_response


async def delete(context: RequestContext) -> Response:
    """Delete an address as an administrator.

    Deletes an address and all its messages. Scheduled and queued messages are cancelled.

    :path id: The number of an address. Example: `1`.
    :response 200 Success: The address was deleted.
    :errors: address_not_found
    :operation deleteAddressAsAdmin: Administration
    """
    owner = await find_address(context.database, context.parameters["id"])
    await remove_address(context.database, owner, by=context.administrator, now=context.now())
    return json_response(Success(success=True))
