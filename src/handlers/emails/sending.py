"""``POST /emails`` and ``POST /emails/batch``: one mail, or up to a hundred, as Resend takes them.

A batch is decoded mail by mail, because in the permissive mode a mail that is wrong in itself
does not keep the others from being sent.
"""

from http import HTTPStatus

import msgspec

from answers import Answer, json_answer
from api.emails import MAX_BATCH, Batch, BatchError, EmailId, NewEmail
from call import Call
from handlers.decoding import decode_json, read_json
from handlers.emails.draft import check_batchable, message_of
from handlers.sending import provider_fault, replay_headers, send, send_batch, sender_policy
from mail.compose import check_size
from mail.message import Message
from refusals import BadRequest, FieldError, InvalidInput, Refusal
from resend_errors import refusal_message
from sentences import language_of
from store.reserve import BatchAnswer

_decoder = msgspec.json.Decoder(NewEmail)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])

_IS_PERMISSIVE = {None: False, "strict": False, "permissive": True}


async def one(call: Call) -> Answer:
    email = await read_json(call.request, _decoder)
    message = message_of(email, call.credential, sender_policy(call))
    sending = await send(call, call.credential, message)
    if sending.answer_status == HTTPStatus.BAD_GATEWAY:
        raise provider_fault(sending)
    return json_answer(EmailId(sending.id), headers=replay_headers(sending))


async def batch(call: Call) -> Answer:
    mode = call.request.optional_header("x-batch-validation")
    if mode not in _IS_PERMISSIVE:
        raise BadRequest("invalid_batch_validation")
    permissive = _IS_PERMISSIVE[mode]
    items = await read_json(call.request, _list_decoder)
    if not 1 <= len(items) <= MAX_BATCH:
        raise InvalidInput("batch_size", limit=MAX_BATCH)
    entries = [_entry(call, item, f"[{index}]") for index, item in enumerate(items)]
    sent = await send_batch(call, call.credential, entries, permissive=permissive)
    answer = Batch([EmailId(result) for result in sent.results if isinstance(result, str)])
    if permissive:
        answer.errors = _errors(call, sent)
    return json_answer(answer, headers=replay_headers(sent))


def _entry(call: Call, item: msgspec.Raw, place: str) -> Message | Refusal:
    path = f"{place}."
    try:
        email = decode_json(bytes(item), _decoder, path=place)
        check_batchable(email, path)
        message = message_of(email, call.credential, sender_policy(call), path=path)
        check_size(message)
        return message
    except Refusal as refusal:
        if not refusal.errors:
            refusal.errors = (FieldError(place, refusal.sentence, refusal.values),)
        return refusal


def _errors(call: Call, sent: BatchAnswer) -> list[BatchError]:
    language = language_of(call.request.header("x-lang"), otherwise=call.settings.default_lang)
    return [
        BatchError(index, refusal_message(result, language))
        for index, result in enumerate(sent.results)
        if isinstance(result, Refusal)
    ]
