"""Addresses, their credentials and passwords: ``/admin/address`` and what goes with it."""

import msgspec

from accounts.passwords import stored_form
from answers import Answer, json_answer
from api.admin import AddressPage, AddressRow, NewPassword, ShownCredential
from api.success import Success
from call import Call
from clock import database_time, now
from handlers.address_passwords import new_digest
from handlers.admin.administrator import administrator, named_address
from handlers.credentials import token
from handlers.decoding import read_json
from handlers.parameters import limit_and_offset, one_of
from refusals import Forbidden
from runtime.ciphers import pbkdf2_sha256
from store.address_book import SORT_KEYS, address_page, note_shown, reset_password
from store.removal import clear_sendbox, remove_address

_decoder = msgspec.json.Decoder(NewPassword)


async def page(call: Call) -> Answer:
    query = call.request.query
    limit, offset = limit_and_offset(query)
    rows, count = await address_page(
        call.database,
        query=query.get("query", "").strip().lower(),
        sort_by=one_of(query, "sort_by", (*SORT_KEYS,), "id"),
        descending=one_of(query, "sort_order", ("asc", "desc"), "desc") == "desc",
        limit=limit,
        offset=offset,
    )
    results = [
        AddressRow(
            **{
                **row,
                "created_at": database_time(row["created_at"]),
                "updated_at": database_time(row["updated_at"]),
            }
        )
        for row in rows
    ]
    return json_answer(AddressPage(results, count))


async def delete(call: Call) -> Answer:
    owner = await named_address(call, call.parameters["id"])
    await remove_address(call.database, owner, by=administrator(call), now=now())
    return json_answer(Success(success=True))


async def clear(call: Call) -> Answer:
    owner = await named_address(call, call.parameters["id"])
    await clear_sendbox(call.database, owner, by=administrator(call), now=now())
    return json_answer(Success(success=True))


async def show_credential(call: Call) -> Answer:
    credential = await named_address(call, call.parameters["id"])
    await note_shown(call.database, credential, by=administrator(call), now=now())
    return json_answer(ShownCredential(token(call, credential)))


async def set_password(call: Call) -> Answer:
    settings = call.settings
    if not settings.enable_address_password:
        raise Forbidden("password_change_disabled")
    body = await read_json(call.request, _decoder)
    digest = new_digest(body.password, "password")
    owner = await named_address(call, call.parameters["id"])
    stored = await stored_form(digest, pepper=settings.password_pepper, derive=pbkdf2_sha256)
    await reset_password(call.database, owner, stored, by=administrator(call), now=now())
    return json_answer(Success(success=True))
