"""The yardstick: a bare python-wechaty echo bot, its high-level class, with the shims it needs today.

python -m benchmarks.echo_bot ENDPOINT TOKEN
"""

import asyncio
import os
import sys
import tempfile


def shim() -> None:
    """What python-wechaty 0.10.7 misses in today's pyee and urllib3, and on Python 3.11+."""
    import pyee
    import pyee.asyncio
    import urllib3
    import urllib3.util

    pyee.AsyncIOEventEmitter = pyee.asyncio.AsyncIOEventEmitter  # type: ignore[attr-defined]
    urllib3.get_host = lambda url: urllib3.util.parse_url(url)[:4]  # type: ignore[attr-defined]
    from wechaty_puppet import PuppetOptions

    PuppetOptions.__hash__ = object.__hash__  # type: ignore[method-assign]


async def main(endpoint: str, token: str) -> None:
    os.environ["CACHE_DIR"] = tempfile.mkdtemp(prefix="echo-bot-")
    os.environ["WECHATY_LOG"] = "silent"
    shim()
    from wechaty import Message, Wechaty, WechatyOptions
    from wechaty_puppet import PuppetOptions
    from wechaty_puppet_service import PuppetService

    puppet = PuppetService(PuppetOptions(token=token, end_point=endpoint))

    class Echo(Wechaty):  # type: ignore[misc]
        async def on_message(self, message: Message) -> None:
            if not message.is_self():
                await message.say(f"echo {message.text()}")

    bot = Echo(WechatyOptions(puppet=puppet))
    print("starting", flush=True)
    await bot.start()


if __name__ == "__main__":
    import logging

    logging.disable(logging.CRITICAL)
    asyncio.run(main(sys.argv[1], sys.argv[2]))
