"""What an owner deletes: a message, all messages, or the address."""

from answers import Answer, json_answer
from api.success import Success
from call import Call
from clock import now
from refusals import Forbidden
from store.removal import clear_sendbox, remove_address, remove_message


async def message(call: Call) -> Answer:
    _check_enabled(call)
    message_id = call.parameters["id"]
    await remove_message(call.database, message_id, owner=call.credential, by=call.owner, now=now())
    return json_answer(Success(success=True))


async def messages(call: Call) -> Answer:
    _check_enabled(call)
    await clear_sendbox(call.database, call.credential, by=call.owner, now=now())
    return json_answer(Success(success=True))


async def address(call: Call) -> Answer:
    _check_enabled(call)
    await remove_address(call.database, call.credential, by=call.owner, now=now())
    return json_answer(Success(success=True))


def _check_enabled(call: Call) -> None:
    if not call.settings.enable_user_delete_email:
        raise Forbidden("user_delete_disabled")
