"""Chinese (simplified). It has the keys and placeholders of the English catalogue."""

SENTENCES = {
    # Prefixes of error details
    "failed_to_send": "发送邮件失败 ",
    "failed_to_create": "创建邮箱地址失败: ",
    # Authentication and configuration
    "site_password_required": "网站已启用私有密码,请提供密码",
    "admin_password_required": "您需要提供管理员密码才能访问此页面",
    "invalid_credential": "邮箱地址凭证无效",
    "credential_missing": "缺少 API 密钥:请在请求头 Authorization: Bearer 中发送邮箱地址凭证",
    "client_rate_exceeded": "{path} 超出请求频率限制",
    "binding_missing": "缺少 {name} 绑定:请将其加入 wrangler.toml 后重新部署",
    "secret_missing": (
        "缺少 {name} 密钥:请用 wrangler secret put {name} 设置,本地服务器则在 .dev.vars 中设置"
    ),
    "invalid_setting": "无法读取变量 {name}:其值必须是 {expected}",
    # All requests
    "not_found": "此路径不存在",
    "method_not_allowed": "此路径只接受 {allowed}",
    "malformed_json": "请求体不是有效的 JSON: {problem}",
    "unsupported_media_type": "请求体必须是 JSON,并带有请求头 Content-Type: application/json",
    "unsupported_content_encoding": "请求体不能压缩(Content-Encoding)",
    "body_unreadable": "无法读取请求体",
    "body_too_large": "请求体超过 {limit} 字节",
    "body_too_complex": "请求体中的对象和数组超过 {objects} 个,或字符串超过 {texts} 个",
    "body_too_slow": "请求体传输过慢",
    "too_many_large_bodies": "同时处理的大请求过多,请稍后再试",
    "invalid_input": "字段 {field} 无效: {problem}",
    "invalid_field": "{problem}",
    "required_field_missing": "缺少必填字段",
    "unknown_field": "没有这个字段",
    "invalid_limit": "limit 无效",
    "invalid_offset": "offset 无效",
    "invalid_cursor": "游标无效",
    "two_cursors": "after 与 before 只能给出一个",
    "offset_with_cursor": "offset 参数不能与 cursor 同时使用",
    "invalid_requested": "requested 参数必须是 true 或 false",
    "invalid_sort_by": "无效的 sort_by",
    "invalid_delivery_status": "无效的 delivery_status",
    "invalid_sort_order": "无效的 sort_order",
    "invalid_q": "搜索词 q 超过 {limit} 个字符",
    "internal_error": "服务器内部错误,请报告请求编号",
    "database_unavailable": "数据库没有响应,请稍后再试",
    "database_refused": "数据库拒绝了一条语句:请确认已应用所有迁移",
    "database_down": "数据库 D1 没有响应,或尚未应用迁移",
    # Creating addresses
    "new_address_disabled": "新建邮箱地址已禁用,请联系管理员",
    "anonymous_new_address_disabled": "匿名用户新建邮箱地址已禁用,请联系管理员",
    "address_name_too_short": "名称太短(最少 {minimum} 个字符)",
    "address_name_too_long": "名称太长(最多 {maximum} 个字符)",
    "address_name_no_match": "名称不符合正则表达式: /{pattern}/",
    "address_name_blocked": "名称[{name}]已被禁止使用",
    "address_name_invalid": "名称不能用于邮箱地址",
    "invalid_domain": "域名无效",
    "no_domains": "域名无效:DOMAINS 为空,尚未配置任何发件域名",
    "address_exists": "邮箱地址已存在",
    "random_subdomain_unsupported": "不支持随机子域名:请去掉 enableRandomSubdomain",
    "human_verification_failed": "人机验证失败",
    "human_verification_unavailable": "人机验证服务没有响应,请稍后再试",
    "too_many_addresses": "每个客户端每天最多创建 {most} 个邮箱地址",
    "address_not_found": "没有此地址",
    "user_delete_disabled": "用户删除地址/邮件功能已禁用,请联系管理员",
    "invalid_address_id": "无效的 address_id",
    "already_requested": "已经申请过",
    "balance_disabled": "该邮箱地址的发送已被关闭,请联系管理员",
    "balance_not_found": "此地址没有设置发送余额",
    "suppression_not_found": "此收件人不在抑制名单中",
    "invalid_list_entry": "{list} 中有无效的条目",
    "list_entry_too_long": "条目太长(最多 {limit} 个字符)",
    "list_entry_name": "名称应有 1 到 64 个字符,且不含控制字符",
    "list_too_large": "列表过大(最多 {limit} 个条目;JSON 中每个条目出现两次,最多 {bytes} 字节)",
    "invalid_send_limits": (
        "sendMailLimitConfig 应包含 dailyEnabled 和 monthlyEnabled(true 或 false)以及 "
        "dailyLimit 和 monthlyLimit(整数,-1 表示不限,仅在未启用时可为 null)"
    ),
    "invalid_sender": "发件人不是一个邮箱地址",
    "binding_not_enabled": "请先启用 SEND_MAIL",
    # Passwords
    "password_login_disabled": "密码登录已禁用",
    "password_change_disabled": "密码修改已禁用",
    "invalid_login": "邮箱或密码错误",
    "too_many_logins": "此邮箱地址登录失败次数过多,请稍后再试",
    "current_password_missing": (
        "该邮箱地址已有密码:请以 current_password 发送当前密码,或请管理员设置新密码"
    ),
    "wrong_password": "当前密码不正确",
    "too_many_credential_changes": ("凭证和密码每天各最多更改 {most} 次,请在 UTC 午夜之后再试"),
    "password_not_digested": "密码必须以其 SHA-256 的 64 位十六进制形式发送",
    # Sending: errors in the request
    "invalid_recipient": "收件人地址无效",
    "recipient_local_part_not_ascii": "收件人地址无效:@ 之前的部分必须是 ASCII 字符",
    "address_syntax": "这不是一个形如 name@example.com 的邮箱地址",
    "address_local_part_not_ascii": "@ 之前的部分必须是 ASCII 字符",
    "address_domain": "@ 之后的部分不是域名",
    "address_too_long": "地址太长(@ 之前最多 64 字节,总共最多 254 字节)",
    "subject_empty": "主题为空",
    "subject_has_control": "主题不能包含控制字符或换行",
    "subject_too_long": "主题太长(最多 {limit} 个字符)",
    "content_empty": "内容为空",
    "display_name_has_control": "名称不能包含控制字符或换行",
    "display_name_has_hidden": "名称不能包含不可见字符或文字方向控制字符",
    "display_name_has_encoded_word": "名称不能包含编码字(=?...?=)",
    "display_name_shows_address": "名称不能显示其他邮箱地址",
    "display_name_too_long": "名称太长(最多 {limit} 个字符)",
    "mailbox_too_long": "邮箱太长(最多 {limit} 个字符)",
    "mailbox_list": "这里似乎有多个地址:请以列表形式提供(名称中的逗号需要加引号)",
    "too_many_recipients": "一封邮件的 to、cc 和 bcc 合计最多 {limit} 个收件人",
    "invalid_reply_to": "回复地址无效",
    "reply_to_too_many": "回复地址太多(最多 {limit} 个)",
    "reply_to_first_used": "只使用第一个回复地址,因为邮件服务商只接受一个",
    "test_recipients_mixed": "一封邮件不能同时有沙箱收件人和其他收件人:请分成两封发送",
    "unknown_test_recipient": "没有这个沙箱收件人:请使用 {known};@ 之前可加 +标签",
    "test_outcomes_mixed": "一封邮件的沙箱收件人必须对应同一种结果:请按结果分别发送",
    "header_name_invalid": (
        "邮件头名称须为 1 到 {limit} 个 ASCII 字母、数字和连字符;X- 之后还可用下划线"
    ),
    "header_has_own_field": "邮件头 {name} 不能放在 headers 中:请使用字段 {own_field}",
    "header_not_allowed": (
        "邮件头 {name} 由邮件服务商自行设置,或不被接受:自定义名称必须以 X- 开头"
    ),
    "header_repeated": "邮件头 {name} 重复:不区分大小写",
    "header_value_empty": "邮件头 {name} 不能为空",
    "header_value_has_control": "邮件头 {name} 不能包含控制字符或换行",
    "header_value_too_long": "邮件头 {name} 太长(UTF-8 编码最多 {limit} 字节)",
    "header_value_not_accepted": "邮件服务商只接受邮件头 {name} 的这些值:{accepted}",
    "headers_too_many": "邮件头太多(名称不以 X- 开头的最多 {limit} 个)",
    "headers_too_large": "邮件头太大(合计最多 {limit} 字节)",
    "list_unsubscribe_invalid": (
        "List-Unsubscribe 必须是 <https://...> 或 <mailto:...>,多个之间用逗号分隔"
    ),
    "list_unsubscribe_post_invalid": (
        "List-Unsubscribe-Post 必须是 List-Unsubscribe=One-Click,"
        "并且需要带 <https://...> 地址的 List-Unsubscribe"
    ),
    "adaptations_too_many": "改动说明太多(最多 {limit} 条)",
    "adaptation_invalid": "改动说明须为 1 到 {limit} 个字符,不能包含控制字符或换行",
    "attachments_too_many": "附件太多(最多 {limit} 个)",
    "attachment_filename_missing": "附件必须有 filename",
    "attachment_filename_invalid": (
        "文件名不能包含斜杠、编码字(=?...?=)、控制字符、不可见字符或文字方向控制字符"
    ),
    "attachment_filename_too_long": "文件名太长(UTF-8 编码最多 {limit} 字节)",
    "attachment_content_missing": "附件必须有 content(空文件为空字符串)",
    "attachment_content_invalid": "附件的 content 必须是 base64,使用含 + 和 / 的字母表",
    "attachment_content_is_data_url": (
        "附件的 content 必须只是 base64,前面不能有 data:...;base64,"
    ),
    "attachment_content_type_invalid": (
        "content_type 必须是形如 image/png 的媒体类型(最多 {limit} 个字符)"
    ),
    "attachment_content_type_refused": (
        "content_type 不能是 multipart/*,也不能是 message/rfc822 以外的 message/*"
    ),
    "attachment_content_id_invalid": (
        "content_id 须为 1 到 {limit} 个 ASCII 字符,不含空格和尖括号"
    ),
    "attachment_content_id_repeated": "两个附件的 content_id 相同",
    "tags_too_many": "标签太多(最多 {limit} 个)",
    "tag_invalid": "标签只能包含 ASCII 字母、数字、下划线和连字符,且不能为空",
    "tag_too_long": "标签的名称或值太长(最多 {limit} 个字符)",
    "tag_repeated": "两个标签的名称相同",
    "scheduled_at_invalid": (
        "scheduled_at 必须是 ISO 8601 格式的日期和时间,例如 2026-12-31T09:30:00Z"
    ),
    "scheduled_in_past": "scheduled_at 已经过去",
    "scheduled_too_far": "scheduled_at 太远(最多提前 {days} 天)",
    "message_too_large": "邮件编码后为 {size} 字节,上限为 {limit} 字节",
    "send_mail_not_enabled": "请先为此域名启用 SEND_MAIL",
    # Sending: the Resend API
    "invalid_from": "发件人不是一个邮箱地址",
    "from_not_own": "发件人必须是 API 密钥的邮箱地址: {address}",
    "template_unsupported": "不支持模板:请改用 text 或 html",
    "topic_unsupported": "不支持主题订阅(topic):请去掉此字段",
    "attachment_path_unsupported": "不会从别处获取文件:请直接给出文件内容",
    "batch_with_attachments": "批量发送的邮件不能带附件:请单独发送",
    "batch_with_schedule": "批量发送的邮件不能定时:请单独发送",
    "batch_size": "一批邮件应有 1 到 {limit} 封",
    "invalid_batch_validation": "请求头 x-batch-validation 必须是 strict 或 permissive",
    "id_mismatch": "这不是路径中的编号",
    # Sending: checks in the database
    "no_balance": "余额不足",
    "address_blocked": "地址已被屏蔽",
    "recipient_blocked": "此地址已被屏蔽: {recipient}",
    "recipient_suppressed": "收件人已被抑制: {recipient}",
    "daily_quota_reached": "服务器每日发送配额已用完",
    "monthly_quota_reached": "服务器每月发送配额已用完",
    "address_paused": "此地址的失败邮件过多,已暂停发送,请联系管理员",
    "not_paused": "此地址没有被暂停发送",
    "too_many_sandbox_recipients": ("该邮箱地址今天的沙箱收件人数已达上限,请在 UTC 午夜之后再试"),
    "too_many_sandbox_bytes": "该邮箱地址今天的沙箱邮件总大小已达上限,请在 UTC 午夜之后再试",
    "too_many_withdrawals": (
        "该邮箱地址今天失败或取消的邮件过多,请在 UTC 午夜之后再试,或联系管理员"
    ),
    "too_many_changes": "每个邮箱地址每天最多可以这样做 {most} 次,请在 UTC 午夜之后再试",
    "rate_limit_exceeded": "发送过于频繁,请稍后再试",
    "batch_over_rate_limit": "一批最多 {limit} 封邮件,与发送频率上限相同",
    "batch_too_long": "没有队列时,一批最多 {limit} 封邮件",
    "batch_too_large": "这批邮件的收件人、主题、邮件头和标签共 {size} 字节,上限为 {limit} 字节",
    "sending_paused": "管理员已暂停发送,请稍后再试",
    # Retries, cancellation and rescheduling
    "invalid_idempotency_key": "Idempotency-Key 必须为 1 到 256 个 UTF-8 字符",
    "idempotency_key_reused": "此 Idempotency-Key 已用于另一个请求",
    "idempotency_in_flight": "使用此 Idempotency-Key 的请求正在处理中",
    "already_retried": "此邮件已重新发送过",
    "not_retryable": "只有失败或结果未知的邮件才能重新发送",
    "content_removed": "此邮件的内容已被删除",
    "not_cancellable": "只有已排程或排队中的邮件可以取消",
    "not_scheduled": "只有已排程的邮件可以更改时间",
    "message_not_found": "没有这封邮件",
    "message_in_flight": "此邮件正在发送,请在发送结束后重试",
    # Sending: errors of the provider
    "outcome_unknown": "已调用邮件服务商,但结果未知:邮件可能已经发出。系统不会自动重发",
    "provider_refused": "邮件服务商拒绝了此邮件({provider_code})",
    "provider_busy": "邮件服务商暂不接受更多邮件({provider_code}),请稍后再试",
    "E_VALIDATION_ERROR": "邮件服务商认为邮件无效",
    "E_FIELD_MISSING": "邮件缺少邮件服务商要求的字段",
    "E_TOO_MANY_RECIPIENTS": "邮件服务商拒绝了收件人数量",
    "E_SENDER_NOT_VERIFIED": "发件人域名尚未设置发信:请在邮件服务商处为其启用邮件发送",
    "E_RECIPIENT_NOT_ALLOWED": (
        "邮件服务商不向此收件人发送邮件:请在服务商处验证该地址,或使用可发送给任何收件人的套餐"
    ),
    "E_RECIPIENT_SUPPRESSED": "收件人在邮件服务商的抑制名单上",
    "E_SENDER_DOMAIN_NOT_AVAILABLE": "发件人域名在邮件服务商处不可用",
    "E_CONTENT_TOO_LARGE": "邮件服务商认为邮件太大",
    "E_DELIVERY_FAILED": "邮件服务商无法投递此邮件",
    "E_RATE_LIMIT_EXCEEDED": "已达到邮件服务商的速率限制,请稍后再试",
    "E_DAILY_LIMIT_EXCEEDED": "已达到邮件服务商的每日限额,请稍后再试",
}
