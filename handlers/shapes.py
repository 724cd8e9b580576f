"""How a message is put: as a witness's word, as more of what is being told, as something new, as settled.

Each shape is one pattern; what it is worth stands in `handlers/likeness.py`.
"""

import re

# 我也看到了, 我这边也, +1, 同样: somebody else saw the same.
WITNESS = re.compile(
    r"^[\s@]*(?:\+\s*[1１一]|加一|[同附]意|同样|同感|同求|我[也家屋们这那]?.{0,6}也|也是|对头|对的|是的|就是|确实"
    r"|看到了|闻到了|听到了|我[也]?(?:在.{0,8})?(?:看|闻|听)到)"
    r"|也(?:是|有|看到|听到|闻到|遭|没得|没有|停|漏|坏|淹|进水|在|一样)|跟(?:楼上|他|她)?一样|说句公道话"
)
# 还没来人, 又来了, 烟更大了, 那个...: words that lean on what was said before.
FOLLOWING = re.compile(
    r"^(?:还|又|都|就|那|这|他|她|它|里头|里面|上头|下头|现在|刚刚|刚才|补充|更正|而且|但是|不是|快|已经|越来越|人|水|火|烟)"
    r"|更大|更深|越来越|还没|还在|怎么还|到现在|补一句|那个|这个|那家|这家|那边|人呢|快点"
)
# 也, 又, 我这边, 不是A是B: the words make sense only with what was said before.
_LEANING = re.compile(r"也|又|还|都|一样|同样|我(?:们)?[这那屋家门店]|更|越来越|不是")
# 请问, 另外还有, 听说: a matter of its own more often than not.
ANEW = re.compile(
    r"^(?:请问|问一?[下哈]|有没[有得]|哪个|哪里|哪位|谁|各位|大家|听说|听到说|建议|反映|我反映|巡查|巡逻|紧急|求助|物业|师傅|老师|街道)"
    r"|^@?物业|另外|还有[一个]?[件个]事|顺便|也?想(?:装|要|请|问)|再说[一个]?[件个]事|水库|真的假的|是不是真的|是真的吗"
)
# 误会, 虚惊一场, 修好了: from who reported it, that it needs nobody any more. A question or a doubt is none.
SETTLED = re.compile(
    r"误会|虚惊|弄错了|搞错了|看错了|听错了|闻错了|(?:已经)?(?:修|弄|搞|处理|解决|恢复|换|清理|疏通|找|抽|补|和解)好了"
    r"|没事了|没得事了|不用来了|不用管了|不用麻烦|找到了|来电了|来水了|通了|解决了|和解了|不漏了|不堵了|火灭了|退了水|水退了"
)
_UNSETTLED = re.compile(
    r"[?？]|吗|[嘛没]\s*$|没有?(?:修|弄|处理|解决|搞|恢复|找|抽|换)|不是误会|又(?:坏|漏|堵|停|不)|还(?:没|在|是)"
    r"|好了没|什么时候|好久|等.{0,6}(?:修|弄|处理)好|要是|如果|希望|但|可是|不过|打通了|接通了|以为"
)


def leans(text: str) -> bool:
    """Whether the text leans on what was said before: a witness's word, more of it, an answer."""
    return any(shape.search(text) for shape in (_LEANING, WITNESS, FOLLOWING))


def settled(text: str) -> bool:
    """Whether the text says plainly that nothing is to be done any more."""
    return len(text) <= 60 and SETTLED.search(text) is not None and _UNSETTLED.search(text) is None


def doubted(text: str) -> bool:
    """Whether what sounds done is asked for, wished or doubted."""
    return _UNSETTLED.search(text) is not None
