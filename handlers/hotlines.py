"""Which number to call in danger. The bot names it and never claims to have called."""

import re

from classifiers.verdict import Label

# Fire and rescue 119 (also people stuck or in the water), medical 120, police 110.
_BY_WORDS = {
    "119": re.compile(
        "火(?!锅|车|热|爆)|(?<![抽香吸戒卷买])烟(?![花酒草头])|燃气|天然气|煤气|漏气|被困|困在|困到"
        "|电梯|水里|冲走|落水|掉水|溺|塌"
        "|触电|漏电|电线|爆炸|泥石流|滑坡"
    ),
    "120": re.compile(
        "晕|昏|没呼吸|没气|心脏|中毒|流血|吐血|抽搐|受伤|摔|撞|车祸|骨折|烧伤|休克|窒息|噎|烫伤|要生了|救护|叫不醒|喊不答应"
    ),
    "110": re.compile("刀|打架|打捶|打人|打起|砍|偷|抢|骗|走失|不见了|失踪|跟踪|跳楼|轻生"),
}
_BY_LABEL = {Label.FLOOD: "119", Label.DISPUTE: "110", Label.SAFETY: "119、110或120", Label.SERVICE: "110"}


def hotline(label: str, text: str) -> str:
    """119, 120 or 110, or several joined with 和, as the words of the report ask for."""
    numbers = [number for number, words in _BY_WORDS.items() if words.search(text)]
    if label == Label.DISPUTE and "110" not in numbers:
        numbers.insert(0, "110")
    return "和".join(numbers) or _BY_LABEL[Label(label)]
