"""A stand-in for the vendor OnlyFansAPI, whose documented HTTP it speaks on 127.0.0.1; it imports nothing of `app`.

    python -m sandbox --port 8001 --fans examples/fans.csv --state instance/sandbox.jsonl --autoplay

What an adapter meets, under `/api`, with `Authorization: Bearer sandbox-anything`. Every other key, and
`sandbox-expired`, gets 401 `{"error": "Unauthorized. Go to ..."}`. Money is US dollars, ids are numbers, texts come
back as HTML: `<p>a &amp; b<br />\\nc</p>`.

Answers are `{"data", "_pagination": {"next_page": address or null}, "_meta": {"_credits", "_cache", "_rate_limits"}}`;
only the list of accounts and the media upload come without that envelope, as the vendor's do.

GET /api/accounts
    [{"id": "acct_demo", "display_name", "onlyfans_id", "onlyfans_username", "is_authenticated"}]
GET /api/{account}/fans/all|active|expired      limit 1-20 (10), offset, query
    data {"list": [fan], "hasMore"}. A page may be short without being the last: follow hasMore or next_page.
GET /api/{account}/chats                        limit 1-100 (10), offset, order recent|old, query
    data [{"fan": fan, "lastMessage": message, "unreadMessagesCount", "lastReadMessageId", "canSendMessage"}]
GET /api/{account}/chats/{chat}/messages        limit 1-100 (10), order desc|asc, first_id (desc) or last_id (asc)
    data [message]. The cursor includes its own row: drop the repeated one. The vendor's older documentation shows
    data {"list": [message], "hasMore"}; its SDK and this sandbox answer with the bare list.
GET .../chats/{chat}/messages/{id}              data message, or 404
DELETE .../chats/{chat}/messages/{id}           data {"success": true}; own messages of the last 24 hours
POST .../chats/{chat}/typing, .../mark-as-read  data {"success": true}
POST .../chats/{chat}/messages                  data message
    {"text", "price", "mediaFiles", "previews", "lockedText", "replyToMessageId"}, header Idempotency-Key
POST /api/{account}/media/upload                multipart `file`
    {"prefixed_id": "ofapi_media_...", "file_name", "processId", "host", "sourceUrl", "extra", "additional", "thumbs"}
    The id is good for ONE accepted message, as the vendor documents.
POST /api/{account}/media/vault                 multipart `file`
    data {"id": 123, "type": "photo", ...}; this id can be used again and again.
GET /api/{account}/transactions                 limit, marker
    data {"list": [{"id", "amount", "fee", "net", "createdAt", "user", ...}], "hasMore", "marker", "nextMarker"}
POST and GET /api/webhooks, GET, PUT and DELETE /api/webhooks/{id}
    {"endpoint_url", "signing_secret", "events", "account_scope": "global"|"inclusive"|"exclusive", "account_ids"}
    data {"id": "wh_...", "url", "events", "enabled", "has_signing_secret", "account_scope", "account_ids",
    "created_at"}. account_scope may also be "all", or the list itself; the same endpoint_url again replaces.

fan: `{"id", "username", "name", "displayName", "avatar": null, "lastSeen", "subscribedOn",
"subscribedOnData": {"totalSumm", "messagesSumm", "tipsSumm", "subscribesSumm", ...}}`. A chat's id is its fan's id.

message: `{"id", "text", "createdAt", "price", "isFree", "isTip", "isOpened", "isNew", "isSentByMe",
"canPurchaseReason", "media": [{"id", "type"}], "mediaCount", "previews", "lockedText", "replyToMessage",
"fromUser": {"id", "_view"}}`. Bought by the fan: canPurchaseReason is `purchased`. Read by the fan: isOpened.

A send can be answered with
    422 {"message", "errors": {field: [...]}}               a wrong body
    400 {"error": "ONLYFANS_COM_ERROR", "message", "onlyfans_response": {"status": 400, "body": {"error": {"code",
        "message": "Cannot send message to this user"}}}}   this fan, for good
    404                                                     no such chat
    429 with Retry-After, and "retry_after" in the body     not sent
    500, 503, a closed connection                           unknown
The first 200 or 4xx (but 429) for an Idempotency-Key is kept for 24 hours, per account, and given again with
`Idempotent-Replayed: true`. 400 IDEMPOTENCY_KEY_INVALID: not 1-255 printable ASCII. 409 IDEMPOTENCY_CONFLICT: the first
still runs. 422 IDEMPOTENCY_KEY_MISMATCH: the key was used with another body or chat.

Webhooks carry `Signature` (hex HMAC-SHA256 of the raw body) and `X-OFAPI-Idempotency-Key` (`evt_` + 40 hex, the same
at each retry and redelivery) and the body `{"event", "account_id", "payload"}`; in order per endpoint, up to 5 retries.
    a fan writes      messages.received (`POST /sandbox/fans/{chat}/say`; `/write` is the creator, by hand)
    a fan buys        messages.ppv.unlocked and transactions.new: the same money twice
    a fan tips        messages.received (isTip, the fan's words), tips.received and transactions.new
    a fan subscribes  subscriptions.new and transactions.new
    the creator       messages.sent, messages.deleted (the payload is the bare id)
In the notifications `user_id` is the creator and `user` the fan; the bought message is `firstId` in {MESSAGE_LINK}.

`acct_demo` and `acct_demo_*` hold the fans of the CSV: row n, from 0, has the id 100000001 + n. Every other `acct_...`
comes to life at first use and knows any number as a fan named `fan<number>`.
"""
