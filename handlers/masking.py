"""Takes out of a text what tells who somebody is: for what is kept to learn from and what leaves the machine.

Places, short numbers (119, 12345) and ticket numbers stay: they are the matter itself. Better a word too many
masked than a number too few.
"""

import re

_D = "[0-9０-９]"
_GAP = r"[ \t\u00a0\u2000-\u200b\u3000.·‐-―－-]?"  # what people put between digits
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈卫蒋沈韩杨朱秦许何吕张孔曹严金魏陶姜谢邹喻苏潘葛范彭鲁韦马方俞任袁柳鲍史唐费薛雷贺倪汤滕罗毕郝"
    "安常乐傅康伍余顾孟黄穆萧尹姚邵汪毛成戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾路江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍万柯"
    "卢莫房解丁邓洪包左石崔龚程邢裴陆翁荀段巫焦牧谷车侯全班秋仲宫宁栾甘厉祖武符刘景詹龙叶黎白蒲温庄晏柴瞿阎连艾容向古易"
    "廖文曾关红游权申冉涂代敖牟况幸寇"
)
_CALLED = "(?:(?<=我叫)|(?<=名叫)|(?<=本人))"
_NAME_ENDS = r"(?=$|[^\u4e00-\u9fff]|住|家|在|的|是|电话|手机|今年|男|女|身份证)"

# The longest numbers first: a bank card holds many a telephone number.
_MASKS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (f"〔{name}〕", re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("邮箱", r"[A-Za-z0-9._%+-]{1,64}[@＠][A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}"),
        ("身份证", rf"(?<!{_D})(?:{_D}{_GAP}){{17}}[0-9０-９XxＸｘ](?!{_D})"),
        ("银行卡", rf"(?<!{_D})(?:{_D}{_GAP}){{15,18}}{_D}(?!{_D})"),
        ("身份证", rf"(?<!{_D}){_D}{{15}}(?!{_D})"),
        ("电话", rf"(?<!{_D})(?:[+＋]?(?:00)?86{_GAP})?[1１]{_GAP}[3-9３-９](?:{_GAP}{_D}){{9}}(?!{_D})"),
        ("电话", rf"(?<!{_D})[(（]?[0０]{_D}{{2,3}}[)）]?{_GAP}(?:{_D}{_GAP}){{6,7}}{_D}(?!{_D})"),
        ("电话", r"[幺一][三四五六七八九][零〇洞幺一二两三四五六七拐八九勾]{9}"),
        ("电话", rf"(?:电话|手机|号码|热线|tel)[:：是为\s]{{0,3}}(?:{_D}{_GAP}){{6,7}}{_D}(?!{_D})"),
        ("号码", rf"{_D}{{11,}}"),
        ("QQ", rf"(?:QQ|扣扣|企鹅)号?(?:[:：是为\s]{{0,3}}){_D}{{5,12}}"),
        ("车牌", rf"[{_PROVINCES}][A-Z][ ·•.-]?[A-Z0-9]{{4,5}}[A-Z0-9挂学警港澳](?![A-Z0-9])"),
        ("微信", r"wxid_[A-Za-z0-9_-]{1,40}"),
        ("微信", r"(?<=微信)(?:号|id)?[:：是为\s]{0,3}[A-Za-z][A-Za-z0-9_-]{4,19}"),
        ("微信", r"(?<![A-Za-z])(?:v[xX]|wx|weixin|wechat)号?[:：是为\s]{1,3}[A-Za-z][A-Za-z0-9_-]{4,19}"),
        ("姓名", r"(?<=姓名)[:：是为叫\s]{0,3}[\u4e00-\u9fff·]{2,4}"),
        ("姓名", rf"(?<=联系人)[:：是为叫\s]{{1,3}}[{_SURNAMES}][\u4e00-\u9fff·]{{1,3}}"),
        ("姓名", rf"{_CALLED}[:：\s]{{0,2}}[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}{_NAME_ENDS}"),
        ("群友", r"(?<![A-Za-z0-9])[@＠][^\s@＠,，。:：!！?？、;；]{1,20}"),
    )
)  # fmt: skip


def mask(text: str) -> str:
    """The text with telephone, ID and bank card numbers, plates, addresses and plain names replaced."""
    for token, pattern in _MASKS:
        text = pattern.sub(token, text)
    return text
