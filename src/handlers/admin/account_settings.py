"""Lists and limits: ``/admin/account_settings``."""

import msgspec

from accounts.lists import LISTS, checked_limits, comparable_entries
from answers import Answer, json_answer
from api.admin import AccountSettings
from api.success import Success
from call import Call
from clock import now
from handlers.admin.administrator import administrator
from handlers.decoding import read_json
from store.account_settings import ListEntry, read_account_settings, write_account_settings

_decoder = msgspec.json.Decoder(AccountSettings)


async def show(call: Call) -> Answer:
    lists, limits = await read_account_settings(call.database)
    config = checked_limits(msgspec.json.decode(limits) if limits else {})
    return json_answer({**lists, "sendMailLimitConfig": config})


async def change(call: Call) -> Answer:
    body = msgspec.to_builtins(await read_json(call.request, _decoder))
    lists = {
        field: [ListEntry(*entry) for entry in comparable_entries(field, body[field]).items()]
        for field in LISTS
        if body[field] is not None
    }
    config = body["sendMailLimitConfig"]
    limits = None if config is None else checked_limits(config)
    await write_account_settings(call.database, lists, limits, by=administrator(call), now=now())
    return json_answer(Success(success=True))
