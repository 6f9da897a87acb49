"""The console in Chinese from start to end, including the server's messages."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.console.person import Person, watched
from tests.e2e.api import Api, unique_name

# Words that stay the same in Chinese: names, addresses, languages and protocols.
SAME = re.compile(
    r"Send Mail API|API|JWT|HTML|SMTP|STARTTLS|curl|Python|requests|smtplib|JavaScript|English|"
    r"Message-ID|Webhook|Bob|eyJ|KB|MB|UTC|[\w.+-]*@[\w.-]+|<[^>]*>|[0-9a-f]{8}-[0-9a-f-]{27}"
)


def english_words(person: Person, same: re.Pattern[str] = SAME) -> list[str]:
    """The English words on the screen, except words in code and words in ``same``."""
    text = person.page.locator("body").inner_text()
    code = "".join(person.page.locator("pre, code").all_inner_texts())
    return [word for word in re.findall(r"[A-Za-z]{3,}", same.sub(" ", text)) if word not in code]


@pytest.mark.slow
def test_from_the_start_to_the_end(browser: Browser, api: Api) -> None:
    with browser.new_context(locale="zh-CN") as context, watched(context, api):
        person = Person(context.new_page(), api)
        person.open()
        assert english_words(person) == []
        person.field("名称").fill(unique_name())
        person.button("创建地址").click()
        expect(person.heading("地址已创建")).to_be_visible()
        assert english_words(person) == []
        person.page.get_by_role("link", name="写一封邮件").click()
        expect(person.heading("凭证保存好了吗？")).to_be_visible()
        assert english_words(person) == []
        person.button("已经保存").click()
        expect(person.heading("新邮件")).to_be_visible()
        assert english_words(person) == []
        person.button("发送").click()
        expect(person.page.get_by_text("未发送")).to_be_visible()
        assert english_words(person) == []
        person.field("收件人").fill("bob@example.net")
        person.field("主题").fill("你好")
        person.field("正文").fill("你好，世界")
        person.button("发送").click()
        expect(person.heading("你好")).to_be_visible()
        assert english_words(person) == []
        for place, heading in (("sent", "已发送"), ("password", "密码"), ("usage", "用量")):
            person.open(place)
            expect(person.heading(heading).first).to_be_visible()
            person.page.wait_for_load_state("networkidle")
            assert english_words(person) == []
        person.open("sent")
        person.field("搜索").fill("世界")
        expect(person.messages()).to_have_count(1)
